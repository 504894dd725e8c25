#!/usr/bin/env bash
# Two independent readers read every calendar and expand it to the sessions' own instants. See lib.sh for the settings.
#
#   CALENDAR_READERS  where tests/oracle/install.sh has installed them (default: target/calendar-readers)
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

: "${CALENDAR_READERS:=$root/target/calendar-readers}"
[ -e "$CALENDAR_READERS/node_modules/ical.js" ] || fail 'The readers are not installed: run tests/oracle/install.sh'
# JavaScript finds its packages beside the program.
cp "$root/tests/oracle/calendars.mjs" "$CALENDAR_READERS/"

# Each reads a calendar and writes its events, one a line: icalendar with its own time zones, the same with those of the
# file, and ical.js, which has none of its own.
icalendar() { "$CALENDAR_READERS/python/bin/python" "$root/tests/oracle/calendars.py" "$1"; }
icalendar_own_zones() { "$CALENDAR_READERS/python/bin/python" "$root/tests/oracle/calendars.py" --own-zones "$1"; }
ical_js() { "$CALENDAR_READERS/python/bin/node" "$CALENDAR_READERS/calendars.mjs" "$1"; }

RUST_LOG=info start_server
for role in admin advisor; do make_account "$role"; done
log_in advisor
advisor=$TOKEN
log_in admin
send POST /v1/venues '{"slug": "walton", "name": "Walton Life Rooms", "kind": "library", "local_authority": "Liverpool",
  "address": {"line_1": "Evered Avenue", "town": "Liverpool", "postcode": "L9 2AF"}, "latitude": 53.4631, "longitude": -2.9653}'
expect 201
venue=$(field .id)
create_partner the-reader 'The Reader' charity
day() { TZ=$london date -d "$1" +%F; }

# series TITLE LOCAL_START RECURRENCE [MEMBERS]: sets SERIES to its id.
series() {
  send POST /v1/session-series "$(jq -nc --arg title "$1" --arg start "$2" --arg rule "$3" --arg venue "$venue" \
    --arg partner "$PARTNER" --argjson more "${4:-"{}"}" '{$title, pillar: "community", delivery: "in_person", venue_id: $venue,
      partner_id: $partner, local_start: $start, time_zone: "Europe/London", duration_minutes: 90, recurrence: $rule,
      description: "One; two, three\\\nfour."} + $more')"
  expect 201
  SERIES=$(field .id)
}

# sessions QUERY FILTER: writes the sessions that the API lists, as the oracle writes events.
sessions() {
  pages "/v1/sessions?from=2000-01-01&limit=100$1"
  jq -r "map(select($2))[]"' | "\(.starts_at) \(.ends_at) \(if .status == "cancelled" then "CANCELLED" else "CONFIRMED" end) \(.title)"' \
    <<<"$BODY" | LC_ALL=C sort >"$work/listed"
}

# agrees WHAT PATH: every reader finds in the calendar what `sessions` found.
agrees() {
  local what=$1 path=$2 reader
  curl -sS --max-time 60 -o "$work/calendar.ics" "$BASE_URL$path" || fail "$path: no answer"
  ! grep -q '^RDATE' <(sed '/^BEGIN:VTIMEZONE/,/^END:VTIMEZONE/d' "$work/calendar.ics") || fail "$what: an event has RDATE"
  [ -s "$work/listed" ] || fail "$what: there is nothing to compare"
  for reader in icalendar icalendar_own_zones ical_js; do
    "$reader" "$work/calendar.ics" | LC_ALL=C sort >"$work/read" || fail "$what: $reader refuses it"
    diff -u "$work/listed" "$work/read" >"$work/differ" ||
      fail "$what: what $reader reads (+) differs from the sessions (-): $(head -n 40 "$work/differ")"
  done
}

# of_series WHAT: the calendar of SERIES.
of_series() {
  sessions '' ".series_id == \"$SERIES\""
  agrees "$1" "/v1/session-series/$SERIES/calendar.ics"
  passed "$1: $(wc -l <"$work/listed") sessions, $(grep -c '^BEGIN:VEVENT' "$work/calendar.ics") events in the file."
}

