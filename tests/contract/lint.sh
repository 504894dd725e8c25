#!/usr/bin/env bash
# What linters of OpenAPI documents say: spectral with its own rules and OWASP's, and redocly.
set -euo pipefail
# shellcheck source=tests/contract/lib.sh
source "$(dirname "$0")/lib.sh"
document
cp "$contract/spectral.yaml" "$contract/redocly.yaml" "$work/"
ln -s "$CONTRACT_TOOLS/node/node_modules" "$work/node_modules"
cd "$work"
export NO_UPDATE_NOTIFIER=1 REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
spectral lint openapi.json --ruleset spectral.yaml --fail-severity error --quiet || fail 'spectral found something'
redocly lint openapi.json --config redocly.yaml || fail 'redocly found something'
passed 'spectral and redocly'
