#!/usr/bin/env bash
# Measures pages of what's on, by sessions and by series, and the choices of menus at several numbers of sessions, on SQLite and PostgreSQL, and prints a table of medians.
# On PostgreSQL it also reads the plans that were used, and fails where one goes through the whole table.
#
#   bench/whatson.sh                 SIZES="31200 312000 3120000" REPEATS=21 by default
#   LIFE_ROOMS=target/debug/life-rooms SIZES=31200 DATABASES=sqlite bench/whatson.sh      a small try
# Needs curl, jq, sqlite3 (3.38 or later) and PostgreSQL's server programs.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SIZES:=31200 312000 3120000}" "${REPEATS:=21}" "${DATABASES:=sqlite postgres}"
for tool in curl jq sqlite3; do
  command -v "$tool" >/dev/null || { echo "bench/whatson.sh needs $tool: apt-get install $tool" >&2; exit 1; }
done
work=$(mktemp -d)
chmod 755 "$work"
server='' cluster=''
if [ "$(id -u)" = 0 ]; then as_postgres() { runuser -u postgres -- "$@"; }; else as_postgres() { "$@"; }; fi
stop_server() { [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=''; }; }
clean() {
  stop_server
  [ -z "$cluster" ] || as_postgres "$programs/pg_ctl" -D "$cluster/data" -m fast stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT
say() { echo "$@" >&2; }

if [ -z "${LIFE_ROOMS:-}" ]; then
  cargo build --locked --release --bin life-rooms >&2
  LIFE_ROOMS=target/release/life-rooms
fi

start_server() {
  LIFE_ROOMS_CALLER_LIMIT=0 LIFE_ROOMS_NETWORK_LIMIT=0 "$LIFE_ROOMS" serve >"$work/log" 2>&1 &
  server=$!
  for _ in $(seq 1 300); do
    url=$(sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/log" | head -n 1)
    [ -z "$url" ] || return 0
    sleep 0.1
  done
  say "The server did not start: $(cat "$work/log")"
  exit 1
}

# No fsync: nothing is measured here that writes.
start_cluster() {
  for programs in /usr/lib/postgresql/*/bin; do :; done
  cluster=$work/cluster
  if [ "$(id -u)" = 0 ]; then install -d -o postgres "$cluster"; else mkdir "$cluster"; fi
  as_postgres "$programs/initdb" -D "$cluster/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 >/dev/null
  port=$((RANDOM % 20000 + 20000))
  as_postgres "$programs/pg_ctl" -D "$cluster/data" -l "$cluster/log" -w -o "-p $port -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories='' -c fsync=off -c shared_buffers=512MB -c max_wal_size=4GB \
    -c session_preload_libraries=auto_explain" start >/dev/null
  POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
}
sql() { "$programs/psql" -X -q -v ON_ERROR_STOP=1 -d "$POSTGRES_URL" "$@"; }

export RUST_LOG=warn,life_rooms::cli=info LIFE_ROOMS_BIND=127.0.0.1:0 LIFE_ROOMS_LOG_FORMAT=text
password='a password for the benchmark'
post() { curl -sS -f "$url$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d @-; }

# 120 venues in six authorities, and 600 weekly series of 52 sessions. One series is about origami, another about quilling;
# carols are sung in twelve that begin in December. From February to June everything but the quilling is fully booked.
fill() {
  printf '%s\n' "$password" | "$LIFE_ROOMS" user create --email admin@example.org --role admin --password-stdin >/dev/null
  token=$(jq -nc --arg p "$password" '{email: "admin@example.org", password: $p}' | token='' post /v1/auth/login | jq -r .access_token)
  jq -nc 'range(120) | {slug: "venue-\(.)", name: "Venue \(.)", kind: "library",
      local_authority: (if . < 3 then "Halton" else ["Liverpool", "Liverpool", "Sefton", "Wirral", "Knowsley"][. % 5] end),
      latitude: (53.3 + (. * 37 % 120) / 400), longitude: (-3.1 + (. * 53 % 120) / 400),
      accessibility: (if . % 10 == 0 then ["hearing_loop"] else ["step_free"] end)}' |
    while read -r venue; do post /v1/venues <<<"$venue" >/dev/null; done
  partner=$(echo '{"slug": "the-reader", "name": "The Reader", "kind": "charity"}' | post /v1/partners | jq -r .id)
  jq -nc '{entries: [range(600) | {external_id: "reader-\(.)", venue: "venue-\(. % 120)", time_zone: "Europe/London",
      title: (if . == 17 then "Origami" elif . == 18 then "Quilling" elif . % 50 == 1 then "Carols, group \(.)" else "\(["Shared Reading", "Yoga", "A walk", "Choir"][. % 4]), group \(.)" end),
      description: "Stories and poems, read aloud together. No need to read, or to say anything. Tea and biscuits.",
      pillar: (if . % 50 == 0 then "learning" else "community" end), topics: [["reading", "movement"][. % 2]],
      delivery: "in_person", duration_minutes: 90, capacity: 12,
      local_start: "2037-\(if . % 50 == 1 then 12 else "01" end)-0\(. % 7 + 1)T\(. * 7 % 10 + 10):00:00", recurrence: "FREQ=WEEKLY;COUNT=52"}]}' >"$work/roster.json"
  post "/v1/partners/$partner/rosters" <"$work/roster.json" | jq -e '.sessions.created == 31200' >/dev/null
  local full="UPDATE sessions SET seats_taken = capacity WHERE substr(local_start, 1, 7) BETWEEN '2037-02' AND '2037-06'
    AND wording_id NOT IN (SELECT id FROM wordings WHERE title = 'Quilling')"
  if [ "$1" = sqlite ]; then sqlite3 "$work/bench.db" "PRAGMA busy_timeout = 60000; $full" >/dev/null; else sql -c "$full"; fi
  copies=0
}

columns='occurrence, partner_id, venue_id, space_id, slot, delivery, join_link, booking_policy, capacity, online_capacity, seats_taken,
  online_seats_taken, waitlist_length, local_start, time_zone, duration_minutes, starts_on, publication, status,
  cancellation_reason, edited, version, created_at, updated_at'
said='title, description, topics, facilitator, accessibility, pillar, programme_id, particulars'
series_columns='partner_id, programme_id, venue_id, space_id, title, description, pillar, topics, delivery, join_link, facilitator,
  accessibility, booking_policy, capacity, online_capacity, local_start, time_zone, duration_minutes, recurrence, excluded,
  additional, publication, status, ending, left_out, particulars, version, created_at, updated_at'
originals="(SELECT id FROM session_series WHERE external_id LIKE 'reader-%' AND title <> 'Quilling')"
first="(SELECT wording_id FROM sessions WHERE series_id IN $originals)"

# grow SIZE: copies of the first year, each with series and wordings of its own and some minutes later; all but the quilling.
grow() {
  local wanted=$(($1 / 31200 - 1)) name=$2
  say "Growing $name to $1 sessions"
  if [ "$name" = sqlite ]; then
    { echo 'PRAGMA synchronous = OFF; PRAGMA busy_timeout = 60000; PRAGMA cache_size = -4000000; PRAGMA wal_autocheckpoint = 100000;'
      copy_on_sqlite "$wanted"; } | sqlite3 "$work/bench.db" >/dev/null
    copies=$wanted
  else
    copy_on_postgres "$wanted"
    sql -c 'VACUUM ANALYZE'
  fi
}

copy_listings() {
  echo "INSERT INTO wordings (id, $said) SELECT ${other//%s/id}, $said FROM wordings WHERE id IN $first;
    INSERT INTO listings (wording_id, slot, partner_id, bytes) SELECT ${other//%s/wording_id}, slot, partner_id, bytes FROM listings WHERE wording_id IN $first;
    INSERT INTO listing_words SELECT ${other//%s/wording_id}, slot, word FROM listing_words WHERE wording_id IN $first;
    INSERT INTO series_listings (wording_id, slot, published, series_id)
      SELECT ${other//%s/wording_id}, slot, published, ${other//%s/series_id} FROM series_listings WHERE series_id IN $originals;
    INSERT INTO session_series (id, $series_columns) SELECT ${other//%s/id}, $series_columns FROM session_series WHERE id IN $originals;"
}

copy_on_sqlite() {
  local other late
  while [ "$copies" -lt "$1" ]; do
    copies=$((copies + 1))
    other="CAST(substr(hex(%s), 1, 14) || printf('%02d', $copies) AS BLOB)" late=$((copies * 420000000))
    echo "BEGIN;
      $(copy_listings)
      INSERT INTO sessions (id, series_id, wording_id, starts_at, ends_at, $columns)
        SELECT randomblob(16), ${other//%s/series_id}, ${other//%s/wording_id}, starts_at + $late, ends_at + $late, $columns
        FROM sessions WHERE series_id IN $originals;
      COMMIT;"
  done
}

copy_on_postgres() {
  local other late
  while [ "$copies" -lt "$1" ]; do
    copies=$((copies + 1))
    other="md5(%s::text || $copies)::uuid" late="interval '$((copies * 7)) minutes'"
    sql -c "$(copy_listings)" -c "INSERT INTO sessions (id, series_id, wording_id, starts_at, ends_at, $columns)
        SELECT gen_random_uuid(), ${other//%s/series_id}, ${other//%s/wording_id}, starts_at + $late, ends_at + $late, $columns
        FROM sessions WHERE series_id IN $originals"
  done
}

near='near=53.45,-2.95'
searches() {
  local venue partner full='from=2037-02-01&has_space=true'
  partner=$(curl -sS -f "$url/v1/partners?limit=1" | jq -r '.items[0].id')
  venue=$(curl -sS -f "$url/v1/venues?q=venue&limit=1" | jq -r '.items[0].id')
  echo "everything|from=2037-01-01"
  echo "a month, a pillar|from=2037-06-01&to=2037-06-30&pillar=community"
  echo "a rare pillar|from=2037-01-01&pillar=learning"
  echo "a frequent word|from=2037-01-01&q=reading"
  echo "two words|from=2037-01-01&q=shared+poem"
  echo "the beginning of a word|from=2037-01-01&q=orig*"
  echo "a rare word|from=2037-01-01&q=origami"
  echo "a word of one series|from=2037-01-01&q=quilling"
  echo "a word of next December|from=2037-01-01&q=carols"
  echo "no such word|from=2037-01-01&q=nothing"
  echo "a topic on Sundays|from=2037-01-01&topic=movement&weekday=sunday"
  echo "in the evening|from=2037-01-01&starts_after=19:00"
  echo "late at night|from=2037-01-01&starts_after=22:00"
  echo "at one minute|from=2037-01-01&starts_after=10:35&starts_before=10:36"
  echo "with a seat left|from=2037-01-01&has_space=true"
  echo "with a seat left, full for months|$full"
  echo "of a partner, a seat left, full for months|$full&partner_id=$partner"
  echo "in the evening, a seat left, full for months|$full&starts_after=19:00"
  echo "a topic, a seat left, full for months|$full&topic=movement"
  echo "a local authority|from=2037-01-01&local_authority=Halton"
  echo "one venue|from=2037-01-01&venue_id=$venue"
  echo "one venue in the evening|from=2037-01-01&venue_id=$venue&starts_after=19:00"
  echo "a feature|from=2037-01-01&accessibility=hearing_loop"
  echo "within 2 km|from=2037-01-01&$near&within_km=2"
  echo "within 10 km|from=2037-01-01&$near"
  echo "within 10 km on Sundays|from=2037-01-01&$near&weekday=sunday"
  echo "within 10 km, a word|from=2037-01-01&$near&q=origami"
  echo "by distance|from=2037-01-01&$near&within_km=50&sort=distance"
  echo "by distance, in the evening|from=2037-01-01&$near&within_km=50&sort=distance&starts_after=19:00"
  echo "by distance, a topic|from=2037-01-01&$near&within_km=50&sort=distance&topic=movement"
  echo "by distance, a seat left, full for months|$full&$near&within_km=50&sort=distance"
  echo "by distance, a word|from=2037-01-01&$near&within_km=50&sort=distance&q=origami"
  echo "a policy that nothing has|from=2037-01-01&booking_policy=referral_only"
}

# Each search as a path: for a page of sessions, for a page of series (cards), and for the choices of menus.
paths() {
  searches | sed 's/|\(.*\)/|sessions?\1\&limit=50/'
  searches | sed -e 's/^/series: /' -e 's/|\(.*sort=.*\)/|session-series?\1\&limit=50/' -e 's/|\(from.*\)/|session-series?\1\&limit=50\&sort=next/'
  local by='by=topic,pillar,delivery,local_authority,venue,partner,weekday'
  echo "menus|sessions/facets?from=2037-01-01&$by"
  echo "menus, from now on|sessions/facets?$by"
  echo "menus, a frequent word|sessions/facets?from=2037-01-01&$by&q=reading"
  echo "menus, within 10 km, a topic, a seat left|sessions/facets?from=2037-01-01&$by&$near&topic=movement&has_space=true"
}

# The path of a page further on: late PAGES PATH.
late() {
  local next=/v1/$2
  for _ in $(seq "$1"); do
    local after
    after=$(curl -sS -f "$url$next" | jq -r '.next // empty')
    [ -n "$after" ] || break
    next=$after
  done
  echo "${next#/v1/}"
}

# The median in milliseconds, over one connection; the first answers are left out.
measure() {
  curl -sS -f -o /dev/null "$1#[1-3]"
  curl -sS -f -o /dev/null -w '%{time_total}\n' "$1#[1-$REPEATS]" | sort -n |
    awk '{v[NR] = $1} END {printf "%.1f", v[int((NR + 1) / 2)] * 1000}'
}

# What PostgreSQL did for each search, with the values as they were; often enough that it may have settled on a plan.
plans() {
  local from
  sql -c "ALTER SYSTEM SET auto_explain.log_min_duration = 0" -c "SELECT pg_reload_conf()" >/dev/null
  sleep 1
  while IFS='|' read -r title query; do
    from=$(wc -l <"$cluster/log")
    curl -sS -f -o /dev/null "$url/v1/$query#[1-8]"
    tail -n "+$((from + 1))" "$cluster/log" >"$work/plan"
    say "  $title: $(grep -o 'using sessions_[a-z_]*' "$work/plan" | sort -u | tr '\n' ' ')"
    if grep -q 'Seq Scan on sessions' "$work/plan"; then
      say "$title goes through the whole table:"
      cat "$work/plan" >&2
      failed=1
    fi
  done <"$work/searches"
  sql -c "ALTER SYSTEM SET auto_explain.log_min_duration = -1" -c "SELECT pg_reload_conf()" >/dev/null
}

failed=0
for name in $DATABASES; do
  if [ "$name" = sqlite ]; then export DATABASE_URL=sqlite://$work/bench.db; else start_cluster; export DATABASE_URL=$POSTGRES_URL; fi
  export LIFE_ROOMS_KEY_DIR=$work/$name.keys
  start_server
  say "Filling $name"
  fill "$name"
  for size in $SIZES; do
    grow "$size" "$name"
    paths >"$work/searches"
    # Pages in the middle of the list, and the last ones.
    { echo "the eleventh page of a frequent word|$(late 10 'sessions?from=2037-01-01&q=reading&limit=50')"
      echo "series: the third page of a frequent word|$(late 2 'session-series?from=2037-01-01&q=reading&limit=50&sort=next')"
      echo "series: the last page|$(late 1000 'session-series?sort=next&limit=100')"
      echo "series: the last page from January on|$(late 1000 'session-series?from=2037-01-01&sort=next&limit=100')"
    } >>"$work/searches"
    while IFS='|' read -r title query; do
      ms=$(measure "$url/v1/$query")
      say "  $name $size $title: $ms ms"
      echo "$ms" >"$work/$name.$size.$title"
    done <"$work/searches"
    [ "$name" = sqlite ] || plans
  done
  stop_server
done
printf '| milliseconds a page of 50 |'
for name in $DATABASES; do for size in $SIZES; do printf ' %s, %s |' "$name" "$size"; done; done
printf '\n| --- |'
for name in $DATABASES; do for size in $SIZES; do printf ' --- |'; done; done
echo
while IFS='|' read -r title _; do
  printf '| %s |' "$title"
  for name in $DATABASES; do for size in $SIZES; do printf ' %s |' "$(cat "$work/$name.$size.$title")"; done; done
  echo
done <"$work/searches"
exit "$failed"