# shows PATTERN: the calendar just read has such a line.
shows() { tr -d '\r' <"$work/calendar.ics" | grep -Eq "$1" || fail "the calendar has no line $1: $(head -c 3000 "$work/calendar.ics")"; }

series 'Weekly at ten' 2027-01-05T10:00:00 'FREQ=WEEKLY;COUNT=52'
of_series 'Weekly at ten across both clock changes of 2027'
for start in 2027-03-23T10:00:00Z 2027-03-30T09:00:00Z; do
  grep -q "^$start " "$work/read" || fail 'ten is not ten'
done

series 'Last Friday' 2027-01-29T18:00:00 'FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20281231'
of_series 'The last Friday of each month until a date'
shows '^RRULE:FREQ=MONTHLY;UNTIL=20281229T180000Z;BYDAY=-1FR$'

series 'Excluded and additional' 2027-03-02T10:00:00 'FREQ=WEEKLY;COUNT=20' \
  '{"excluded": ["2027-03-02T10:00:00", "2027-04-06T10:00:00"], "additional": ["2027-03-04T14:00:00", "2027-12-24T09:00:00"]}'
of_series 'Excluded and additional times'
shows '^EXDATE;TZID=Europe/London:20270406T100000$'

series 'The missing and the doubled hour' 2027-03-14T01:30:00 'FREQ=WEEKLY;COUNT=40' \
  '{"excluded": ["2027-04-04T01:30:00"], "additional": ["2028-03-26T01:15:00"]}'
of_series 'The missing and the doubled hour'
shows '^RECURRENCE-ID;TZID=Europe/London:20270328T013000$'

series 'Through the night' 2027-03-25T23:30:00 'FREQ=DAILY;UNTIL=20270331T233000' '{"duration_minutes": 240}'
of_series 'Through the nights in which the clocks are changed'

# Straight in the database.
move() {
  local to=$2 set="starts_at = %s, ends_at = %s, local_start = '${2%Z}', edited = %s, version = version + 1" from ends
  case $DATABASE_URL in
    sqlite://*)
      from=$(date -d "$to" +%s); ends=$((from + 5400))
      # shellcheck disable=SC2059
      python3 - "${DATABASE_URL#sqlite://}" "UPDATE sessions SET $(printf "$set" "${from}000000" "${ends}000000" 1) WHERE id = x'${1//-/}'" <<'PYTHON'
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=30) as database:
    assert database.execute(sys.argv[2]).rowcount == 1
PYTHON
      ;;
    *)
      # shellcheck disable=SC2059
      psql -q -v ON_ERROR_STOP=1 "$DATABASE_URL" \
        -c "UPDATE sessions SET $(printf "$set" "'$to'" "timestamptz '$to' + interval '90 minutes'" true) WHERE id = '$1'"
      ;;
  esac
}
series 'Changed' 2027-02-02T10:00:00 'FREQ=WEEKLY;COUNT=10'
pages "/v1/sessions?from=2027-02-01&limit=100"
mapfile -t ids < <(jq -r --arg series "$SERIES" 'map(select(.series_id == $series))[].id' <<<"$BODY")
move "${ids[2]}" 2027-02-18T15:45:00Z
# Onto the time of another one, and beyond the last.
move "${ids[3]}" 2027-03-02T10:00:00Z
move "${ids[4]}" 2027-11-11T11:11:00Z
send POST "/v1/sessions/${ids[5]}/cancel" '{"reason": "Flooded; sorry, everybody"}'
expect 200
send_back PATCH "/v1/sessions/${ids[6]}" '{"title": "Renamed"}'
expect 200
of_series 'Moved, cancelled and renamed sessions'
shows '^STATUS:CANCELLED$'
send POST "/v1/session-series/$SERIES/cancel" '{"reason": "No longer"}'
expect 200
of_series 'A series that was called off'

