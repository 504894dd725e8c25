#!/usr/bin/env bash
# A real SMTP server with STARTTLS takes the mails, and refuses them, hangs and breaks off: mail.py, with the packages of
# requirements.txt. PYTHON is an interpreter that has them; for LIFE_ROOMS and the rest see ../curl/lib.sh.
# Needs openssl.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/curl/lib.sh
. "$here/../curl/lib.sh"
: "${PYTHON:=python3}"
command -v openssl >/dev/null || { echo "tests/clients/mail.sh needs openssl: apt-get install openssl" >&2; exit 1; }

"$PYTHON" "$here/mail.py" "$LIFE_ROOMS" "$work"
