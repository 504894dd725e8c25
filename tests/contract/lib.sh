# shellcheck shell=bash
# What the tools in this folder share: where they are installed, and a server with something in it.
#
#   CONTRACT_TOOLS  where Python's and Node's packages are installed (default: target/contract-tools)
#   LIFE_ROOMS, DATABASE_URL: see tests/curl/lib.sh

# shellcheck source=tests/curl/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../curl/lib.sh"
contract=$root/tests/contract
: "${CONTRACT_TOOLS:=$root/target/contract-tools}"
export PATH=$CONTRACT_TOOLS/python/bin:$CONTRACT_TOOLS/node/node_modules/.bin:$PATH

[ -x "$CONTRACT_TOOLS/python/bin/python" ] || { echo 'The tools are not installed: run tests/contract/install.sh' >&2; exit 1; }

# The document that the server publishes, as the tools read it.
document() { "$LIFE_ROOMS" openapi >"$work/openapi.json"; }

# Sets TOKEN_<ROLE> for each kind of account, and fills the service so that every path has something at it.
fill_service() {
  start_server
  make_account admin
  make_account advisor
  make_account analyst
  ADMIN_EMAIL=admin@example.org ADVISOR_EMAIL=advisor@example.org ANALYST_EMAIL=analyst@example.org \
    PASSWORD=$password BASE_URL=$BASE_URL LIFE_ROOMS=$LIFE_ROOMS python "$contract/seed.py" "$work/seed.json"
}