number=0
while read -r zone start rule; do
  number=$((number + 1))
  series "Rule $number" "$start" "$rule" "{\"time_zone\": \"$zone\"}"
  of_series "$rule in $zone"
done <<'RULES'
America/New_York 2027-03-07T02:30:00 FREQ=WEEKLY;COUNT=40
America/New_York 2027-01-01T09:00:00 FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1,1;UNTIL=20290101T000000Z
Europe/Paris 2027-01-31T19:30:00 FREQ=MONTHLY;BYMONTHDAY=31,-1;COUNT=30
Europe/Paris 2027-03-28T02:15:00 FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU;COUNT=12
Europe/London 2027-01-06T10:00:00 FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,WE;UNTIL=20271231T235959
Europe/London 2027-02-28T08:00:00 FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2;COUNT=9
Europe/London 2027-10-24T01:00:00 FREQ=DAILY;COUNT=10
Europe/London 2027-07-06T10:00:00 FREQ=WEEKLY;COUNT=80
Europe/Dublin 2027-01-05T10:00:00 FREQ=WEEKLY;COUNT=80
Europe/Dublin 2027-07-06T10:00:00 COUNT=60;INTERVAL=2;FREQ=WEEKLY
Europe/Dublin 2027-10-24T01:30:00 FREQ=DAILY;COUNT=10
America/New_York 2027-07-06T18:00:00 FREQ=WEEKLY;COUNT=80
Africa/Casablanca 2027-01-08T10:00:00 FREQ=WEEKLY;COUNT=100
Australia/Lord_Howe 2027-04-03T01:45:00 FREQ=DAILY;INTERVAL=1;COUNT=200
Asia/Kolkata 2027-01-08T10:00:00 FREQ=MONTHLY;BYDAY=2FR;COUNT=12
UTC 2027-01-08T10:00:00 FREQ=WEEKLY;COUNT=5
RULES

series 'Around now' "$(day '-50 days')T10:00:00" 'FREQ=DAILY;INTERVAL=3;COUNT=200'
first=$(day '-30 days') last=$(day '+12 months')
for of in venue partner; do
  id=$venue; [ $of = venue ] || id=$PARTNER
  sessions "&${of}_id=$id&to=$last" ".starts_at >= \"$(date -u -d "TZ=\"Europe/London\" $first 00:00" +%FT%TZ)\""
  agrees "The $of's calendar" "/v1/${of}s/$id/calendar.ics"
  passed "The $of's calendar: $(wc -l <"$work/listed") sessions from $first to $last."
done
id=$(jq -r '.[0].id' <<<"$BODY")
sessions '' ".id == \"$id\""
agrees 'One session' "/v1/sessions/$id/calendar.ics"
passed 'One session.'

TOKEN=$advisor
send POST /v1/members '{"given_name": "Ada", "family_name": "Allerton", "roles": ["service_user"]}'
expect 201
member=$(field .id)
pages "/v1/sessions?venue_id=$venue&from=$(day '+1 day')&to=$(day '+10 days')"
id=$(field '.[0].id')
send POST "/v1/sessions/$id/bookings" "{\"member_id\": \"$member\"}"
expect 201
send POST "/v1/members/$member/calendar-links" '{"neutral_titles": true}'
expect 201
link=$(field .id) path=$(field '.url | sub("^https?://[^/]+"; "")')
TOKEN=
sessions '' ".id == \"$id\""
sed -i 's/CONFIRMED .*/CONFIRMED Appointment/' "$work/listed"
agrees "A member's own calendar" "$path"
TOKEN=$advisor
call DELETE "/v1/members/$member/calendar-links/$link"
expect 204
TOKEN=
get "$path"
refused 404 not-found
secret=${path##*/} secret=${secret%.ics}
if [ -s "$work/server.log" ]; then
  grep -q 'route=/v1/calendars/{secret}.ics status=200' "$work/server.log" || fail 'the log has no line of the calendar'
  ! grep -qF "$secret" "$work/server.log" || fail 'the log holds the secret of an address'
fi
passed "A member's own calendar: read with the address alone, in no log line, 404 once revoked."
