#!/usr/bin/env bash
# A browser calls the server from other origins: browser.py, with the packages of requirements.txt and Debian's chromium.
# PYTHON is an interpreter that has them; for LIFE_ROOMS and the rest see ../curl/lib.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/curl/lib.sh
. "$here/../curl/lib.sh"
: "${PYTHON:=python3}"
: "${CHROMIUM:=/usr/bin/chromium}"
[ -x "$CHROMIUM" ] || { echo 'This script needs chromium: install it, for instance with: apt-get install chromium' >&2; exit 1; }
export CHROMIUM

pages=()
stop_pages() { local page; for page in ${pages[@]+"${pages[@]}"}; do kill "$page" 2>/dev/null || true; done; }
trap 'stop_pages; stop_server; rm -rf "$work"' EXIT

# serve_page NAME: an empty page on a free port; sets PAGE to its origin.
serve_page() {
  mkdir -p "$work/page"
  echo '<!doctype html><title>A page</title>' >"$work/page/index.html"
  : >"$work/$1.log"
  "$PYTHON" -u -m http.server --bind 127.0.0.1 --directory "$work/page" 0 >"$work/$1.log" 2>&1 &
  pages+=($!)
  within 20 grep -q 'port [0-9]' "$work/$1.log" || fail "the page $1 is not served"
  PAGE=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$work/$1.log" | head -n 1)
}

serve_page ours; ours=$PAGE
serve_page other; other=$PAGE
make_account admin
# An origin is the same in other letters.
export LIFE_ROOMS_ALLOWED_ORIGINS=${ours/http/HTTP}
start_server
log_in admin
send POST /v1/venues '{"slug":"walton","name":"Walton Life Rooms","kind":"library","local_authority":"Liverpool"}'
expect 201
"$PYTHON" "$here/browser.py" "$BASE_URL" "$ours" "$other" "$TOKEN" "/v1/venues/$(field .id)"
