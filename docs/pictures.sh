#!/usr/bin/env bash
# Takes the pictures of the README anew: mails as a person gets them, and the pages that their links lead to. They go into
# docs/pictures. Needs Debian's chromium and python3; for LIFE_ROOMS and the rest see ../tests/curl/lib.sh. The picture of the
# example page is one of those that tests/clients/whats-on.sh takes with PICTURES.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../tests/curl/lib.sh"
: "${CHROMIUM:=/usr/bin/chromium}"
pictures=$root/docs/pictures
mkdir -p "$pictures"
keep_mails
export LIFE_ROOMS_PUBLIC_URL=https://rooms.example.org

# picture NAME URL HEIGHT
picture() {
  "$CHROMIUM" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/chromium" \
    --window-size="640,$3" --screenshot="$pictures/$1.png" "$2" >"$work/chromium.log" 2>&1 ||
    fail "no picture of $1: $(tail -n 3 "$work/chromium.log")"
}

# letter NAME SUBJECT HEIGHT: a picture of the mail with this subject.
letter() {
  await_mail "$2"
  python3 -c 'import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
open(sys.argv[2], "w").write(mail.get_body(("html",)).get_content())' "$MAIL" "$work/letter.html"
  picture "$1" "file://$work/letter.html" "$3"
}

start_server
for role in admin advisor; do make_account "$role"; done
send POST /v1/members/self-registration '{"email": "peg@example.org", "given_name": "Margaret"}'
expect 202
letter mail-registration 'Please confirm your e-mail address' 420

log_in admin
send POST /v1/venues '{"slug": "central-library", "name": "Central Library", "kind": "library", "local_authority": "Liverpool",
  "address": {"line_1": "William Brown Street", "town": "Liverpool", "postcode": "L3 8EW"}}'
expect 201
venue=$(field .id)
send POST /v1/sessions "$(jq -nc --arg venue "$venue" --arg start "$(local_time 72000)" '{title: "Shared Reading", venue_id: $venue,
  local_start: ($start[:13] + ":00:00"), time_zone: "Europe/London", duration_minutes: 60, delivery: "in_person",
  pillar: "community", capacity: 1, booking_policy: "bookable"}')"
expect 201
session=$(field .id)
log_in advisor
for name in sid peg; do
  send POST /v1/members "$(jq -nc --arg name "$name" '{given_name: $name, roles: ["service_user"], email: ($name + "@example.org"),
    contact_preferences: {email: true}}')"
  expect 201
  declare "$name=$(field .id)"
done
send_back PUT "/v1/members/$peg/access-needs" '{"needs": [{"category": "information_format", "code": "large_print", "share": false}]}'
expect 200
send POST "/v1/sessions/$session/bookings" "$(jq -nc --arg member_id "$sid" '{$member_id}')"
expect 201
booking=$(field .id)
send POST "/v1/sessions/$session/bookings" "$(jq -nc --arg member_id "$peg" '{$member_id, if_full: "wait"}')"
expect 201
call DELETE "/v1/bookings/$booking"
letter mail-offer-large-print 'A place is free' 420
log_in admin
get "/v1/sessions/$session"
send POST "/v1/sessions/$session/cancel" '{"reason": "The building is closed"}' -H "If-Match: $(header etag)"
expect 200
letter mail-called-off 'A change to' 300
picture page-registration "$BASE_URL/account/confirm#token=lrl_of_a_picture" 520
picture page-reset "$BASE_URL/account/reset#token=lrl_of_a_picture" 520
picture page-invitation "$BASE_URL/account/invitation#token=lrl_of_a_picture" 640
passed "The pictures are in docs/pictures."
