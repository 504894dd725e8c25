#!/usr/bin/env bash
# A full disk: writes are answered 507, reads go on, and when there is room again so do the writes, by themselves.
# Needs the right to mount a small tmpfs. Without it, it fails, unless MAY_SKIP_DISK_FULL is set.
# shellcheck source-path=SCRIPTDIR disable=SC2016,SC2154
set -euo pipefail
. "$(dirname "$0")/../curl/lib.sh"

disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=16m tmpfs "$disk" 2>"$work/mount.log"; then
  echo "--  Disk full: not run, since this user can't mount a tmpfs: $(cat "$work/mount.log")"
  [ -n "${MAY_SKIP_DISK_FULL:-}" ] && exit 0 || exit 1
fi
trap 'stop_server; umount "$disk"; rm -rf "$work"' EXIT
export DATABASE_URL=sqlite://$disk/full.db

unset BASE_URL
start_server
make_account admin
log_in admin
post() { send POST /v1/venues "{\"slug\": \"$1\", \"name\": \"$1\", \"kind\": \"other\", \"local_authority\": \"Sefton\"}"; }
post before
expect 201
before=$(field .id)

# Fills the disk to the last byte. What the log of the database has left to itself is used up by writes.
cat /dev/zero >"$disk/filler" 2>/dev/null || true
acknowledged=0
for turn in $(seq 1 3000); do
  post "while-$turn"
  [ "$STATUS" = 201 ] || break
  acknowledged=$((acknowledged + 1))
done
refused 507 insufficient-storage
for turn in 1 2 3 4 5; do
  post "full-$turn"
  refused 507 insufficient-storage
  get "/v1/venues/$before"
  expect 200
  get '/v1/venues?limit=100'
  expect 200
done
rm "$disk/filler"
writes_again() { post after; [ "$STATUS" = 201 ]; }
within 10 writes_again || fail "writes should go on by themselves: $BODY"
pages '/v1/venues?limit=100'
holds "everything acknowledged should be there, and nothing refused" \
  "([.[].slug | select(startswith(\"while-\"))] | length) == $acknowledged
   and ([.[].slug | select(startswith(\"full-\"))] | length) == 0 and any(.slug == \"after\")"
passed "Disk full: writes 507, reads 200, well again by itself; $acknowledged writes acknowledged meanwhile are there."
