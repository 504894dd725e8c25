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
# An analyst asks for whole months.
month=$(jq -nr 'now | gmtime | .[1] += 1 | .[2] = 1 | mktime - 86400 | strftime("&to=%Y-%m-%d")')
for role in analyst admin; do
  log_in "$role"
  if [ "$role" = analyst ]; then to=$month; else to=''; fi
  get "/v1/reports/prescriptions?from=2021-10-01$to&local_authority=Liverpool&origin=advisor"
  expect 200
  holds "there should be 8507 prescriptions" '.totals.prescriptions == 8507'
  get "/v1/reports/attendance?from=2021-10-01$to&delivery=in_person&pillar=learning&local_authority=Sefton&local_authority=Liverpool"
  expect 200
  holds "there should be 6147 people" '.totals.distinct_members == 6147'
done
passed "8507 prescriptions in Liverpool, 6147 people at learning sessions in Sefton and Liverpool."
