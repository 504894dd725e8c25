#!/usr/bin/env bash
# What an app for members does, with nothing but the API: a person joins, logs in, writes their own prescription, books
# for themself and for somebody they care for, changes a booking, reads their messages, gives and takes back a consent,
# sees who looked, takes their data along, and asks to be forgotten.
#
# Needs curl and jq. Without BASE_URL it starts a server on an empty database: see ../tests/curl/lib.sh for LIFE_ROOMS and
# DATABASE_URL.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../tests/curl/lib.sh"

# The server's mails go into a folder, where this script reads them as Peg reads her mailbox.
keep_mails
secret='paper boat under the lamp'

# mail SUBJECT: waits for a mail to Peg with this subject, and prints its text.
mail() {
  await_mail "$1"
  readable "$MAIL"
}
# Mails are written as quoted-printable: "=3D" is "=", and "=" at the end of a line joins it to the next.
readable() { tr -d '\r' <"$1" | sed -e ':a' -e '/=$/{N;s/=\n//;ba' -e '}' -e 's/=3D/=/g'; }

# The stage: an advisor's account, and two groups to come.
start_server
for role in admin advisor; do make_account "$role"; done
log_in admin
group() {
  send POST /v1/sessions "$(jq -nc --arg title "$1" --arg start "$(local_time "$2")" '{$title, local_start: $start,
    time_zone: "Europe/London", duration_minutes: 60, delivery: "online", pillar: "community", capacity: 5,
    booking_policy: "bookable"}')"
  expect 201
}
group 'Shared Reading' 864000
reading=$(field .id)
group 'Choir' 950400
choir=$(field .id)
create_partner the-reader 'The Reader' charity

# 1. Peg joins. The answer is the same whoever asks; the link comes by mail.
TOKEN=
send POST /v1/members/self-registration '{"email": "peg@example.org", "given_name": "Margaret", "family_name": "Reid",
  "preferred_name": "Peg", "date_of_birth": "1961-04-02", "postcode": "L9 1AA",
  "consents": [{"purpose": "contact_email", "decision": "given"}]}'
expect 202
link=$(mail 'Please confirm your e-mail address' | grep -oE 'token=[A-Za-z0-9_-]+' | head -n 1)
send POST /v1/auth/registrations/confirm "$(jq -nc --arg token "${link#token=}" --arg password "$secret" '{$token, $password}')"
expect 201
TOKEN=$(field .access_token) refresh=$(field .refresh_token)
get /v1/me
expect 200
peg=$(field .member_id)
passed "1. Peg has joined: self-registration, a link by mail, her own password."

# 2. The app keeps her logged in, and logs in again after she has logged out.
send POST /v1/auth/refresh "$(jq -nc --arg refresh_token "$refresh" '{$refresh_token}')"
expect 200
TOKEN=$(field .access_token) refresh=$(field .refresh_token)
send POST /v1/auth/logout "$(jq -nc --arg refresh_token "$refresh" '{$refresh_token}')"
expect 204
get /v1/me
refused 401 unauthenticated
TOKEN=
send POST /v1/auth/login "$(jq -nc --arg password "$secret" '{email: "peg@example.org", $password, client_name: "Peg'"'"'s phone"}')"
expect 200
TOKEN=$(field .access_token)
peg_token=$TOKEN
passed "2. The token was refreshed, the device logged out, and Peg logged in again."

# 3. She writes her own prescription.
send POST /v1/prescriptions "$(jq -nc --arg member "$peg" --arg session "$reading" '{member_id: $member, origin: "self",
  what_matters: "To read again, with others", needs: [{domain: "loneliness", severity: 3}],
  items: [{kind: "session", target_id: $session, need: "loneliness", goal: "To go once and see"}]}')"
expect 201
prescription=$(field .id)
send POST "/v1/prescriptions/$prescription/activate" '{}' -H "If-Match: $(header etag)"
expect 200
holds "the prescription should be active" '.status == "active"'
passed "3. Peg's own prescription is active."

