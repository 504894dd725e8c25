#!/usr/bin/env bash
# supply/sbom.sh [FILE]: writes the bill of materials of the server as the Dockerfile builds it, in CycloneDX 1.5. Holds it
# to the standard's schema, and to what cargo says is built in. Compiles cargo-cyclonedx the first time. Needs python3 with
# venv.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SUPPLY_TOOLS:=target/supply-tools}"
file=${1:-target/life-rooms.cdx.json}
features=postgres-tls

[ -x "$SUPPLY_TOOLS/bin/python" ] || python3 -m venv "$SUPPLY_TOOLS"
"$SUPPLY_TOOLS/bin/pip" install -q --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.12.0'
cargo install -q --locked --root "$SUPPLY_TOOLS" cargo-cyclonedx@0.5.9

# One commit gives one bill, whenever it is written.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) "$SUPPLY_TOOLS/bin/cargo-cyclonedx" cyclonedx --quiet --format json \
  --spec-version 1.5 --features "$features" --override-filename life-rooms.cdx
# Where it was checked out is nobody's business.
sed "s|path+file://$PWD#||g" life-rooms.cdx.json >"$file.new"
rm life-rooms.cdx.json
cargo tree --locked --edges normal,build --features "$features" --prefix none | cut -d' ' -f1,2 | sort -u |
  "$SUPPLY_TOOLS/bin/python" supply/check_sbom.py "$file.new"
mv "$file.new" "$file"
