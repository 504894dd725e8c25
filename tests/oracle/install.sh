#!/usr/bin/env bash
# Installs the readers of calendars, in the versions that are pinned here. It needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")"
: "${CALENDAR_READERS:=../../target/calendar-readers}"
mkdir -p "$CALENDAR_READERS"
readers=$(cd "$CALENDAR_READERS" && pwd)
[ -x "$readers/python/bin/python" ] || python3 -m venv "$readers/python"
"$readers/python/bin/pip" install -q --disable-pip-version-check -r requirements.txt
# Node comes with Python's packages, so that its version doesn't depend on the machine.
PATH=$readers/python/bin:$PATH
cp package.json package-lock.json "$readers/"
(cd "$readers" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error)