# 4. She books a place for herself, and cancels and books again.
send POST "/v1/sessions/$reading/bookings" '{}'
expect 201
booking=$(field .id)
call DELETE "/v1/bookings/$booking"
[[ $STATUS = 20[04] ]] || fail "cancelling answered $STATUS: $BODY"
send POST "/v1/sessions/$reading/bookings" '{}'
expect 201
booking=$(field .id)
get "/v1/members/$peg/bookings"
expect 200
holds "she should have the place" 'any(.items[]; .id == $id and .status == "booked")' --arg id "$booking"
passed "4. Peg booked, cancelled, and booked again."

# 5. An advisor notes that Peg cares for Sid, so she books for him too.
log_in advisor
send POST /v1/members '{"given_name": "Sid", "family_name": "Reid", "roles": ["service_user"]}'
expect 201
sid=$(field .id)
send POST "/v1/members/$sid/relationships" "$(jq -nc --arg from "$peg" --arg to "$sid" '{from_member: $from, to_member: $to,
  kind: "carer_of", may_book: true, authority: "member_agreed", status: "active", evidence: "Both said so at the desk"}')"
expect 201
TOKEN=$peg_token
send POST "/v1/sessions/$choir/bookings" "$(jq -nc --arg member_id "$sid" '{$member_id}')"
expect 201
get "/v1/bookings/$(field .id)"
expect 200
booking=$(field .id)
get "/v1/members/$sid/bookings?booked_by=me"
expect 200
[ "$(field '.items[0].id')" = "$booking" ]
get "/v1/members/$sid"
refused 404 not-found
passed "5. Peg booked for Sid, and sees nothing else of his record."

# 6. Her messages.
get "/v1/members/$peg/messages"
expect 200
holds "she should be told that she has a place" 'any(.items[]; .kind == "booked")'
passed "6. Peg reads what the service told her."

# 7. A consent, given and taken back.
for decision in given withdrawn; do
  send POST "/v1/members/$peg/consents" "$(jq -nc --arg partner_id "$PARTNER" --arg decision "$decision" \
    '{purpose: "share_with_partner", $partner_id, $decision, evidence: "by the member"}')"
  expect 201
done
get "/v1/members/$peg/consents?current=true"
expect 200
holds "the last one should count" 'any(.items[]; .purpose == "share_with_partner" and .decision == "withdrawn")'
passed "7. Peg let The Reader know her, and took it back."

# 8. Who looked at her record.
log_in advisor
get "/v1/members/$peg"
expect 200
TOKEN=$peg_token
get "/v1/members/$peg/access-log?own=false"
expect 200
holds "she should see who looked, by name" 'any(.items[]; .action == "read" and .who.name == "Example advisor")'
passed "8. Peg sees who looked."

# 9. Her data, to take along.
send POST "/v1/members/$peg/export" "$(jq -nc --arg current_password "$secret" '{$current_password}')"
expect 202
export_at=$(header location)
is_ready() { get "$export_at"; expect 200; [ "$(field .status)" = ready ]; }
within 30 is_ready || fail "the export isn't ready: $BODY"
get "$export_at/document" -H 'Accept: application/json'
expect 200
grep -q 'To read again, with others' "$work/body" || fail "her own words should be in the document"
get "$export_at/document" -H 'Accept: text/html'
expect 200
grep -q 'To read again, with others' "$work/body" || fail "her own words should be in the page"
passed "9. Peg took her data along, as JSON and as a page to print."

# 10. She asks to be forgotten. An admin, who sees no name, lets it happen; then nothing of her is left.
send POST "/v1/members/$peg/erasure" "$(jq -nc --arg current_password "$secret" '{$current_password}')"
expect 202
log_in admin
get '/v1/erasures?status=requested'
expect 200
erasure=$(field '.items[0].id')
if grep -q 'Reid' "$work/body"; then fail "an admin should see no name: $BODY"; fi
send POST "/v1/erasures/$erasure/execute" '{"force": true}'
expect 200
TOKEN=$peg_token
get /v1/me
refused 401 unauthenticated
log_in advisor
get "/v1/members/$peg"
refused 410 erased
passed "10. Peg is forgotten."
