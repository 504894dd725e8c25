#!/usr/bin/env bash
# The main job from end to end: from an empty database to the two reports. Prints a line for each step.
# See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"
# Seconds until the session begins whose register is taken; ten bookings must fit.
: "${LEAD:=8}"

# 1. A server on a fresh database.
start_server
if [ -n "$server" ]; then
  grep -q 'ready on .*documentation: http:' "$work/server.log" || fail "the ready line should name the documentation"
  grep -q "make the first one: DATABASE_URL='.*' life-rooms user create" "$work/server.log" ||
    fail "the log should say how to make the first account in this database"
fi
get /health/ready
expect 200
get /docs/
expect 200
for role in admin advisor analyst; do make_account "$role"; done
passed "1. The server is ready at $BASE_URL and has its first accounts."

# 2. An admin creates venues, a site, partners, a programme and API clients.
log_in admin
admin=$TOKEN
create_venues
pages /v1/venues?limit=5
holds "there should be 18 venues in 4 pages" "length == 18 and (map(.slug) | unique | length) == 18 and $PAGES == 4"
venue_id() { jq -r --arg slug "$1" '.[] | select(.slug == $slug) | .id' "$work/venues"; }
printf '%s' "$BODY" >"$work/venues"
for site in walton southport; do
  send POST /v1/sites "{\"slug\": \"$site\", \"name\": \"Life Rooms $site\"}"
  expect 201
  declare "$site=$(field .id)"
  send POST "/v1/sites/$(field .id)/hostings" \
    "{\"venue_id\": \"$(venue_id "$site-life-rooms")\", \"starts_on\": \"2021-10-01\"}"
  expect 201
done
create_partner the-reader 'The Reader' charity
reader=$PARTNER
send POST "/v1/partners/$reader/programmes" '{"slug": "shared-reading", "name": "Shared Reading"}'
expect 201
programme=$(field .id)
create_client "$reader" rosters:read rosters:write sessions:write bookings:read registers:read registers:write
reader_client=$CLIENT_ID reader_secret=$CLIENT_SECRET
create_partner mersey-care 'Mersey Care NHS Foundation Trust' nhs_trust
trust=$PARTNER
create_client "$trust" rosters:read rosters:write
trust_client=$CLIENT_ID trust_secret=$CLIENT_SECRET
passed "2. 18 venues, 2 sites with their hostings, 2 partners, the programme Shared Reading and API clients."

# 3. The partners post their rosters; the same one again changes nothing.
client_token "$reader_client" "$reader_secret"
reader_token=$TOKEN
post_reader_roster() {
  call POST "/v1/partners/$reader/rosters" -H 'Content-Type: text/csv' --data-binary "@$data/roster-the-reader.csv"
  expect 201
}
post_reader_roster
holds "4 series and 208 sessions should be created" '.counts.created == 4 and .sessions.created == 208'
spellow=$(field '.entries[] | select(.external_id == "spellow-mon") | .resource_id')
post_reader_roster
holds "the same roster again should change nothing and say so" \
  '.counts == {created: 0, updated: 0, unchanged: 4, cancelled: 0, rejected: 0}
   and (.entries | all(.outcome == "unchanged")) and (.sessions | add) == 0'
client_token "$trust_client" "$trust_secret"
send POST "/v1/partners/$trust/rosters" "$(cat "$data/roster-outreach-2022.json")"
expect 201
holds "11 series and 1,098 sessions should be created" '.counts.created == 11 and .sessions.created == 1098'
TOKEN=
pages "/v1/sessions?partner_id=$trust&from=2022-02-14&to=2023-02-13&limit=100"
holds "there should be 1,098 sessions in 11 pages" "length == 1098 and (map(.id) | unique | length) == 1098 and $PAGES == 11"
holds "every one should be at 09:30 in London: 08:30 UTC in summer time, 09:30 else" \
  'all(.time_zone == "Europe/London" and .local_start[11:] == "09:30:00" and .starts_at[11:]
    == (if .local_start[:10] >= "2022-03-27" and .local_start[:10] < "2022-10-30" then "08:30:00Z" else "09:30:00Z" end))
   and any(.starts_at[11:] == "08:30:00Z") and any(.starts_at[11:] == "09:30:00Z")'
passed "3. The Reader's roster: 4 series, 208 sessions; again: unchanged. The trust's: 11 series, 1,098 sessions at 09:30."

# 4. Anybody reads what's on, without a token.
year='from=2027-01-01&to=2027-12-31'
listed() {
  pages "/v1/sessions?$year&$2"
  holds "there should be $1 sessions" "length == $1 and (map(.id) | unique | length) == $1"
  holds "they should stand in the order of their starts" '[.[] | [.starts_at, .id]] | . == sort'
  holds "a public answer should hold no join link" 'all(has("join_link") | not)'
}
listed 208 limit=7
[ "$PAGES" = 30 ] || fail "208 sessions in sevens are 30 pages, not $PAGES"
listed 52 "venue_id=$(venue_id spellow-library-hub)"
listed 208 "partner_id=$reader"
listed 208 "programme_id=$programme"
listed 208 pillar=community
listed 0 pillar=learning
listed 52 delivery=online
listed 52 local_authority=Sefton
holds "all of them should be in Birkdale" 'all(.venue.slug == "station-masters-house-birkdale")'
listed 104 local_authority=Liverpool
listed 52 "local_authority=Liverpool&venue_id=$(venue_id spellow-library-hub)"
pages '/v1/sessions?from=2027-01-01&to=2027-01-31'
holds "January should have four weeks of four groups" 'length == 16'
passed "4. What's on: 208 in 2027; by venue 52, by pillar 208, in Sefton 52, in Liverpool 104; page by page."

