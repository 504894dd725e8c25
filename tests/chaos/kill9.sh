#!/usr/bin/env bash
# kill -9 under a load of writes: every acknowledged write is there afterwards, and none is there twice, not even the
# unacknowledged ones that are sent again with the same Idempotency-Key.
#   tests/chaos/kill9.sh [ROUNDS]      20 rounds by default; settings as in ../curl/lib.sh
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../curl/lib.sh"
rounds=${1:-20}
writers=4

# The address changes with each start: BASE_URL is ours, whatever the environment says.
unset BASE_URL
start_server
for role in admin advisor; do make_account "$role"; done
log_in admin
send POST /v1/venues '{"slug": "home", "name": "Home", "kind": "library", "local_authority": "Liverpool"}'
expect 201
venue=$(field .id)
log_in advisor
members=()
for i in $(seq 1 40); do
  send POST '/v1/members?confirm_not_duplicate=true' "{\"given_name\": \"M$i\", \"family_name\": \"F$i\", \"roles\": [\"public\"]}"
  expect 201
  members+=("$(field .id)")
done

# post TOKEN KEY PATH JSON: the status; the answer is in $work/answer.KEY.
post() {
  curl -s --max-time 20 -o "$work/answer.$2" -w '%{http_code}' -H "Authorization: Bearer $1" -H "Idempotency-Key: $2" \
    -H 'Content-Type: application/json' -d "$4" "$BASE_URL$3" || true
}

# One writer of a round: venues and bookings in turn until the server is gone. A line of `sent` before each request,
# a line of `acked` after each 201.
writer() {
  local number=$1 turn=0 key path json token status
  while [ ! -e "$work/over" ]; do
    turn=$((turn + 1))
    key=r$round-w$number-t$turn
    if [ $((turn % 2)) = 0 ] && [ $((turn / 2)) -le 10 ]; then
      token=$advisor path=/v1/sessions/$session/bookings
      json="{\"member_id\": \"${members[$((number * 10 + turn / 2 - 1))]}\"}"
    else
      token=$admin path=/v1/venues
      json="{\"slug\": \"$key\", \"name\": \"$key\", \"kind\": \"other\", \"local_authority\": \"Sefton\"}"
    fi
    printf '%s\t%s\t%s\n' "$key" "$path" "$json" >>"$work/sent.$number"
    status=$(post "$token" "$key" "$path" "$json")
    case $status in
      201) printf '%s\t%s\t%s\n' "$key" "$path" "$json" >>"$work/acked.$number" ;;
      000) return 0 ;;
      # Once the server is dead, another one of this machine may have been given its port.
      *) [ -e "$work/killed" ] || echo "$key: $status $(cat "$work/answer.$key")" >>"$work/refused" ;;
    esac
  done
}

# What is there: the slugs of all venues, and who is booked on the round's session.
look() {
  TOKEN=$advisor
  pages '/v1/venues?limit=100&local_authority=Sefton'
  jq -r '.[].slug' <<<"$BODY" | sort >"$work/slugs"
  pages "/v1/sessions/$session/bookings?limit=100"
  jq -r '.[].member_id' <<<"$BODY" | sort >"$work/booked"
  get "/v1/sessions/$session"
  [ "$(field .seats_taken)" = "$(wc -l <"$work/booked" | tr -d ' ')" ] ||
    fail "round $round: $(field .seats_taken) seats are taken by $(wc -l <"$work/booked") bookings"
  for file in slugs booked; do
    [ -z "$(uniq -d "$work/$file")" ] || fail "round $round: twice there: $(uniq -d "$work/$file")"
  done
}

# there FILE: everything that this list of requests should have written is there.
there() {
  awk -F'\t' '$2 == "/v1/venues" {print $1}' "$1" | sort | comm -23 - "$work/slugs" >"$work/lost"
  awk -F'\t' '$2 != "/v1/venues" {print $3}' "$1" | jq -r .member_id | sort | comm -23 - "$work/booked" >>"$work/lost"
  [ ! -s "$work/lost" ] || fail "round $round: $2: $(tr '\n' ' ' <"$work/lost")"
}

total=0
for round in $(seq 1 "$rounds"); do
  log_in admin
  admin=$TOKEN
  log_in advisor
  advisor=$TOKEN
  send POST /v1/sessions "{\"title\": \"Round $round\", \"pillar\": \"community\", \"delivery\": \"in_person\",
    \"venue_id\": \"$venue\", \"local_start\": \"2037-01-05T13:00:00\", \"time_zone\": \"Europe/London\", \"duration_minutes\": 60}"
  expect 201
  session=$(field .id)
  rm -f "$work"/answer.* "$work"/sent.* "$work"/acked.* "$work/over" "$work/killed" "$work/refused"
  pids=()
  for number in $(seq 0 $((writers - 1))); do
    : >"$work/acked.$number"
    writer "$number" &
    pids+=($!)
  done
  # Somewhere between 0.3 s and 1.3 s into the load.
  sleep "$(printf '%d.%03d' $(((pause = RANDOM % 1000 + 300) / 1000)) $((pause % 1000)))"
  touch "$work/killed"
  kill -9 "$server"
  wait "$server" 2>/dev/null || true
  server=''
  touch "$work/over"
  wait "${pids[@]}"
  [ ! -e "$work/refused" ] || fail "round $round: refused: $(tr '\n' ' ' <"$work/refused")"
  unset BASE_URL
  start_server
  # Wherever the sealing was cut off: no event is lost, and none was added by anybody else.
  "$LIFE_ROOMS" audit verify >"$work/audit" 2>&1 || fail "round $round: $(cat "$work/audit")"
  look
  cat "$work"/acked.* >"$work/acked"
  there "$work/acked" "acknowledged and lost"
  # What was sent last by each writer may or may not be there: with its key it can be sent again.
  for number in $(seq 0 $((writers - 1))); do
    IFS=$'\t' read -r key path json < <(tail -n 1 "$work/sent.$number")
    if [ "$path" = /v1/venues ]; then token=$admin; else token=$advisor; fi
    status=$(post "$token" "$key" "$path" "$json")
    [ "$status" = 201 ] || fail "round $round: sent again with its key, $key got $status: $(cat "$work/answer.$key")"
  done
  look
  cat "$work"/sent.* >"$work/sent"
  there "$work/sent" "sent again and not there"
  total=$((total + $(wc -l <"$work/acked")))
done
stop_server

# The file itself, with whichever tool is here.
if [[ $DATABASE_URL == sqlite://* ]]; then
  file=${DATABASE_URL#sqlite://}
  checks='PRAGMA integrity_check; PRAGMA foreign_key_check;'
  if command -v sqlite3 >/dev/null; then
    verdict=$(sqlite3 "$file" "$checks")
  else
    verdict=$(python3 -c 'import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
print("\n".join(str(row[0]) for check in sys.argv[2].split(";") for row in c.execute(check)))' "$file" "$checks")
  fi
  [ "$verdict" = ok ] || fail "the integrity check says: $verdict"
fi
passed "kill -9, $rounds times: all of $total acknowledged writes are there, none twice, the file is sound, the audit is whole."
