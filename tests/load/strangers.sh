#!/usr/bin/env bash
# Asks, as a stranger, about an address that has an account and about one that has none, in turn, 500 times each: for a new
# password, to register, and with a wrong password. Prints the medians and whether anybody could tell the two apart.
#   tests/load/strangers.sh [TIMES]
# For a quiet machine. For LIFE_ROOMS and the rest see ../curl/lib.sh. Everything stays on this machine.
set -euo pipefail
# shellcheck source=tests/curl/lib.sh
. "$(dirname "$0")/../curl/lib.sh"

keep_mails
# Nobody is refused for asking often.
for limit in MAIL_ADDRESS MAIL_NETWORK LOGIN LOGIN_DAY LOGIN_ACCOUNT LOGIN_NETWORK LOGIN_FLOOD; do
  export "LIFE_ROOMS_${limit}_LIMIT=100000/100"
done
export LIFE_ROOMS_LOGIN_LOCK_AFTER=100000
make_account analyst
start_server
python3 "$(dirname "$0")/strangers.py" "$BASE_URL" analyst@example.org "${1:-500}" ||
  fail "known and unknown addresses can be told apart"
passed "Nobody can tell from answers or times which address has an account."
