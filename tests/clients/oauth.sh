#!/usr/bin/env bash
# OAuth libraries ask the server for tokens: oauth.py, with the packages of requirements.txt.
# PYTHON is an interpreter that has them; for LIFE_ROOMS and the rest see ../curl/lib.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/curl/lib.sh
. "$here/../curl/lib.sh"
: "${PYTHON:=python3}"

make_account admin
start_server
log_in admin
create_partner the-reader 'The Reader' charity
create_client "$PARTNER" rosters:read
"$PYTHON" "$here/oauth.py" "$BASE_URL" "$CLIENT_ID" "$CLIENT_SECRET" rosters:read
