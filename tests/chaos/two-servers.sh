#!/usr/bin/env bash
# Two servers on one PostgreSQL database, 64 clients that book, wait, cancel, accept and decline on a few small
# sessions, and kill -9 of one server after the other. At the end no session is overbooked, nobody has lost or gained a
# place, nobody has overtaken anybody, and every count is what the bookings say.
#   tests/chaos/two-servers.sh [SECONDS]      30 by default; DATABASE_URL: an empty PostgreSQL database; LIFE_ROOMS as in
#                                             ../curl/lib.sh
# shellcheck source-path=SCRIPTDIR disable=SC2154
set -euo pipefail
[[ ${DATABASE_URL:-} == postgres* ]] || { echo 'Say in DATABASE_URL which empty PostgreSQL database to use.' >&2; exit 1; }
command -v python3 >/dev/null || { echo 'This script needs python3: apt-get install python3' >&2; exit 1; }
. "$(dirname "$0")/../curl/lib.sh"
seconds=${1:-30}
clients=64

unset BASE_URL
start_server
for role in admin advisor; do make_account "$role"; done
log_in admin
send POST /v1/venues '{"slug": "home", "name": "Home", "kind": "library", "local_authority": "Liverpool"}'
expect 201
venue=$(field .id)
log_in advisor

# create_session START MORE: its id goes to $work/sessions. MORE is JSON.
create_session() {
  send POST /v1/sessions "$(jq -nc --arg venue "$venue" --arg start "$1" --argjson more "$2" '{title: "Small",
    pillar: "community", venue_id: $venue, local_start: $start, time_zone: "Europe/London", duration_minutes: 60} + $more')"
  expect 201
  jq -c '{id, capacity, online_capacity, starts_at}' <<<"$BODY" >>"$work/sessions"
}
create_session 2037-01-05T13:00:00 '{"delivery": "in_person", "capacity": 3}'
create_session 2037-01-06T13:00:00 '{"delivery": "in_person", "capacity": 8}'
create_session 2037-01-07T13:00:00 '{"delivery": "hybrid", "capacity": 4, "online_capacity": 2}'
# One starts while they are at it: the servers themselves end the waiting for it.
create_session "$(local_time $((seconds / 2 + 20)))" '{"delivery": "in_person", "capacity": 2}'
for i in $(seq 1 $((clients * 2))); do
  send POST '/v1/members?confirm_not_duplicate=true' "{\"given_name\": \"M$i\", \"family_name\": \"F$i\", \"roles\": [\"public\"]}"
  expect 201
  field .id >>"$work/members"
done
# Members take long enough to make that a token is worth renewing.
log_in advisor
stop_server
TOKEN=$TOKEN CLIENTS=$clients SECONDS_LONG=$seconds WORK=$work LIFE_ROOMS=$LIFE_ROOMS \
  python3 "$(dirname "$0")/two-servers.py" || fail "see above"
