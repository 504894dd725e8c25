#!/usr/bin/env bash
# Property-based tests of every operation, as everybody who may call it: https://schemathesis.readthedocs.io
#
#   SCHEMATHESIS_SECONDS  how long each role is tried (default: 20; before a release: 90)
#   SCHEMATHESIS_SEED     the number that a failed run printed, to run it again
set -euo pipefail
# shellcheck source=tests/contract/lib.sh
source "$(dirname "$0")/lib.sh"
# With mails, since without them some operations answer 503 to everybody; and as many of them as are asked for.
export LIFE_ROOMS_MAIL_URL=file:$work/mails LIFE_ROOMS_MAIL_FROM=rooms@example.org LIFE_ROOMS_MAIL_REPLY_TO=desk@example.org
export LIFE_ROOMS_MAIL_ADDRESS_LIMIT=0 LIFE_ROOMS_MAIL_NETWORK_LIMIT=0 LIFE_ROOMS_LINK_LIMIT=0
fill_service
document
export SEED=$work/seed.json SCHEMATHESIS_HOOKS=hooks
cp "$contract/schemathesis/"* "$work/"
cd "$work"
export PYTHONPATH=$work PYTHONDONTWRITEBYTECODE=1
for ROLE in $(jq -r '.tokens | keys[]' "$SEED"); do
  export ROLE
  token=$(jq -r '.tokens[env.ROLE]' "$SEED")
  schemathesis --config-file schemathesis.toml run "$work/openapi.json" --url "$BASE_URL" ${token:+-H "Authorization: Bearer $token"} \
    --max-time "${SCHEMATHESIS_SECONDS:-20}" --phases examples,coverage,fuzzing,stateful --workers 1 --no-color --warnings off \
    ${SCHEMATHESIS_SEED:+--seed "$SCHEMATHESIS_SEED"} --continue-on-failure >"$work/$ROLE.log" 2>&1 ||
    { cat "$work/$ROLE.log"; fail "schemathesis found something as $ROLE"; }
  passed "schemathesis as $ROLE: $(grep -E '[0-9]+ (generated|passed)|Test cases' "$work/$ROLE.log" | tail -n 1 | xargs)"
done
