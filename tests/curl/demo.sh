#!/usr/bin/env bash
# The demo data gives the two figures that the service published. See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

SECONDS=0
"$LIFE_ROOMS" demo >"$work/demo.log" 2>&1 || fail "life-rooms demo: $(tail -n 5 "$work/demo.log")"
[ "$SECONDS" -lt "${DEMO_SECONDS:-30}" ] || fail "making the demo data took $SECONDS s"
passed "The demo data was made in $SECONDS s."
if "$LIFE_ROOMS" demo >"$work/demo.log" 2>&1; then fail "demo should not fill a database that has members"; fi
make_account analyst
make_account admin
start_server
# The published figures: exact to an admin, to an analyst rounded to the nearest 5.
figures() {
  log_in "$1"
  get "/v1/reports/prescriptions?$2local_authority=Liverpool&origin=advisor"
  expect 200
  holds "there should be $3 prescriptions" '.totals.prescriptions == ($count | tonumber)' --arg count "$3"
  get "/v1/reports/attendance?$2delivery=in_person&pillar=learning&$5"
  expect 200
  holds "there should be $4 people" '.totals.distinct_members == ($count | tonumber)' --arg count "$4"
}
figures admin 'from=2021-10-01&' 8507 6147 'local_authority=Sefton&local_authority=Liverpool'
figures admin 'period=all&' 8507 6147 area=liverpool-and-sefton
figures analyst 'period=all&' 8505 6145 area=liverpool-and-sefton
passed "8507 prescriptions in Liverpool, 6147 people at learning sessions in Sefton and Liverpool; 8505 and 6145 to an analyst."

# What else an analyst sees: every place, and of a month only that some numbers are small.
get '/v1/reports/prescriptions?group_by=local_authority'
expect 200
holds "every count should be a multiple of 5, and the days said" '.suppression.applied and .days.from == "2021-10-01"
  and ([.rows[].prescriptions | numbers] | length > 2 and all(. % 5 == 0))'
get '/v1/reports/attendance?period=2024-05&group_by=local_authority'
expect 200
holds "small numbers should be null and named" 'all(.rows[]; (.distinct_members == null) == any(.suppressed[]; . == "distinct_members"))'
get '/v1/reports/attendance?local_authority=Sefton&local_authority=Liverpool'
refused 400 invalid-parameter local_authority
get '/v1/reports/prescriptions?from=2021-10-01'
refused 400 invalid-parameter from
get '/v1/reports/attendance?pillar=learning&delivery=in_person&group_by=month'
refused 400 invalid-parameter group_by
passed "An analyst gets rounded figures of periods that are over, in two dimensions at once."

# The README's way to it. The demo's server has a database of its own, so once is enough.
case $DATABASE_URL in sqlite:*) ;; *) exit 0 ;; esac
stop_server
put_on_path
blocks README.md 'Try it' sh "$work/start"
blocks README.md 'Try it' bash "$work/figures"
mkdir "$work/folder"
cd "$work/folder"
# The server itself, not cargo, is what is started and stopped here.
sed 's|^cargo run --release -- |exec life-rooms |' "$work/start/1" >"$work/start.sh"
grep -qx 'exec life-rooms serve --demo' "$work/start.sh" || fail "the README should start the demo with serve --demo"
: >"$work/server.log"
LIFE_ROOMS_BIND=127.0.0.1:0 bash "$work/start.sh" >"$work/accounts" 2>"$work/server.log" &
server=$!
within 120 answered || fail "the demo's server did not say that it is ready"
BASE_URL=$(sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/server.log" | head -n 1)
[ -f life-rooms-demo.db ] || fail "the demo should be in life-rooms-demo.db in this folder"
for role in admin advisor analyst member partner; do
  password=$(awk -v role="$role" '$1 == role {print $3}' "$work/accounts")
  log_in "$role"
done
password=$(awk '$1 == "analyst" {print $3}' "$work/accounts")
sed "s|http://127.0.0.1:8080|$BASE_URL|; s|the printed password|$password|" "$work/figures/1" >"$work/figures.sh"
for shell in bash zsh; do
  command -v "$shell" >/dev/null || fail "this script needs $shell: install it, for instance with: apt-get install $shell"
  "$shell" "$work/figures.sh" >"$work/said" 2>&1 || fail "the README's figures failed in $shell: $(cat "$work/said")"
  jq -se '.[0].prescriptions == 8505 and .[1].distinct_members == 6145' "$work/said" >/dev/null ||
    fail "the README's figures should be 8505 and 6145 in $shell: $(cat "$work/said")"
done
passed "serve --demo prints an account for each role, and the README's commands show an analyst's figures."
