#!/usr/bin/env bash
# Measures one session by id, a page of 50 and a booking on SQLite and PostgreSQL beside the ceiling (ceiling.rs), in one
# run on one machine, and prints a table. Builds what it measures; needs wrk, curl, jq and PostgreSQL's server programs.
#
#   bench/run.sh            DURATION=5 ROUNDS=3 CONNECTIONS=32 by default
#   POSTGRES_URL=…          an empty database on a running server, instead of a throwaway cluster
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DURATION:=5}" "${ROUNDS:=3}" "${CONNECTIONS:=32}"
for tool in wrk curl jq; do
  command -v "$tool" >/dev/null || { echo "bench/run.sh needs $tool: apt-get install $tool" >&2; exit 1; }
done
work=$(mktemp -d)
chmod 755 "$work"
servers=()
cluster=''
if [ "$(id -u)" = 0 ]; then as_postgres() { runuser -u postgres -- "$@"; }; else as_postgres() { "$@"; }; fi
clean() {
  local pid
  for pid in ${servers[@]+"${servers[@]}"}; do kill "$pid" 2>/dev/null || true; done
  wait
  [ -z "$cluster" ] || as_postgres "$programs/pg_ctl" -D "$cluster/data" -m fast stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT
say() { echo "$@" >&2; }

cargo build --locked --release --bin life-rooms --example ceiling >&2
life_rooms=$PWD/target/release/life-rooms

# start NAME COMMAND…: starts a server; its address is in $work/NAME.url.
start() {
  local name=$1; shift
  "$@" >"$work/$name.log" 2>&1 &
  servers+=($!)
  echo $! >"$work/$name.pid"
  for _ in $(seq 1 300); do
    sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/$name.log" | head -n 1 >"$work/$name.url"
    [ ! -s "$work/$name.url" ] || return 0
    sleep 0.1
  done
  say "$name did not start: $(cat "$work/$name.log")"
  exit 1
}

# A cluster that keeps its promises (fsync on), else its bookings could not be compared.
start_cluster() {
  for programs in /usr/lib/postgresql/*/bin; do :; done
  cluster=$work/cluster
  if [ "$(id -u)" = 0 ]; then install -d -o postgres "$cluster"; else mkdir "$cluster"; fi
  as_postgres "$programs/initdb" -D "$cluster/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
  port=$((RANDOM % 20000 + 20000))
  as_postgres "$programs/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null
  POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
}

# Logging each request would be measured too; the ready line comes from elsewhere.
export RUST_LOG=warn,life_rooms::cli=info LIFE_ROOMS_BIND=127.0.0.1:0 LIFE_ROOMS_LOG_FORMAT=text
password='a password for the benchmark'
post() { curl -sS -f "$url$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d @-; }
log_in() { jq -nc --arg p "$password" "{email: \"$1@example.org\", password: \$p}" | token='' post /v1/auth/login | jq -r .access_token; }

# fill NAME: The Reader's year, 600 weekly series of 52 sessions in one roster, and eight members; leaves their ids.
fill() {
  local name=$1 role partner next
  url=$(cat "$work/$name.url")
  for role in admin advisor; do
    printf '%s\n' "$password" | "$life_rooms" user create --email "$role@example.org" --role "$role" --display-name Dana \
      --password-stdin >/dev/null
  done
  token=$(log_in admin)
  echo '{"slug": "library", "name": "Library", "kind": "library", "local_authority": "Liverpool",
    "address": {"town": "Liverpool", "postcode": "L3 8EW"}, "latitude": 53.41, "longitude": -2.98}' | post /v1/venues >/dev/null
  partner=$(echo '{"slug": "the-reader", "name": "The Reader", "kind": "charity"}' | post /v1/partners | jq -r .id)
  echo '{"slug": "shared-reading", "name": "Shared Reading"}' | post "/v1/partners/$partner/programmes" >/dev/null
  jq -nc '{entries: [range(600) | {external_id: "reader-\(.)", title: "Shared Reading, group \(.)", programme: "shared-reading",
      description: "Stories and poems, read aloud together. No need to read, or to say anything. Tea and biscuits.",
      pillar: "community", delivery: "in_person", venue: "library", time_zone: "Europe/London", duration_minutes: 90, capacity: 12,
      local_start: "2037-01-0\(. % 7 + 1)T\(. % 10 + 10):00:00", recurrence: "FREQ=WEEKLY;COUNT=52"}]}' >"$work/roster.json"
  post "/v1/partners/$partner/rosters" <"$work/roster.json" | jq -e '.sessions.created == 31200' >/dev/null
  token=$(log_in advisor)
  for _ in 1 2 3 4 5 6 7 8; do
    jq -nc --arg name "M$RANDOM$RANDOM" '{given_name: $name, family_name: $name, roles: ["public"]}' | post /v1/members | jq -r .id
  done >"$work/$name.members"
  next='/v1/sessions?from=2037-01-01&to=2038-12-31&limit=100'
  while [ "$next" != null ]; do
    curl -sS -f "$url$next" >"$work/page"
    jq -r '.items[].id' "$work/page" >>"$work/$name.sessions"
    next=$(jq -r .next "$work/page")
  done
}

# load NAME WHAT: requests a second.
load() {
  local name=$1 what=$2 base first
  base=$(cat "$work/$name.url")
  case $what in
    one) set -- "$base/v1/sessions/$(sed -n 15600p "$work/sqlite.sessions")"
      [ "$name" = ceiling ] || set -- "$base/v1/sessions/$(sed -n 15600p "$work/$name.sessions")" ;;
    page) set -- "$base/v1/sessions?from=2037-06-01&to=2037-06-30&pillar=community&limit=50" ;;
    booking)
      token=none
      first=0
      if [ "$name" != ceiling ]; then
        url=$base
        token=$(log_in advisor)
        first=$(cat "$work/$name.booked" 2>/dev/null || echo 0)
      fi
      set -- -s bench/booking.lua "$base" -- "$token" "$first" "$work/${name/ceiling/sqlite}.sessions" "$work/${name/ceiling/sqlite}.members" ;;
  esac
  wrk -t1 "-c$CONNECTIONS" "-d${DURATION}s" --latency "$@" >"$work/wrk"
  if grep -q 'Non-2xx\|Socket errors' "$work/wrk"; then say "$name $what: $(cat "$work/wrk")"; exit 1; fi
  # The next run of bookings begins after the last pair of this one, and those that were still on their way.
  [ "$what" != booking ] || [ "$name" = ceiling ] ||
    echo $((first + $(awk '/requests in/ {print $1}' "$work/wrk") + CONNECTIONS * 2)) >"$work/$name.booked"
  awk '/^Requests\/sec/ {print int($2)}' "$work/wrk" >>"$work/$name.$what"
  say "  $name $what: $(tail -n 1 "$work/$name.$what") a second, p99 $(awk '$1 == "99%" {print $2}' "$work/wrk")"
}

median() { sort -n "$work/$1.$2" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
rss() { awk '/^VmRSS/ {printf "%d MiB", $2 / 1024}' "/proc/$(cat "$work/$1.pid")/status"; }

[ -n "${POSTGRES_URL:-}" ] || start_cluster
# One machine sends everything.
export LIFE_ROOMS_CALLER_LIMIT=0 LIFE_ROOMS_NETWORK_LIMIT=0
for name in sqlite postgres; do
  say "Filling $name"
  if [ $name = sqlite ]; then export DATABASE_URL=sqlite://$work/bench.db; else export DATABASE_URL=$POSTGRES_URL; fi
  export LIFE_ROOMS_KEY_DIR=$work/$name.keys
  start $name "$life_rooms" serve
  rest+=("$name $(rss $name)")
  fill $name
done
# The ceiling answers what SQLite answers.
url=$(cat "$work/sqlite.url")
curl -sS -f "$url/v1/sessions/$(sed -n 15600p "$work/sqlite.sessions")" >"$work/session.json"
curl -sS -f "$url/v1/sessions?from=2037-06-01&to=2037-06-30&pillar=community&limit=50" >"$work/page.json"
token=$(log_in advisor)
# A pair that no run comes to: the last member on the last session.
jq -nc --arg member_id "$(tail -n 1 "$work/sqlite.members")" '{$member_id}' |
  post "/v1/sessions/$(tail -n 1 "$work/sqlite.sessions")/bookings" >"$work/booking.json"
start ceiling target/release/examples/ceiling "$work/session.json" "$work/page.json" "$work/booking.json"

for round in $(seq 1 "$ROUNDS"); do
  say "Round $round of $ROUNDS"
  for what in one page booking; do
    for name in ceiling sqlite postgres; do load $name $what; done
  done
done

echo "| requests a second | ceiling | SQLite | PostgreSQL |"
echo "| --- | --- | --- | --- |"
for line in 'one session by id/one' 'page of 50 sessions/page' 'a booking, durable/booking'; do
  what=${line#*/} title=${line%/*}
  row="| $title"
  for name in ceiling sqlite postgres; do
    row+=" | $(median $name "$what")"
    [ $name = ceiling ] || row+=" ($(awk -v a="$(median $name "$what")" -v b="$(median ceiling "$what")" 'BEGIN {printf "%.2f", a / b}'))"
  done
  echo "$row |"
done
echo
echo "Medians of $ROUNDS runs of $DURATION s with $CONNECTIONS connections on $(nproc) cores shared with wrk; in brackets the part of the ceiling."
echo "Memory at rest: ${rest[*]}; after the load: sqlite $(rss sqlite), postgres $(rss postgres)."
echo "Size of the binary: $(du -m "$life_rooms" | cut -f1) MiB."
