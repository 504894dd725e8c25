#!/usr/bin/env bash
# TypeScript types made of the document, calls with openapi-fetch as people write them, and the script of the example page:
# they must compile as strictly as TypeScript can be.
set -euo pipefail
# shellcheck source=tests/contract/lib.sh
source "$(dirname "$0")/lib.sh"
document
cp "$contract/typescript/"* "$contract/../../examples/whats-on/whats-on.js" "$work/"
ln -s "$CONTRACT_TOOLS/node/node_modules" "$work/node_modules"
openapi-typescript "$work/openapi.json" -o "$work/schema.ts" >"$work/generate.log" 2>&1 || { cat "$work/generate.log"; fail 'no types could be made'; }
(cd "$work" && tsc -p .) || fail 'the calls do not compile'
passed 'openapi-typescript and openapi-fetch, and the example page, strict'