# 5. An advisor registers people, writes prescriptions and books.
log_in advisor
advisor=$TOKEN
members=()
for name in Ada Bessie Cora Dora Edith Flora Greta Hilda Iris June; do
  send POST /v1/members "{\"given_name\": \"$name\", \"family_name\": \"${name}son\",
    \"date_of_birth\": \"19$((40 + ${#members[@]}))-05-06\", \"roles\": [\"service_user\"]}"
  expect 201
  members+=("$(field .id)")
done
# Analysts are given figures of months that are over: the prescriptions are of this day, some ten weeks ago.
over=$(local_time -6048000)
# prescribe MEMBER SITE: a draft, then active.
prescribe() {
  send POST /v1/prescriptions "{\"member_id\": \"$1\", \"origin\": \"advisor\", \"site_id\": \"$2\",
    \"developed_on\": \"${over%%T*}\",
    \"what_matters\": \"To talk about books again\",
    \"needs\": [{\"domain\": \"loneliness\", \"severity\": 4}, {\"domain\": \"arts_and_culture\"}],
    \"items\": [{\"need\": \"loneliness\", \"kind\": \"series\", \"target_id\": \"$spellow\", \"goal\": \"Go every week\"}]}"
  expect 201
  holds "it should be a draft with two needs and an item" \
    '.status == "draft" and (.needs | length) == 2 and .items[0].target_id == $series' --arg series "$spellow"
  prescription=$(field .id)
  item=$(field '.items[0].id')
  call POST "/v1/prescriptions/$prescription/activate"
  expect 200
  holds "it should be active and have its day" '.status == "active" and .developed_on != null'
}
# Eight at Walton, one at Southport: a count of one is a small number.
for member in "${members[@]:1:7}"; do prescribe "$member" "$walton"; done
prescribe "${members[8]}" "$southport"
prescribe "${members[0]}" "$walton"
TOKEN=
pages "/v1/sessions?from=2027-02-01&to=2027-02-01&partner_id=$reader"
holds "a Monday in February should have one group" 'length == 1 and .[0].series_id == $series' --arg series "$spellow"
session=$(field '.[0].id')
TOKEN=$advisor
# book SESSION MEMBER [ITEM]
book() {
  send POST "/v1/sessions/$1/bookings" "$(jq -nc --arg member_id "$2" --arg item "${3:-}" \
    '{$member_id} + if $item == "" then {} else {prescription_item_id: $item} end')"
}
book "$session" "${members[0]}" "$item"
expect 201
holds "it should be booked and have a reference" '.status == "booked" and (.reference | length) > 0'
book "$session" "${members[0]}"
refused 409 already-booked
get "/v1/sessions/$session"
holds "one seat should be taken" '.seats_taken == 1 and .seats_left == 11'
# A session that begins in a few seconds, so that its register can be taken.
TOKEN=$reader_token
send POST /v1/sessions "{\"title\": \"Reading aloud\", \"pillar\": \"community\", \"delivery\": \"in_person\",
  \"partner_id\": \"$reader\", \"programme_id\": \"$programme\", \"venue_id\": \"$(venue_id spellow-library-hub)\",
  \"local_start\": \"$(local_time "$LEAD")\", \"time_zone\": \"Europe/London\", \"duration_minutes\": 60, \"capacity\": 9}"
expect 201
today=$(field .id)
TOKEN=$advisor
bookings=()
for member in "${members[@]:0:9}"; do
  book "$today" "$member"
  expect 201
  bookings+=("$(field .id)")
done
book "$today" "${members[9]}"
refused 409 session-full
get "/v1/sessions/$today"
holds "all nine seats should be taken" '.seats_taken == 9 and .seats_left == 0'
passed "5. 10 members, 9 prescriptions with needs and items; booked; a second booking and one past capacity are 409."

# 6. The Reader takes the register. It sees no member who has not consented.
TOKEN=$reader_token
get "/v1/sessions/$today/register"
expect 200
holds "nine bookings, no member" '(.bookings | length) == 9 and all(.bookings[]; .member == null and .reference != null)'
TOKEN=$advisor
consent() {
  send POST "/v1/members/$1/consents" \
    "{\"purpose\": \"share_with_partner\", \"partner_id\": \"$reader\", \"decision\": \"$2\", \"evidence\": \"Said so at the desk\"}"
  expect 201
}
consent "${members[0]}" given
consent "${members[1]}" given
consent "${members[1]}" withdrawn
TOKEN=$reader_token
get "/v1/sessions/$today/register"
holds "one member, the one who consents" \
  '[.bookings[] | select(.member != null)] | length == 1 and .[0].member.id == $member' --arg member "${members[0]}"
