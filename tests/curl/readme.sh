#!/usr/bin/env bash
# Runs the journey that the README tells, exactly as it stands there: every ```bash block below its heading.
# See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

awk '/^## /{inside = /^## The main job/} inside && /^```$/{print ""; block = 0} inside && block {print}
  inside && /^```bash$/{block = 1}' "$root/README.md" >"$work/journey"
grep -q curl "$work/journey" || fail "the README's journey has no curl"

start_server
# What a reader has: the binary on the path, the server on its usual address.
mkdir "$work/bin" "$work/checkout"
ln -s "$(realpath "$LIFE_ROOMS")" "$work/bin/life-rooms"
ln -s "$root/src" "$work/checkout/src"
cd "$work/checkout"
PATH=$work/bin:$PATH bash -euo pipefail -c "$(sed "s|http://127.0.0.1:8080|$BASE_URL|" "$work/journey")" \
  >"$work/said" 2>&1 </dev/null || fail "the README's journey failed after saying: $(tail -n 20 "$work/said")"
for figure in '"sessions":208' '"unchanged":4' '"sessions":1098' '"seats_taken":1' 'already-booked' 'session-full' \
  '"distinct_members":2'; do
  grep -qF "$figure" "$work/said" || fail "the README's journey should say $figure; it said: $(cat "$work/said")"
done
passed "The README's journey runs as it stands."
