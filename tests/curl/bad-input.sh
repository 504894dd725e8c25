#!/usr/bin/env bash
# Bad input is refused with a problem that points at the fault, and nothing is written. See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

start_server
for role in admin advisor; do make_account "$role"; done
log_in admin
admin=$TOKEN
log_in advisor
advisor=$TOKEN
TOKEN=$admin
for slug in garston-library toxteth-library; do
  send POST /v1/venues "{\"slug\": \"$slug\", \"name\": \"$slug\", \"kind\": \"library\", \"local_authority\": \"Liverpool\"}"
  expect 201
  venue=$(field .id)
done
create_partner philharmonic 'Royal Liverpool Philharmonic' orchestra
send POST "/v1/partners/$PARTNER/programmes" '{"slug": "music-and-mental-health", "name": "Music and Mental Health"}'
expect 201
foreign=$(field .id)
create_partner the-reader 'The Reader' charity
reader=$PARTNER
send POST "/v1/partners/$reader/programmes" '{"slug": "shared-reading", "name": "Shared Reading"}'
expect 201
send POST /v1/sites '{"slug": "walton", "name": "Walton"}'
expect 201
site=$(field .id)
create_client "$reader" rosters:read rosters:write sessions:write
client_token "$CLIENT_ID" "$CLIENT_SECRET"
partner=$TOKEN
TOKEN=$advisor
send POST /v1/members '{"given_name": "Ada", "family_name": "Longwith", "roles": ["service_user"]}'
expect 201

# How much of everything there is; a refused roster is kept with its outcome, and counts for nothing.
count_all() {
  local list
  TOKEN=$admin
  for list in venues sites "sites/$site/hostings" partners "partners/$reader/programmes" session-series \
    'sessions?from=2000-01-01&to=2099-12-31'; do
    pages "/v1/$list"
    jq -r --arg list "$list" '"\($list): \(length)"' <<<"$BODY"
  done
  TOKEN=$advisor
  send POST /v1/members/search '{"name": "Longwith"}'
  expect 200
  jq -r '"members: \(.items | length)"' <<<"$BODY"
}
before=$(count_all)

# A series that would be fine, changed by a jq filter.
series() {
  jq -nc --arg venue "$venue" --arg partner "$reader" '{title: "Reading", pillar: "community", delivery: "in_person",
    partner_id: $partner, venue_id: $venue, local_start: "2027-01-05T13:00:00", time_zone: "Europe/London",
    duration_minutes: 60, recurrence: "FREQ=WEEKLY;COUNT=4"} | '"$1"
}
member() { jq -nc '{given_name: "Bea", family_name: "Longwith", roles: ["service_user"]} | '"$1"; }
roster() { call POST "/v1/partners/$reader/rosters" -H 'Content-Type: text/csv' --data-binary "$1"; }

TOKEN=$admin
send POST /v1/venues '{"slug": "half'
refused 400 malformed-request
call POST /v1/venues -H 'Content-Type: application/json' --data-binary $'{"slug": "\xff"}'
refused 400 malformed-request
send POST /v1/venues '{"slug": "a", "name": 7, "kind": "library", "local_authority": ["Liverpool"]}'
refused 422 invalid-body /name
holds "every fault should be named at once" '[.errors[].pointer] | index("/local_authority") != null'
send POST /v1/venues '["a", "b", "library", "Liverpool"]'
expect 422
call POST /v1/venues -H 'Content-Type: text/plain' --data-binary 'slug=a'
refused 415 unsupported-media-type
passed "Malformed JSON, bytes that are no UTF-8 and another media type are refused, and so are wrong types, all at once."

send POST /v1/venues '{"slug": "a-b", "name": "A", "kind": "library", "local_authority": "Liverpool", "id": "mine"}'
refused 422 invalid-body /id
send POST /v1/venues '{"slug": "a-b", "name": "A\u0000B", "kind": "library", "local_authority": "Liverpool"}'
refused 422 invalid-body /name
send POST /v1/venues "$(jq -nc '{slug: "a-b", name: ("x" * 5000), kind: "library", local_authority: "Liverpool"}')"
refused 422 invalid-body /name
send POST /v1/venues "$(jq -nc '{slug: "a-b", name: ("x" * 300000), kind: "library", local_authority: "Liverpool"}')"
refused 413 payload-too-large
send POST /v1/venues '{"slug": "a-b", "name": "A", "kind": "pub", "local_authority": "Atlantis"}'
refused 422 invalid-body /kind
send POST "/v1/sites/$site/hostings" "{\"venue_id\": \"$venue\", \"starts_on\": \"2027-02-01\", \"ends_on\": \"2027-01-31\"}"
refused 422 invalid-body /ends_on
passed "Unknown members, NUL, texts that are too long, unknown values and an end before a start are refused."

