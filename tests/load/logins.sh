#!/usr/bin/env bash
# Four hundred connections that guess passwords, each from a network of its own, and people who log in meanwhile from
# networks that they have logged in from before. All of them must be logged in, each within two seconds.
#   tests/load/logins.sh [SECONDS [CONNECTIONS]]      10 seconds and 400 connections by default
# LIMIT_SECONDS allows more than two seconds, for a machine with other work.
# For LIFE_ROOMS and the rest see ../curl/lib.sh. Everything stays on this machine.
set -euo pipefail
# shellcheck source=tests/curl/lib.sh
. "$(dirname "$0")/../curl/lib.sh"

# The guessers come through a proxy on this machine, so that each can have an address of its own.
export LIFE_ROOMS_TRUSTED_PROXIES=127.0.0.1
for number in 1 2 3 4; do
  printf '%s\n' "$password" |
    "$LIFE_ROOMS" user create --email "person$number@example.org" --role advisor --display-name Dana \
      --password-stdin >/dev/null
done
start_server
PASSWORD=$password python3 "$(dirname "$0")/logins.py" "$BASE_URL" "${1:-10}" "${2:-400}" ||
  fail "somebody who knows their password could not log in in time"
passed "People who log in from their own networks are served within two seconds, whoever guesses."
