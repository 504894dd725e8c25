#!/usr/bin/env bash
# Measures The Reader's year, 600 weekly series of 52 sessions, as one roster in each form, and the same 31,200 sessions
# one by one, on SQLite and PostgreSQL: seconds beside the bare inserts of the same rows (bare_inserts.rs), and the
# server's peak memory. Then the year again with other titles, beside the bare updates of the columns that change: seconds,
# and processor seconds of all processes that work on it. Checks what came of each, and that one bad row in 31,200 leaves nothing behind or is rejected alone.
# Builds what it measures; needs curl, jq and PostgreSQL's programs.
#
#   bench/roster.sh         ROUNDS=3 DATABASES='sqlite postgres' FORMS='json ndjson csv single-ndjson single-csv' by default
#   POSTGRES_URL=…          a running server (its superuser; databases roster_* are made and dropped), not a throwaway cluster
# shellcheck disable=SC2016
set -euo pipefail
cd "$(dirname "$0")/.."
: "${ROUNDS:=3}" "${DATABASES:=sqlite postgres}" "${FORMS:=json ndjson csv single-ndjson single-csv}"
for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "bench/roster.sh needs $tool: apt-get install $tool" >&2; exit 1; }
done
work=$(mktemp -d)
chmod 755 "$work"
server='' cluster='' programs=''
if [ "$(id -u)" = 0 ]; then as_postgres() { runuser -u postgres -- "$@"; }; else as_postgres() { "$@"; }; fi
clean() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
  [ -z "$cluster" ] || as_postgres "$programs/pg_ctl" -D "$cluster/data" -m fast stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT
say() { echo "$@" >&2; }
fail() { say "FAILED: $*"; exit 1; }

cargo build --locked --release --bin life-rooms --example bare_inserts >&2
life_rooms=$PWD/target/release/life-rooms
bare=$PWD/target/release/examples/bare_inserts

# A cluster that keeps its promises (fsync on), as in run.sh.
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

export RUST_LOG=warn,life_rooms::cli=info LIFE_ROOMS_BIND=127.0.0.1:0 LIFE_ROOMS_LOG_FORMAT=text
password='a password for the benchmark'