TOKEN=$partner
refuse_series() {
  send POST /v1/session-series "$(series "$1")"
  refused 422 invalid-body "$2"
}
refuse_series '.recurrence = "FREQ=DAILY" | .local_start = "2010-01-05T13:00:00"' /recurrence
refuse_series '.recurrence = "FREQ=DAILY;COUNT=2001"' /recurrence
refuse_series '.recurrence = "FREQ=DAILY;UNTIL=20400101T000000Z"' /recurrence
refuse_series '.recurrence = "every Tuesday"' /recurrence
refuse_series '.recurrence = "FREQ=WEEKLY;BYDAY=FR;COUNT=4"' /local_start
refuse_series '.time_zone = "Europe/Liverpool"' /time_zone
refuse_series '.local_start = "2027-02-30T13:00:00"' /local_start
refuse_series '.duration_minutes = -60' /duration_minutes
refuse_series 'del(.venue_id)' /venue_id
refuse_series ".programme_id = \"$foreign\"" /programme_id
passed "A rule with more than 2,000 occurrences, with or without an end, an unknown time zone and a foreign programme are refused."

roster $'external_id,title,pillar\nreader-1,Reading,community\n'
refused 422 invalid-body /local_start
holds "every missing column should be named" '[.errors[].pointer] | index("/delivery") != null and index("/duration_minutes") != null'
roster $'external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes,colour
reader-1,Reading,community,in_person,garston-library,2027-01-05T13:00:00,Europe/London,60,green\n'
expect 422
holds "the unknown column should be named" 'tostring | test("colour")'
roster $'external_id,title,pillar,delivery,venue,local_start,time_zone,duration_minutes,recurrence,programme
good,Reading,community,in_person,garston-library,2027-01-05T13:00:00,Europe/London,60,FREQ=WEEKLY;COUNT=4,shared-reading
bad,Reading,community,in_person,nowhere,2027-01-05T13:00:00,Europe/Liverpool,60,FREQ=WEEKLY;COUNT=4,music-and-mental-health
endless,Reading,community,in_person,garston-library,2010-01-05T13:00:00,Europe/London,60,FREQ=DAILY,shared-reading\n'
refused 422 roster-refused
holds "every fault should be there, with its line" '[.errors[] | select(.detail | startswith("Line 3")) | .pointer]
  | sort == ["/entries/1/programme", "/entries/1/time_zone", "/entries/1/venue"]'
holds "the rule with too many occurrences should be there, with its line" \
  'any(.errors[]; .pointer == "/entries/2/recurrence" and (.detail | startswith("Line 4")))'
send POST "/v1/partners/$reader/rosters" '{"entries": [{"external_id": "x"'
refused 400 malformed-request
passed "A roster with missing or unknown columns, or one wrong row, is refused with the line and every fault."

TOKEN=$advisor
send POST /v1/members "$(member '.nhs_number = "9434765918"')"
refused 422 invalid-body /nhs_number
send POST /v1/members "$(member '.nhs_number = "12345"')"
refused 422 invalid-body /nhs_number
send POST /v1/members "$(member '.postcode = "LIVERPOOL"')"
refused 422 invalid-body /postcode
send POST /v1/members "$(member '.date_of_birth = "31/12/1950"')"
refused 422 invalid-body /date_of_birth
passed "A wrong NHS number, postcode or date is refused."

TOKEN=''
get '/v1/venues?limit=1'
cursor=$(field .next | sed 's/.*cursor=//')
get "/v1/venues?limit=1&cursor=$cursor"
expect 200
get "/v1/sessions?cursor=$cursor"
refused 400 invalid-parameter cursor
get "/v1/venues?limit=1&local_authority=Sefton&cursor=$cursor"
refused 400 invalid-parameter cursor
get '/v1/venues?cursor=nonsense'
refused 400 invalid-parameter cursor
get '/v1/venues?limit=0'
refused 400 invalid-parameter limit
get '/v1/venues?limit=1&limit=2'
refused 400 invalid-parameter limit
get '/v1/venues?colour=green'
refused 400 invalid-parameter colour
get '/v1/sessions?from=tomorrow'
refused 400 invalid-parameter from
get /v1/venues/1
refused 400 invalid-parameter id
passed "A cursor from elsewhere and wrong, repeated and unknown parameters are refused."

after=$(count_all)
[ "$before" = "$after" ] || fail "something was written: before: $before; after: $after"
passed "Nothing was written: $(tr '\n' ' ' <<<"$after")"
