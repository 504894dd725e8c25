#!/usr/bin/env bash
# PostgreSQL frozen and stopped: every request is answered 503 within 3 s, and all is well 2 s after it is back.
# Starts a cluster of its own. Needs PostgreSQL's server programs.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../curl/lib.sh"
for programs in /usr/lib/postgresql/*/bin; do :; done
[ -x "$programs/initdb" ] || fail "this script needs PostgreSQL's server programs: apt-get install postgresql"
if [ "$(id -u)" = 0 ]; then as_postgres() { runuser -u postgres -- "$@"; }; else as_postgres() { "$@"; }; fi
cluster=$(as_postgres mktemp -d)
port=$((RANDOM % 20000 + 20000))
ctl() { as_postgres "$programs/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w "$@" >/dev/null; }
start_cluster() { ctl start -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"; }
# The server of PostgreSQL and its children, by their ids.
signal_cluster() {
  local parent
  parent=$(as_postgres head -n 1 "$cluster/data/postmaster.pid")
  # shellcheck disable=SC2046
  kill "-$1" "$parent" $(ps -o pid= --ppid "$parent")
}
clean() {
  signal_cluster CONT 2>/dev/null || true
  stop_server
  ctl stop -m immediate 2>/dev/null || true
  as_postgres rm -rf "$cluster"
  rm -rf "$work"
}
trap clean EXIT
as_postgres "$programs/initdb" -D "$cluster/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
start_cluster
export DATABASE_URL=postgres://postgres@127.0.0.1:$port/postgres
unset BASE_URL
start_server
make_account admin
log_in admin

venue() { echo "{\"slug\": \"$1\", \"name\": \"$1\", \"kind\": \"other\", \"local_authority\": \"Sefton\"}"; }
# ask NAME CURL'S ARGUMENTS…: the status and the seconds, beside what else is asked.
ask() {
  local name=$1
  shift
  curl -s --max-time 15 -o "$work/$name.body" -w '%{http_code} %{time_total}\n' -H "Authorization: Bearer $TOKEN" "$@" \
    >"$work/$name.answer" &
  pids+=($!)
}
ask_everything() {
  pids=()
  ask read "$BASE_URL/v1/venues"
  ask audited "$BASE_URL/v1/members/00000000-0000-4000-8000-000000000000"
  ask write -H 'Content-Type: application/json' -d "$(venue "$1")" "$BASE_URL/v1/venues"
  ask ready "$BASE_URL/health/ready"
  # More than the pool has connections.
  for number in $(seq 1 40); do ask "crowd-$number" "$BASE_URL/v1/sessions"; done
  wait "${pids[@]}" || true
}
# all STATUS SECONDS: every answer has this status within this time.
all() {
  local wrong
  wrong=$(cat "$work"/*.answer | awk -v status="$1" -v most="$2" '$1 != status || $2 > most' || true)
  [ -z "$wrong" ] || fail "$3: every answer should be $1 within $2 s, and some were: $(sort <<<"$wrong" | uniq | head -n 5)"
}
slowest() { cat "$work"/*.answer | awk '$2 > most {most = $2} END {print most}'; }
is_ready() { [ "$(curl -s --max-time 1 -o /dev/null -w '%{http_code}' "$BASE_URL/health/ready")" = 200 ]; }

signal_cluster STOP
ask_everything while-frozen
all 503 3 'frozen'
at_first=$(slowest)
ask_everything still-frozen
all 503 3 'still frozen'
later=$(slowest)
signal_cluster CONT
within 2 is_ready || fail "the server should be ready 2 s after PostgreSQL goes on"
send POST /v1/venues "$(venue after-the-frost)"
expect 201
passed "PostgreSQL frozen: 503 within $at_first s, later within $later s; ready again within 2 s."

ctl stop -m immediate
ask_everything while-stopped
all 503 3 'stopped'
start_cluster
within 2 is_ready || fail "the server should be ready 2 s after PostgreSQL is back"
get '/v1/venues?limit=100'
holds 'what was acknowledged should be there' '[.items[].slug] | contains(["after-the-frost"])'
passed "PostgreSQL stopped: 503 within $(slowest) s; ready within 2 s after its start."
