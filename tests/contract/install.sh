#!/usr/bin/env bash
# Installs the tools that the checks in this folder run, in the versions that are pinned here. It needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")"
: "${CONTRACT_TOOLS:=../../target/contract-tools}"
mkdir -p "$CONTRACT_TOOLS/node"
tools=$(cd "$CONTRACT_TOOLS" && pwd)
[ -x "$tools/python/bin/python" ] || python3 -m venv "$tools/python"
"$tools/python/bin/pip" install -q --disable-pip-version-check -r requirements.txt
# Node comes with Python's packages, so that its version doesn't depend on the machine.
PATH=$tools/python/bin:$PATH
cp package.json package-lock.json "$tools/node/"
(cd "$tools/node" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
