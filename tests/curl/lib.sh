# shellcheck shell=bash disable=SC2016,SC2034
# Helpers of the scripts in this folder: they start a server, call it with curl and look at answers with jq.
# To be sourced by bash, after `set -euo pipefail`.
#
#   LIFE_ROOMS    the binary (default: the release build)
#   DATABASE_URL  an empty database (default: an SQLite file in a temporary folder)
#   BASE_URL      a server that runs on that database already; then none is started

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
data=$root/src/demo/data
: "${LIFE_ROOMS:=$root/target/release/life-rooms}"
for tool in curl jq; do
  command -v "$tool" >/dev/null || { echo "This script needs $tool: install it, for instance with: apt-get install $tool" >&2; exit 1; }
done

[ -x "$LIFE_ROOMS" ] || { echo "There is no binary at $LIFE_ROOMS: build it, or say where it is with LIFE_ROOMS." >&2; exit 1; }

work=$(mktemp -d)
server=''
trap 'stop_server; rm -rf "$work"' EXIT
export DATABASE_URL=${DATABASE_URL:-sqlite://$work/journey.db}
export LIFE_ROOMS_KEY_DIR=${LIFE_ROOMS_KEY_DIR:-$work/keys}
# Where London is does not depend on this machine's time zone files.
london=GMT0BST,M3.5.0/1,M10.5.0/2
password='a long password of the journey'
TOKEN='' STATUS='' BODY=''

fail() {
  echo "FAILED: $*" >&2
  [ ! -s "$work/server.log" ] || { echo "The server's last lines:" >&2; tail -n 15 "$work/server.log" >&2; }
  exit 1
}

passed() { printf 'ok  %s\n' "$*"; }

# Waits until a command succeeds, trying it ten times a second, at most this many seconds.
within() {
  local tries=$(($1 * 10)); shift
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

# Starts the server on a free port, without the limits of requests for each caller (the scripts send as fast as they can),
# and sets BASE_URL from its ready line.
start_server() {
  [ -z "${BASE_URL:-}" ] || return 0
  : >"$work/server.log"
  RUST_LOG=${RUST_LOG:-info,life_rooms::access=warn} LIFE_ROOMS_BIND=127.0.0.1:0 LIFE_ROOMS_LOG_FORMAT=text \
    LIFE_ROOMS_CALLER_LIMIT=${LIFE_ROOMS_CALLER_LIMIT:-0} LIFE_ROOMS_NETWORK_LIMIT=${LIFE_ROOMS_NETWORK_LIMIT:-0} \
    "$LIFE_ROOMS" serve 2>"$work/server.log" &
  server=$!
  within 60 answered || fail "the server did not say that it is ready"
  BASE_URL=$(sed -n 's/.*ready on \(http:[^ ]*\) .*/\1/p' "$work/server.log" | head -n 1)
}

answered() {
  kill -0 "$server" 2>/dev/null || fail "the server stopped at its start"
  grep -q 'ready on http:' "$work/server.log"
}

stop_server() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=''
}

# blocks PAGE HEADING KIND FOLDER: writes the blocks of commands below a page's heading, as they stand there, to
# FOLDER/1, FOLDER/2 …
blocks() {
  mkdir -p "$4"
  awk -v heading="## $2" -v kind="\`\`\`$3" -v folder="$4" '
    block && $0 == "```" {block = 0; close(file)}
    block {print >file}
    !block && /^## / {inside = $0 == heading}
    inside && $0 == kind {block = 1; file = folder "/" ++number}' "$root/$1"
  [ -s "$4/1" ] || fail "$1 has no commands in $3 below \"$2\""
}

# The binary on the path, as the pages call it.
put_on_path() {
  mkdir -p "$work/bin"
  ln -sf "$(realpath "$LIFE_ROOMS")" "$work/bin/life-rooms"
  export PATH=$work/bin:$PATH
}

# The server's mails go into the folder $mails. To be called before the server starts.
keep_mails() {
  mails=$work/mails
  mkdir "$mails"
  export LIFE_ROOMS_MAIL_URL=file:$mails LIFE_ROOMS_MAIL_FROM='Life Rooms <rooms@example.org>'
  export LIFE_ROOMS_MAIL_REPLY_TO=desk@example.org
}

# await_mail SUBJECT: waits for a mail whose subject begins so, and sets MAIL to its file.
await_mail() { within 20 mail_came "$1" || fail "no mail with the subject \"$1\" has come"; }
mail_came() {
  MAIL=$(grep -lE "^Subject: $1" "$mails"/*.eml 2>/dev/null | head -n 1)
  [ -n "$MAIL" ]
}

# call METHOD PATH [curl arguments]: sets STATUS and BODY, leaves the headers in $work/headers.
call() {
  local method=$1 path=$2; shift 2
  : >"$work/body"
  STATUS=$(curl -sS -g --max-time 120 -X "$method" ${TOKEN:+-H "Authorization: Bearer $TOKEN"} -o "$work/body" \
    -D "$work/headers" -w '%{http_code}' "$@" "$BASE_URL$path") || fail "$method $path: no answer"
  # Bash can't hold a NUL; no answer has one.
  BODY=$(tr -d '\0' <"$work/body")
  asked="$method $path"
}

get() { call GET "$@"; }

# send METHOD PATH JSON [curl arguments]
send() {
  local method=$1 path=$2 json=$3; shift 3
  printf '%s' "$json" >"$work/sent"
  call "$method" "$path" -H 'Content-Type: application/json' --data-binary "@$work/sent" "$@"
}

# Changes or replaces what GET shows, with its ETag in If-Match.
send_back() {
  local method=$1 path=$2 json=$3
  get "$path"
  expect 200
  send "$method" "$path" "$json" -H "If-Match: $(header etag)"
}

header() { tr -d '\r' <"$work/headers" | sed -n "s/^$1: //Ip" | head -n 1; }

expect() { [ "$STATUS" = "$1" ] || fail "$asked answered $STATUS, not $1: $(printf '%.1500s' "$BODY")"; }

# field FILTER: a value of the answer.
field() { jq -r "$1" <<<"$BODY"; }

# holds SENTENCE FILTER [jq arguments]: the filter must give true for the answer.
holds() {
  local sentence=$1 filter=$2; shift 2
  jq -e "$@" "$filter" <<<"$BODY" >/dev/null || fail "$sentence; $asked answered $STATUS: $(printf '%.1500s' "$BODY")"
}

# refused STATUS SLUG [POINTER]: the answer must be this problem and point at this fault.
refused() {
  expect "$1"
  [ "$(header content-type)" = application/problem+json ] || fail "$asked: the refusal is no problem document"
  holds "the problem should be $2" '.type == "/problems/" + $slug and .status == ($status | tonumber)' \
    --arg slug "$2" --arg status "$1"
  [ -z "${3:-}" ] || holds "the problem should point at $3" \
    '[.errors[]? | .pointer, .parameter] | index($at) != null' --arg at "$3"
}

# pages PATH: reads a list page by page; BODY becomes one array of all items, PAGES their number.
pages() {
  local next=$1
  PAGES=0
  : >"$work/items"
  while [ "$next" != null ]; do
    get "$next"
    expect 200
    jq -c '.items[]' <<<"$BODY" >>"$work/items"
    next=$(field .next)
    PAGES=$((PAGES + 1))
    [ "$PAGES" -le 1000 ] || fail "the list $1 has no end"
  done
  BODY=$(jq -sc . "$work/items")
  asked="GET $1, all pages,"
}

# make_account ROLE: an account made on the command line; its address is ROLE@example.org.
make_account() {
  printf '%s\n' "$password" | "$LIFE_ROOMS" user create --email "$1@example.org" --role "$1" --display-name "Example $1" \
    --password-stdin \
    >"$work/user.log" 2>&1 || fail "user create: $(cat "$work/user.log")"
}

# log_in ROLE: sets TOKEN.
log_in() {
  TOKEN=
  send POST /v1/auth/login "$(jq -nc --arg email "$1@example.org" --arg password "$password" '{$email, $password}')"
  expect 200
  TOKEN=$(field .access_token)
}

# client_token ID SECRET: sets TOKEN to one of a partner's API client.
client_token() {
  TOKEN=
  call POST /v1/oauth/token --user "$1:$2" --data grant_type=client_credentials
  expect 200
  TOKEN=$(field .access_token)
}

# Creates the venues of the published list.
create_venues() {
  local venue
  while read -r venue; do
    send POST /v1/venues "$venue"
    expect 201
  done < <(tail -n +2 "$data/venues.csv" | jq -Rc 'rtrimstr("\r") | select(. != "") | split(",")
    | {slug: .[0], name: .[1], kind: .[2], local_authority: .[6],
       address: ({line_1: .[3], town: .[4], postcode: .[5]} | with_entries(select(.value != "")))}')
}

# create_partner SLUG NAME KIND: sets PARTNER to its id.
create_partner() {
  send POST /v1/partners "$(jq -nc --arg slug "$1" --arg name "$2" --arg kind "$3" '{$slug, $name, $kind}')"
  expect 201
  PARTNER=$(field .id)
}

# create_client PARTNER SCOPES…: sets CLIENT_ID and CLIENT_SECRET.
create_client() {
  local partner=$1; shift
  send POST "/v1/partners/$partner/clients" "$(jq -nc '{name: "scheduling", scopes: $ARGS.positional}' --args "$@")"
  expect 201
  CLIENT_ID=$(field .client_id)
  CLIENT_SECRET=$(field .client_secret)
}

# local_time SECONDS: London's wall clock that many seconds from now.
local_time() { TZ=$london jq -nr --argjson plus "$1" 'now + $plus | floor | strflocaltime("%Y-%m-%dT%H:%M:%S")'; }