# begin DATABASE: a server on a fresh database, with a venue, a partner and its programme. Sets url, token, rosters.
begin() {
  local partner
  rm -rf "$work/keys"
  export LIFE_ROOMS_KEY_DIR=$work/keys
  if [ "$1" = sqlite ]; then
    rm -f "$work"/bench.db*
    export DATABASE_URL=sqlite://$work/bench.db
  else
    psql -q "$POSTGRES_URL" -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS roster_bench WITH (FORCE)' -c 'CREATE DATABASE roster_bench'
    export DATABASE_URL=${POSTGRES_URL%/*}/roster_bench
  fi
  # Emptied here: the next server may come to it only after it has been read for the first time.
  : >"$work/log"
  LIFE_ROOMS_CALLER_LIMIT=0 LIFE_ROOMS_NETWORK_LIMIT=0 "$life_rooms" serve >>"$work/log" 2>&1 &
  server=$!
  url=''
  for _ in $(seq 1 300); do
    url=$(sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/log" | head -n 1)
    [ -z "$url" ] || break
    sleep 0.1
  done
  [ -n "$url" ] || fail "the server did not start: $(cat "$work/log")"
  printf '%s\n' "$password" | "$life_rooms" user create --email admin@example.org --role admin --password-stdin >/dev/null
  token=$(jq -nc --arg p "$password" '{email: "admin@example.org", password: $p}' | token='' post /v1/auth/login | jq -r .access_token)
  echo '{"slug": "library", "name": "Library", "kind": "library", "local_authority": "Liverpool"}' | post /v1/venues >/dev/null
  partner=$(echo '{"slug": "the-reader", "name": "The Reader", "kind": "charity"}' | post /v1/partners | jq -r .id)
  echo '{"slug": "shared-reading", "name": "Shared Reading"}' | post "/v1/partners/$partner/programmes" >/dev/null
  rosters=/v1/partners/$partner/rosters
}
end() { kill "$server"; wait "$server" 2>/dev/null || true; server=''; }
post() { curl -sS -f "$url$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d @-; }

# roster FILE QUERY [curl arguments]: posts a file; the answer is in $work/answer. Prints the status and the seconds.
roster() {
  local file=$1 query=$2 type; shift 2
  case $file in *.json) type=application/json ;; *.ndjson) type=application/x-ndjson ;; *) type=text/csv ;; esac
  curl -sS -o "$work/answer" -D "$work/headers" -w '%{http_code} %{time_total}\n' "$url$rosters$query" \
    -H "Authorization: Bearer $token" -H "Content-Type: $type" -H 'Expect:' --data-binary "@$file" "$@"
}
holds() { jq -e "$2" "$work/answer" >/dev/null || fail "$1: $(head -c 1500 "$work/answer")"; }
# Processor seconds so far of the server, and of PostgreSQL where it is a throwaway cluster.
processor() {
  local of=("$server")
  [ "$1" = sqlite ] || [ -z "$cluster" ] || read -r -a of < <(echo "$server" "$(head -n 1 "$cluster/data/postmaster.pid")" "$(pgrep -P "$(head -n 1 "$cluster/data/postmaster.pid")" | tr '\n' ' ')")
  for pid in "${of[@]}"; do [ -z "$pid" ] || cat "/proc/$pid/stat" 2>/dev/null || true; done |
    awk -v hertz="$(getconf CLK_TCK)" '{sub(/^.*\) /, ""); all += $12 + $13 + $14 + $15} END {printf "%.2f\n", all / hertz}'
}
peak() { awk '/^VmHWM/ {print int($2 / 1024)}' "/proc/$server/status"; }

# The year in every form.
jq -nc 'range(600) | {external_id: "reader-\(.)", title: "Shared Reading, group \(.)", programme: "shared-reading",
  description: "Stories and poems, read aloud together. No need to read, or to say anything. Tea and biscuits.",
  pillar: "community", delivery: "in_person", venue: "library", time_zone: "Europe/London", duration_minutes: 90, capacity: 12,
  local_start: "2037-01-0\(. % 7 + 1)T\(. % 10 + 10):00:00", recurrence: "FREQ=WEEKLY;COUNT=52"}' >"$work/ndjson.ndjson"
sed 's/Shared Reading, group/Poems aloud, table/' "$work/ndjson.ndjson" >"$work/titles.ndjson"
jq -nc --arg first 2037-01-01T10:00:00Z '($first | fromdate) as $first | range(600) as $group | range(52) as $week
  | {external_id: "reader-\($group)-\($week)", title: "Shared Reading, group \($group)", programme: "shared-reading",
  description: "Stories and poems, read aloud together. No need to read, or to say anything. Tea and biscuits.",
  pillar: "community", delivery: "in_person", venue: "library", time_zone: "Europe/London", duration_minutes: 90, capacity: 12,
  local_start: ($first + 604800 * $week + 86400 * ($group % 7) + 3600 * ($group % 10) | todate | rtrimstr("Z"))}' >"$work/single-ndjson.ndjson"
jq -sc '{entries: .}' "$work/ndjson.ndjson" >"$work/json.json"
for name in ndjson single-ndjson; do
  jq -sr '(.[0] | keys_unsorted) as $names | $names, (.[] | [.[$names[]]]) | @csv' "$work/$name.ndjson" >"$work/${name/ndjson/csv}.csv"
done
sed '17321s/"library"/"nowhere"/' "$work/single-csv.csv" >"$work/bad.csv"
! cmp -s "$work/bad.csv" "$work/single-csv.csv" || fail 'no row was made bad'

# measure DATABASE FORM: one round; a line of seconds, seconds again, bare seconds, peak MiB.
measure() {
  local file status seconds again memory bare_seconds entries=600
  case $2 in single-*) entries=31200 ;; esac
  file=$(ls "$work/$2".*)
  begin "$1"
  read -r status seconds < <(roster "$file" '')
  [ "$status" = 201 ] || fail "$1 $2: $status $(head -c 1500 "$work/answer")"
  holds "$1 $2" ".counts.created == $entries and .sessions.created == 31200 and .skipped == []"
  memory=$(peak)
  read -r status again < <(roster "$file" '')
  holds "$1 $2 again" ".counts.unchanged == $entries and .sessions == {created: 0, updated: 0, cancelled: 0}"
  memory="$memory $(peak)"
  end
  read -r bare_seconds _ < <(MALLOC_TRIM_THRESHOLD_=100000000 "$bare" "$DATABASE_URL")
  echo "$seconds $again $bare_seconds $memory" >>"$work/$1.$2.figures"
  say "  $1 $2: $seconds s, again $again s, bare $bare_seconds s, peak MiB $memory"
}

# titles DATABASE: the year again with other titles; a line of seconds, bare seconds, processor seconds of both.
titles() {
  local status seconds bare_seconds before used
  begin "$1"
  read -r status _ < <(roster "$work/ndjson.ndjson" '')
  [ "$status" = 201 ] || fail "$1: $status $(head -c 1500 "$work/answer")"
  before=$(processor "$1")
  read -r status seconds < <(roster "$work/titles.ndjson" '')
  used=$(awk -v a="$before" -v b="$(processor "$1")" 'BEGIN {print b - a}')
  holds "$1 titles" '.counts.updated == 600 and .sessions == {created: 0, updated: 31200, cancelled: 0} and .skipped == []'
  end
  # What this shell has waited for counts as its own.
  before=$(server=$$; processor "$1")
  MALLOC_TRIM_THRESHOLD_=100000000 "$bare" "$DATABASE_URL" titles >"$work/bare"
  used="$used $(awk -v a="$before" -v b="$(server=$$; processor "$1")" 'BEGIN {print b - a}')"
  bare_seconds=$(cat "$work/bare")
  echo "$seconds $bare_seconds $used" >>"$work/$1.titles.figures"
  say "  $1, other titles: $seconds s, bare $bare_seconds s, processor $used s"
}

# One bad row in 31,200; then the whole as a job; then all but one row missing.
check() {
  local status job
  begin "$1"
  read -r status _ < <(roster "$work/bad.csv" '')
  [ "$status" = 422 ] || fail "$1: a bad row is answered $status"
  holds "$1: one bad row" '.type == "/problems/roster-refused" and (.errors | length) == 1 and .errors[0].pointer == "/entries/17319/venue"'
  curl -sS -f "$url/v1/sessions?from=2030-01-01&limit=1" >"$work/answer"
  holds "$1: an atomic roster leaves nothing behind" '.items == []'
  read -r status _ < <(roster "$work/bad.csv" '?mode=partial')
  holds "$1: a partial one rejects one row" '.counts.created == 31199 and .counts.rejected == 1 and .entries[17319].line == 17321'
  read -r status _ < <(roster "$work/single-csv.csv" '' -H 'Prefer: respond-async')
  [ "$status" = 202 ] || fail "$1: respond-async is answered $status"
  job=$(tr -d '\r' <"$work/headers" | sed -n 's/^location: //Ip')
  for _ in $(seq 1 600); do
    curl -sS -f "$url$job" -H "Authorization: Bearer $token" >"$work/answer"
    ! jq -e .ended_at "$work/answer" >/dev/null || break
    sleep 0.1
  done
  holds "$1: the job" '.status == "succeeded" and .result.counts.created == 1 and .result.counts.unchanged == 31199'
  head -n 2 "$work/single-csv.csv" >"$work/one.csv"
  read -r status _ < <(roster "$work/one.csv" '?missing=cancel&confirm=cancel')
  holds "$1: what is missing is cancelled" '.counts == {created: 0, updated: 0, unchanged: 1, cancelled: 31199, rejected: 0} and .sessions.cancelled == 31199'
  say "  $1: one bad row, a job, missing=cancel: as they should be; peak $(peak) MiB"
  end
}

median() { awk -v c="$2" '{print $c}' "$work/$1.figures" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

case " $DATABASES " in *' postgres '*) [ -n "${POSTGRES_URL:-}" ] || start_cluster; [ -z "$programs" ] || PATH=$programs:$PATH ;; esac
for database in $DATABASES; do
  check "$database"
  for round in $(seq 1 "$ROUNDS"); do
    say "Round $round of $ROUNDS"
    for form in $FORMS; do measure "$database" "$form"; done
    titles "$database"
  done
done

echo '| 31,200 sessions in one request | seconds | bare inserts | ratio | the same again | peak MiB | peak MiB, again |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
for database in $DATABASES; do
  for form in $FORMS; do
    f=$database.$form
    echo "| $database, $form | $(median "$f" 1) | $(median "$f" 3) | $(awk -v a="$(median "$f" 1)" -v b="$(median "$f" 3)" 'BEGIN {printf "%.2f", a / b}') | $(median "$f" 2) | $(median "$f" 4) | $(median "$f" 5) |"
  done
done
echo
echo '| the same 31,200 with other titles | seconds | bare updates | ratio | processor seconds | of the bare updates | ratio |'
echo '| --- | --- | --- | --- | --- | --- | --- |'
for database in $DATABASES; do
  f=$database.titles
  echo "| $database | $(median "$f" 1) | $(median "$f" 2) | $(awk -v a="$(median "$f" 1)" -v b="$(median "$f" 2)" 'BEGIN {printf "%.2f", a / b}') | $(median "$f" 3) | $(median "$f" 4) | $(awk -v a="$(median "$f" 3)" -v b="$(median "$f" 4)" 'BEGIN {printf "%.2f", a / b}') |"
done
echo
echo "Medians of $ROUNDS on $(nproc) cores. json, ndjson and csv: 600 weekly series; single-*: a row for each session. $(du -m "$work/single-ndjson.ndjson" | cut -f1) MiB is the largest body."
