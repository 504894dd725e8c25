#!/usr/bin/env bash
# SIGTERM under load: /health/ready answers 503 first, no request in flight fails, the server is gone within 10 s.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../curl/lib.sh"

unset BASE_URL
start_server
make_account admin
log_in admin

venue() { echo "{\"slug\": \"$1\", \"name\": \"$1\", \"kind\": \"other\", \"local_authority\": \"Sefton\"}"; }
ask() { curl -s --max-time 15 -o /dev/null -w '%{http_code}\n' -H "Authorization: Bearer $TOKEN" "$@"; }

# Clients that behave like ones behind a load balancer: they stop when the server says that it isn't ready.
client() {
  local turn=0
  while [ ! -e "$work/stopping" ]; do
    turn=$((turn + 1))
    ask "$BASE_URL/v1/venues" || echo "curl $?"
    ask -H 'Content-Type: application/json' -d "$(venue "c$1-$turn")" "$BASE_URL/v1/venues" || echo "curl $?"
  done >"$work/client.$1"
}
pids=()
for number in 1 2 3 4; do
  client "$number" &
  pids+=($!)
done
# Requests whose bodies take three seconds, so that they are in flight when the signal comes.
for number in 1 2 3; do
  body=$(venue "slow-$number")
  { printf '%s' "${body:0:20}"; sleep 3; printf '%s' "${body:20}"; } |
    ask -X POST -H 'Content-Type: application/json' -H 'Expect:' -T - "$BASE_URL/v1/venues" >"$work/slow.$number" &
  pids+=($!)
done
sleep 1

SECONDS=0
kill -TERM "$server"
not_ready() { [ "$(curl -s --max-time 1 -o "$work/ready" -w '%{http_code}' "$BASE_URL/health/ready")" = 503 ]; }
for _ in $(seq 1 20); do
  if not_ready; then touch "$work/stopping"; break; fi
  sleep 0.02
done
[ -e "$work/stopping" ] || { touch "$work/stopping"; fail "/health/ready should answer 503 before the server stops"; }
jq -e '.type == "/problems/unavailable"' "$work/ready" >/dev/null || fail "not ready should be a problem document"
code=0
wait "$server" || code=$?
server=''
took=$SECONDS
wait "${pids[@]}"
[ "$code" = 0 ] || fail "the server ended with exit code $code"
[ "$took" -le 10 ] || fail "the server took $took s to stop"
cat "$work"/slow.* | sort | uniq -c | grep -q '^ *3 201$' || fail "slow requests failed: $(cat "$work"/slow.*)"
wrong=$(cat "$work"/client.* | grep -vE '^(200|201)$' | sort | uniq -c || true)
[ -z "$wrong" ] || fail "requests in flight failed: $wrong"
passed "SIGTERM: not ready first, $(cat "$work"/client.* "$work"/slow.* | wc -l) requests answered, none failed, gone within $((took + 1)) s."
