#!/usr/bin/env bash
# What one caller could cost everybody else: sends each load of a table to the server, with three probes beside it (a
# public list, an advisor's audited read and a booking, ten times a second each), and prints the table.
#
#   tests/load/run.sh                      every load, 20 seconds each, on SQLite
#   tests/load/run.sh 4 6                  two of them
#   tests/load/run.sh --before OLD_BINARY  the same to an older binary, for two lines a load
#   tests/load/run.sh --short              some seconds each; fails if others wait or the server grows. Without load 13
#   DATABASE_URL=postgres://postgres@127.0.0.1/postgres tests/load/run.sh
#
# LIFE_ROOMS is the binary (default: the release build). DATABASE_URL is a PostgreSQL server on which databases can be
# made: each load makes its own and drops it. Without it, the loads run on SQLite files in a temporary folder.
# Load 12, a frozen PostgreSQL, is tests/chaos/frozen.sh; load 13 is also tests/load/logins.sh.
# Needs python3 and, for PostgreSQL, psql. Everything stays on this machine and ends by itself.
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)
export LIFE_ROOMS=${LIFE_ROOMS:-$folder/../../target/release/life-rooms}
[ -x "$LIFE_ROOMS" ] || { echo "There is no binary at $LIFE_ROOMS: build it, or say where it is with LIFE_ROOMS." >&2; exit 1; }
if [ -n "${DATABASE_URL:-}" ]; then
  command -v psql >/dev/null || { echo "This script needs psql: apt-get install postgresql-client" >&2; exit 1; }
fi
exec python3 -B "$folder/run.py" "$@"
