#!/usr/bin/env bash
# Runs the commands of docs/operating.md exactly as they stand there: the first account, then a backup while the server
# writes, a crash, the restore, and the start after it. Holds the table of settings to the program. See lib.sh for the
# settings. Needs sqlite3, or pg_dump and pg_restore.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

put_on_path
# What a server has that is started in a folder: life-rooms.db and its keys beside it.
mkdir "$work/site"
cd "$work/site"
case $DATABASE_URL in
  sqlite:*)
    kind=sqlite
    tools='sqlite3'
    export DATABASE_URL=sqlite://life-rooms.db
    unset LIFE_ROOMS_KEY_DIR
    ;;
  *)
    kind=postgres
    tools='psql pg_dump pg_restore'
    # A new database beside the one that is backed up.
    server_url=${DATABASE_URL%/*}
    restored=${DATABASE_URL##*/}_restored
    ;;
esac
for tool in $tools; do
  command -v "$tool" >/dev/null || fail "this script needs $tool: install sqlite3 or postgresql-client"
done

# Every setting of the program stands on the page with its default, and no other does.
page=$root/docs/operating.md
env -i "$LIFE_ROOMS" serve --help |
  sed -n 's/.*\[env: \([A-Z_]*\)=*\]\( \[default: \(.*\)\]\)*$/\1 \3/p' | sed 's/ ""$/ /' >"$work/settings"
[ "$(wc -l <"$work/settings")" -ge 10 ] || fail "serve --help should name its settings"
while read -r name default; do
  grep -qF "| \`$name\` | ${default:+\`$default\` |}" "$page" || fail "the page should have $name with its default: $default"
done <"$work/settings"
grep -oE '^\| `(DATABASE_URL|LIFE_ROOMS_[A-Z_]*)`' "$page" | tr -d '|` ' >"$work/listed"
while read -r name; do
  grep -q "^$name " "$work/settings" || [ "$name" = LIFE_ROOMS_LOG_FORMAT ] || fail "the page lists $name, which is no setting"
done <"$work/listed"
passed "The page lists every setting with its default."

# paste SECTION NUMBER: runs a block of the page.
paste() {
  blocks docs/operating.md "$1" bash "$work/${1// /-}"
  bash -euo pipefail "$work/${1// /-}/$2" >"$work/said" 2>&1 </dev/null || fail "$1, block $2: $(cat "$work/said")"
}

PASSWORD=$password paste 'As a service' 1
start_server
paste Limits 1
log_in you
create_venues
create_partner the-reader 'The Reader' charity
reader=$PARTNER
send POST "/v1/partners/$reader/programmes" '{"slug": "shared-reading", "name": "Shared Reading"}'
expect 201
call POST "/v1/partners/$reader/rosters" -H 'Content-Type: text/csv' --data-binary "@$data/roster-the-reader.csv"
holds 'the roster should make 208 sessions' '.sessions.created == 208'
make_account advisor
admin=$TOKEN
log_in advisor
advisor=$TOKEN
send POST /v1/members '{"given_name": "Zoë", "family_name": "Longwith", "roles": ["service_user"]}'
expect 201
member=$(field .id)
get '/v1/sessions?from=2027-01-01&to=2027-12-31&q=reading&limit=1'
session=$(field '.items[0].id')
send POST "/v1/sessions/$session/bookings" "{\"member_id\": \"$member\"}"
expect 201

paste 'Who looked at whose data' 1
grep -q 'The audit is whole' "$work/said" || fail "the audit should be whole: $(cat "$work/said")"
passed "The audit is whole beside a running server."

# What there is, as the API shows it. Venues named later-… are written while the backup is made.
world() {
  local list
  for list in /v1/partners "/v1/partners/$reader/programmes" "/v1/session-series?partner_id=$reader" \
    '/v1/sessions?from=2027-01-01&to=2027-12-31' /v1/venues; do
    TOKEN=$admin pages "$list"
    jq -c '.[] | select((.slug // "") | startswith("later-") | not)' <<<"$BODY"
  done
  for list in "/v1/members/$member" "/v1/members/$member/bookings" "/v1/sessions/$session" '/v1/venues?q=library'; do
    TOKEN=$advisor get "$list"
    expect 200
    jq -c . <<<"$BODY"
  done
}
world >"$work/before"
[ "$(wc -l <"$work/before")" -gt 230 ] || fail "there should be data: $(wc -l <"$work/before") lines"

writer() {
  local number=0
  TOKEN=$admin
  while [ ! -e "$work/enough" ]; do
    number=$((number + 1))
    jq -nc --arg slug "later-$number" '{$slug, name: $slug, kind: "other", local_authority: "Sefton"}' |
      curl -sS -f -o "$work/written" -X POST "$BASE_URL/v1/venues" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/json' --data-binary @- || return 1
    # Whoever reads it meanwhile must not find it empty.
    echo "$number" >"$work/acknowledged.new"
    mv "$work/acknowledged.new" "$work/acknowledged"
  done
}
writer &
writing=$!
some_written() { [ -s "$work/acknowledged" ] && [ "$(cat "$work/acknowledged")" -ge 10 ]; }
within 30 some_written || fail "nothing is written beside the backup"
acknowledged=$(cat "$work/acknowledged")
paste 'Backup and restore' "$([ $kind = sqlite ] && echo 1 || echo 3)"
[ $kind != sqlite ] || grep -qx ok "$work/said" || fail "the backup's check should say ok: $(cat "$work/said")"
at_end=$(cat "$work/acknowledged")
still_writing() { [ "$(cat "$work/acknowledged")" -gt "$at_end" ]; }
within 30 still_writing || fail "the server should write on while it is backed up"
: >"$work/enough"
wait "$writing" || fail "a write failed beside the backup"
passed "The backup was made while the server wrote."

TOKEN=$admin create_partner after-the-backup 'After the backup' charity
# A crash: what the old file left beside it is there still.
kill -9 "$server"
wait "$server" 2>/dev/null || true
server=''
if [ $kind = sqlite ]; then
  [ -s life-rooms.db-wal ] || fail "there should be a log beside the crashed file"
  paste 'Backup and restore' 2
else
  psql -q -c "CREATE DATABASE $restored" "$DATABASE_URL"
  export NEW_DATABASE_URL=$server_url/$restored
  paste 'Backup and restore' 4
  export DATABASE_URL=$NEW_DATABASE_URL
fi
for words in 'The database is up to date' 'so has every token'; do
  grep -q "$words" "$work/said" || fail "the restore should say: $words: $(cat "$work/said")"
done
BASE_URL=''
start_server
# A token of before may be one that was used up since the backup, so everybody logs in again.
TOKEN=$admin get /v1/me
refused 401 unauthenticated
log_in you
admin=$TOKEN
log_in advisor
advisor=$TOKEN
world >"$work/after"
cmp "$work/before" "$work/after" || fail "the data isn't there after the restore"
TOKEN=$admin pages /v1/venues
holds "everything that was acknowledged before the backup should be there" \
  '([.[].slug | select(startswith("later-"))] | length) >= ($count | tonumber)' --arg count "$acknowledged"
TOKEN=$admin pages /v1/partners
holds "what was written after the backup should not be there" 'all(.[]; .slug != "after-the-backup")'
TOKEN=$admin create_partner after-the-restore 'After the restore' charity
passed "The restore has the data of the backup, and the server writes on."

paste 'Signing keys' 1
grep -q 'Made the signing key' "$work/said" || fail "a key should be made: $(cat "$work/said")"
TOKEN=$admin get /v1/me
holds 'a token of the key before should count' '.role == "admin"'
passed "A new signing key logs nobody out."
