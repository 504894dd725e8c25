#!/usr/bin/env bash
# Runs the journey that the README tells, exactly as it stands there: every ```bash block below its heading. Twice in one
# bash, as somebody does who pastes it again, and once in zsh. See lib.sh for the settings.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/lib.sh"

blocks README.md 'The main job, with curl' bash "$work/blocks"
# A pasted comment is a command in zsh, and other systems have other programs of these names.
if grep -nE '^ *#' "$work"/blocks/*; then fail "the README's journey has comments"; fi
if grep -nwE 'date|sed|gawk|mapfile|readarray' "$work"/blocks/*; then fail "the README's journey needs GNU programs"; fi

start_server
put_on_path
mkdir "$work/checkout"
ln -s "$root/src" "$work/checkout/src"
cd "$work/checkout"
for block in $(seq "$(find "$work/blocks" -type f | wc -l)"); do
  sed "s|http://127.0.0.1:8080|$BASE_URL|" "$work/blocks/$block"
  echo
done >"$work/journey"
{ cat "$work/journey"; echo 'echo again >&3'; cat "$work/journey"; } >"$work/pasted-twice"

# run NAME COMMAND…: keeps what it says in $work/NAME. It must end by itself, and say nothing of its own failures.
run() {
  local name=$1; shift
  timeout 240 "$@" >"$work/$name" 2>&1 </dev/null 3>&1 ||
    fail "the README's journey in $* failed after saying: $(tail -n 20 "$work/$name")"
  if grep -nE 'curl: |jq: |error|not found' "$work/$name"; then fail "the README's journey in $* isn't quiet"; fi
}

# says FILE FIGURE…
says() {
  local figure file=$1; shift
  for figure in "$@"; do
    grep -qF -- "$figure" "$file" || fail "the README's journey should say $figure; it said: $(cat "$file")"
  done
}

every_time=('"unchanged":4' '"seats_taken":1,' already-booked session-full '"decision":"given"' 'Ada Allerton'
  '"headcount":{"beneficiaries":14,"family":3,"carers":2}' '"attended":[true,false]' '"distinct_members":2,'
  '"largest_suppressed":7')
run twice bash -euo pipefail "$work/pasted-twice"
sed '/^again$/,$d' "$work/twice" >"$work/first"
sed '1,/^again$/d' "$work/twice" >"$work/second"
says "$work/first" '"sessions":208' '"sessions":1098' 'The Reader' '"prescriptions":1,' "${every_time[@]}"
if grep -E 'It exists already|Another account' "$work/first"; then fail "the README's journey meets what it has made"; fi
says "$work/second" 'It exists already' 'Another account has this e-mail address' \
  'The site is hosted elsewhere at that time' '"unchanged":11' '"prescriptions":2,' \
  "${every_time[@]}"
passed "The README's journey runs as it stands, and again."

command -v zsh >/dev/null || fail "this script needs zsh: install it, for instance with: apt-get install zsh"
run zsh zsh -f "$work/journey"
says "$work/zsh" '"prescriptions":3,' "${every_time[@]}"
passed "It runs in zsh."
