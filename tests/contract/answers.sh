#!/usr/bin/env bash
# Every GET of a filled service, as everybody, held to the document by Python's jsonschema.
set -euo pipefail
# shellcheck source=tests/contract/lib.sh
source "$(dirname "$0")/lib.sh"
document
fill_service
BASE_URL=$BASE_URL python "$contract/validate.py" "$work/openapi.json" "$work/seed.json" || fail 'answers are not as documented'
passed 'jsonschema'
