#!/usr/bin/env bash
# The program on a terminal and with settings that are wrong: it says so plainly. See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# says CODE TEXT COMMAND…: the command ends with this code and says this on standard error.
says() {
  local code=$1 text=$2 found=0; shift 2
  "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
  [ "$found" = "$code" ] || fail "$* ended with $found, not $code: $(cat "$work/err")"
  grep -qF -- "$text" "$work/err" || fail "$* should say: $text; it said: $(cat "$work/err")"
}

for filter in '%%%' 'inof' 'info,life_rooms=loud'; do
  says 2 'RUST_LOG' env RUST_LOG="$filter" "$LIFE_ROOMS" migrate
done
says 2 'did you mean info?' env RUST_LOG=inof "$LIFE_ROOMS" migrate
passed "A RUST_LOG that would leave the server without a log is refused."

says 0 'LIFE_ROOMS_BINDD is not a setting and is ignored; did you mean LIFE_ROOMS_BIND?' \
  env LIFE_ROOMS_BINDD=127.0.0.1:1 "$LIFE_ROOMS" migrate
says 2 'LIFE_ROOMS_REPORTS_SINCE must be the first day of a month' \
  env LIFE_ROOMS_REPORTS_SINCE=2021-10-02 "$LIFE_ROOMS" serve
passed "A misspelt setting is told with the one that is meant."

printf 'slug,name\nwalton,Walton\n' >"$work/garbage.db"
mkdir "$work/folder.db"
for command in migrate serve demo 'user create --email a@example.org --role admin --password-stdin' 'sessions extend' \
  'audit verify'; do
  # shellcheck disable=SC2086
  says 1 'it is a file, but no SQLite database' env DATABASE_URL="sqlite://$work/garbage.db" LIFE_ROOMS_BIND=127.0.0.1:0 \
    bash -c 'echo a long password | "$0" "$@"' "$LIFE_ROOMS" $command
done
says 1 'it is a folder' env DATABASE_URL="sqlite://$work/folder.db" "$LIFE_ROOMS" migrate
says 1 "there is no folder $work/nowhere" env DATABASE_URL="sqlite://$work/nowhere/life-rooms.db" "$LIFE_ROOMS" migrate
[ "$(cat "$work/garbage.db")" = "$(printf 'slug,name\nwalton,Walton')" ] || fail "the file was written to"
passed "A database that is none is told plainly and left as it is."

# A terminal of its own: what is typed must not be shown.
command -v script >/dev/null || fail "this script needs script: install it, for instance with: apt-get install bsdutils"
typed='typed where nobody looks'
create="'$LIFE_ROOMS' user create --email typed@example.org --role admin"
for option in '' ' --password-stdin'; do
  asked() { grep -q "$1" "$work/terminal"; }
  : >"$work/terminal"
  { within 20 asked 'Password:' && printf '%s\n' "$typed" && within 20 asked 'same again' && printf '%s\n' "$typed"; } |
    script -qefc "$create$option" "$work/terminal" >"$work/shown" 2>&1 || fail "user create: $(cat "$work/shown")"
  grep -q 'Made the account' "$work/shown" || fail "user create should make an account: $(cat "$work/shown")"
  ! grep -qF "$typed" "$work/shown" || fail "the password was shown as it was typed"
  create=${create/typed@/again@}
done
says 2 'with --password-stdin' "$LIFE_ROOMS" user create --email no@example.org --role admin
password=$typed
start_server
send POST /v1/auth/login "$(jq -nc --arg password "$typed" '{email: "typed@example.org", $password}')"
expect 200
passed "A password that is typed on a terminal isn't shown."

stop_server
case $DATABASE_URL in
sqlite://*)
  file=${DATABASE_URL#sqlite://}
  [ ! -s "$file-wal" ] || fail "a clean stop should leave nothing in the log beside the file"
  [ "$(stat -c %a "$file")" = 600 ] || fail "only the owner should read the database: $(stat -c '%a %n' "$file")"
  ;;
esac
[ "$(stat -c %a "$LIFE_ROOMS_KEY_DIR")" = 700 ] || fail "only the owner should see the keys"
chmod 644 "$LIFE_ROOMS_KEY_DIR"/*.der
says 1 'run: chmod 600' env LIFE_ROOMS_BIND=127.0.0.1:0 "$LIFE_ROOMS" serve
chmod 600 "$LIFE_ROOMS_KEY_DIR"/*.der
passed "The files are their owner's alone, and a key that others may read stops the start."

lacking=$work/lacking.db
DATABASE_URL=sqlite://$lacking "$LIFE_ROOMS" migrate >/dev/null
sqlite3 "$lacking" 'DROP TABLE audit_events'
says 1 'lacks tables: audit_events' env DATABASE_URL="sqlite://$lacking" LIFE_ROOMS_BIND=127.0.0.1:0 "$LIFE_ROOMS" serve
passed "A database that lacks a table is named at the start."