for name in Bessie Cora Dora Edith; do
  [[ $BODY != *"$name"* ]] || fail "the register shows $name, who has not consented"
done
get "/v1/members/${members[0]}"
expect 403
# register WALK_IN: the last one booked was absent.
register() {
  jq -nc --arg walk_in "$1" '{bookings: ($ARGS.positional | to_entries
      | map({booking_id: .value, attended: (.key < 8)})), walk_ins: [{member_id: $walk_in}],
      headcount: {beneficiaries: 14, family: 3, carers: 2}}' --args "${bookings[@]}"
}
taken() {
  send_back PUT "/v1/sessions/$today/register" "$(register "${members[9]}")"
  [ "$(field .type)" != /problems/session-not-started ]
}
within $((LEAD + 30)) taken || fail "the session should have started by now"
refused 422 invalid-body /walk_ins/0/member_id
TOKEN=$advisor
consent "${members[9]}" given
TOKEN=$reader_token
within $((LEAD + 30)) taken || fail "the session should have started by now"
expect 200
holds "8 attended, 1 absent, 1 walk-in, 19 heads" '([.bookings[] | select(.attended)] | length) == 8
  and ([.bookings[] | select(.attended == false)] | length) == 1 and (.walk_ins | length) == 1
  and .headcount == {beneficiaries: 14, family: 3, carers: 2}'
TOKEN=$advisor
get "/v1/bookings/${bookings[8]}"
holds "the booking should be absent" '.status == "absent"'
# A session that has been, in Sefton, with one walk-in.
send POST /v1/sessions "{\"title\": \"Reading by the sea\", \"pillar\": \"community\", \"delivery\": \"in_person\",
  \"venue_id\": \"$(venue_id southport-life-rooms)\", \"local_start\": \"$(local_time -120)\",
  \"time_zone\": \"Europe/London\", \"duration_minutes\": 1}"
expect 201
send_back PUT "/v1/sessions/$(field .id)/register" "{\"bookings\": [], \"walk_ins\": [{\"member_id\": \"${members[9]}\"}],
  \"headcount\": {\"beneficiaries\": 0, \"family\": 0, \"carers\": 0}}"
expect 200
# One that was ten weeks ago: nine people came, and nineteen who aren't members.
send POST /v1/sessions "{\"title\": \"Reading in the park\", \"pillar\": \"community\", \"delivery\": \"in_person\",
  \"venue_id\": \"$(venue_id spellow-library-hub)\", \"local_start\": \"$over\",
  \"time_zone\": \"Europe/London\", \"duration_minutes\": 60}"
expect 201
send_back PUT "/v1/sessions/$(field .id)/register" "$(jq -nc '{bookings: [],
  walk_ins: ($ARGS.positional | map({member_id: .})), headcount: {beneficiaries: 14, family: 3, carers: 2}}' \
  --args "${members[@]:0:9}")"
expect 200
passed "6. The register: 8 attended, 1 absent, 1 walk-in, 19 heads; only those who consent are seen."

# 7. An analyst reads the two reports of a month that is over, rounded. An admin sees them exactly, for any days.
log_in analyst
get "/v1/reports/prescriptions?period=${over:0:7}&group_by=site"
expect 200
holds "an analyst should see 9 as 10, Walton's 8 as 10, and be told that Southport's number is small" \
  '.totals.prescriptions == 10 and ([.rows[].prescriptions] | sort) == [null, 10]
   and ([.rows[].suppressed[]] == ["prescriptions"]) and .definition != null and .as_of != null'
get "/v1/reports/attendance?period=${over:0:7}&delivery=in_person&pillar=community&group_by=local_authority"
expect 200
holds "an analyst should see 9 people as 10 and 19 heads as 20" \
  '.totals.distinct_members == 10 and .totals.headcount == 20 and (.rows | length) == 1'
get "/v1/reports/attendance?from=${over%%T*}"
refused 400 invalid-parameter from
get "/v1/reports/attendance?period=$(jq -nr 'now | strftime("%Y-%m")')"
refused 400 invalid-parameter period
for path in "prescriptions/$prescription" "members/${members[0]}"; do
  get "/v1/$path"
  refused 403 forbidden
done
TOKEN=$admin
get "/v1/reports/prescriptions?from=${over%%T*}&group_by=site"
holds "an admin should see 9 prescriptions: 8 and 1" \
  '.totals.prescriptions == 9 and ([.rows[].prescriptions] | sort) == [1, 8]'
yesterday=$(local_time -86400)
get "/v1/reports/attendance?from=${yesterday%%T*}&delivery=in_person&local_authority=Sefton&local_authority=Liverpool&group_by=local_authority"
holds "an admin should see 9 people and 10 attendances: 9 in Liverpool, 1 in Sefton" \
  '.totals.distinct_members == 9 and .totals.attendances == 10 and ([.rows[].distinct_members] | sort) == [1, 9]'
passed "7. The reports: 9 prescriptions by site, 9 people by local authority; an analyst sees them rounded, and no small number."
