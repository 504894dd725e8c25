#!/usr/bin/env bash
# The example page for charities' sites, against the demo: whats-on.py, with the packages of requirements.txt and Debian's
# chromium. PYTHON is an interpreter that has them; PICTURES a folder for pictures of the page. The demo has a database of
# its own, so DATABASE_URL isn't used; for LIFE_ROOMS and the rest see ../curl/lib.sh.
# shellcheck disable=SC2154
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/curl/lib.sh
. "$here/../curl/lib.sh"
: "${PYTHON:=python3}"
: "${CHROMIUM:=/usr/bin/chromium}"
[ -x "$CHROMIUM" ] || { echo 'This script needs chromium: install it, for instance with: apt-get install chromium' >&2; exit 1; }
export CHROMIUM
mkdir "$work/folder"
: >"$work/server.log"
(cd "$work/folder" && unset LIFE_ROOMS_KEY_DIR && LIFE_ROOMS_BIND=127.0.0.1:0 exec "$LIFE_ROOMS" serve --demo) >"$work/accounts" 2>"$work/server.log" &
server=$!
within 120 answered || fail "the demo's server did not say that it is ready"
BASE_URL=$(sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/server.log" | head -n 1)
"$PYTHON" "$here/whats-on.py" "$BASE_URL" "${PICTURES:-}" || fail 'the example page did not do what it should'
passed 'The example page shows groups near a postcode, narrows them, opens one, and axe finds nothing, at both sizes.'
