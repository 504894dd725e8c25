#!/usr/bin/env bash
# A Python client made of the document: it must be complete, pass `mypy --strict` where it is used, and do a day's work.
set -euo pipefail
# shellcheck source=tests/contract/lib.sh
source "$(dirname "$0")/lib.sh"
document
openapi-python-client generate --path "$work/openapi.json" --meta none --output-path "$work/life_rooms_client" \
  --config "$contract/python/config.yaml" >"$work/generate.log" 2>&1 || { cat "$work/generate.log"; fail 'no client could be made'; }
# What is no JSON has no model: the client leaves out the other forms of a roster, workbooks and the document as YAML, and
# says so.
lacking=$(grep '^WARNING\|^ERROR' "$work/generate.log" | grep -v -e 'POST /v1/partners/{id}/rosters' -e 'GET /openapi.yaml' -e '^WARNING parsing GET [^ ]*[.]xlsx within' || true)
[ -z "$lacking" ] || { cat "$work/generate.log"; fail 'the client lacks operations'; }
cp "$contract/python/journey.py" "$work/"
touch "$work/life_rooms_client/py.typed"
(cd "$work" && mypy --strict --cache-dir="$work/mypy" --no-error-summary journey.py) || fail 'the journey has type errors'
fill_service
(cd "$work" && PYTHONDONTWRITEBYTECODE=1 BASE_URL=$BASE_URL PASSWORD=$password python journey.py "$work/seed.json")
passed 'openapi-python-client, mypy --strict and a journey'
