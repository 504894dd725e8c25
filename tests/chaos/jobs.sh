#!/usr/bin/env bash
# kill -9 while rosters are applied as jobs: every job that was taken in ends, and what it says was done once.
#   tests/chaos/jobs.sh [ROUNDS]      5 rounds by default; settings as in ../curl/lib.sh
# A job whose server died waits for its lease to run out: a round can take half a minute.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../curl/lib.sh"
rounds=${1:-5}
series=200

# The address changes with each start: BASE_URL is ours, whatever the environment says.
unset BASE_URL
start_server
make_account admin
log_in admin
send POST /v1/venues '{"slug": "home", "name": "Home", "kind": "library", "local_authority": "Liverpool"}'
expect 201
create_partner the-reader 'The Reader' charity

has_ended() {
  get "$job"
  expect 200
  [ "$(field .status)" = succeeded ] || [ "$(field .status)" = failed ]
}

for round in $(seq 1 "$rounds"); do
  log_in admin
  roster=$(jq -nc --arg round "$round" --argjson series "$series" '{entries: [range($series) | {
    external_id: "r\($round)-\(.)", title: "Group \(.)", pillar: "community", delivery: "in_person", venue: "home",
    local_start: "2037-01-05T13:00:00", time_zone: "Europe/London", duration_minutes: 60, recurrence: "FREQ=WEEKLY;COUNT=52"}]}')
  send POST "/v1/partners/$PARTNER/rosters" "$roster" -H 'Prefer: respond-async'
  expect 202
  job=$(header location)
  # Anywhere from its start to its end.
  sleep "$(printf '0.%03d' $((RANDOM % 600)))"
  kill -9 "$server"
  wait "$server" 2>/dev/null || true
  server=''
  unset BASE_URL
  start_server
  log_in admin
  within 90 has_ended || fail "round $round: the job does not end: $BODY"
  holds "round $round: the job should have succeeded" '.status == "succeeded" and .result.counts.created == $n
    and .result.sessions.created == $n * 52 and .progress == {done: $n, total: $n}' --argjson n "$series"
  send POST "/v1/partners/$PARTNER/rosters" "$roster"
  expect 201
  holds "round $round: all of it should be there" '.counts.unchanged == $n and .sessions.created == 0' --argjson n "$series"
  pages "/v1/partners/$PARTNER/rosters?limit=100"
  [ "$(field length)" = $((round * 2)) ] || fail "round $round: $(field length) rosters were kept, not $((round * 2))"
done
passed "kill -9 while jobs run, $rounds times: each ended and was done once."
