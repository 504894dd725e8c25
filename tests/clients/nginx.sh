#!/usr/bin/env bash
# A caching proxy in front of the server: nginx keeps the public answers, and gives each client the form that it takes.
# For LIFE_ROOMS and the rest see ../curl/lib.sh.
set -euo pipefail
# shellcheck source=tests/curl/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../curl/lib.sh"
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || { echo 'This script needs nginx: install it, for instance with: apt-get install nginx-light' >&2; exit 1; }

proxy=''
stop_proxy() {
  [ -z "$proxy" ] || { kill "$proxy" 2>/dev/null || true; wait "$proxy" 2>/dev/null || true; }
}
trap 'stop_proxy; stop_server; rm -rf "$work"' EXIT

free_port() {
  local port
  while port=$((RANDOM % 20000 + 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# start_proxy HTTP_VERSION: with which nginx asks the server.
start_proxy() {
  stop_proxy
  front_port=$(free_port)
  rm -rf "$work/nginx"; mkdir -p "$work/nginx/cache"
  chmod 755 "$work" "$work/nginx"; chmod 777 "$work/nginx/cache"
  cat >"$work/nginx/nginx.conf" <<CONF
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy;
  fastcgi_temp_path $work/nginx/fastcgi; uwsgi_temp_path $work/nginx/uwsgi; scgi_temp_path $work/nginx/scgi;
  proxy_cache_path $work/nginx/cache keys_zone=answers:1m;
  server {
    listen 127.0.0.1:$front_port;
    location / {
      proxy_pass $server_url;
      proxy_http_version $1;
      proxy_set_header Connection "";
      proxy_cache answers;
      proxy_cache_revalidate on;
      add_header X-Cache \$upstream_cache_status always;
    }
  }
}
CONF
  "$nginx" -c "$work/nginx/nginx.conf" -p "$work/nginx" >"$work/nginx/out" 2>&1 &
  proxy=$!
  BASE_URL=http://127.0.0.1:$front_port
  within 20 curl -sf -o /dev/null "$BASE_URL/health/live" || fail "nginx does not answer: $(cat "$work/nginx/out" "$work/nginx/error.log")"
}

# cached STATUS…: what nginx did must be one of these.
cached() {
  local was; was=$(header x-cache)
  [[ " $* " == *" $was "* ]] || fail "$asked: nginx says $was where $* was to be expected"
}

make_account admin
start_server
server_url=$BASE_URL
log_in admin
send POST /v1/venues '{"slug":"walton","name":"Walton Life Rooms","kind":"library","local_authority":"Liverpool"}'
expect 201
venue=/v1/venues/$(field .id)
admin=$TOKEN TOKEN=

for version in 1.1 1.0; do
  start_proxy "$version"
  # The order in which the two kinds of clients come must not matter.
  for first in gzip plain; do
    path="/v1/venues?limit=$((RANDOM % 50 + 1))"
    [ "$first" = gzip ] || { path=$venue; }
    for client in $first plain gzip plain gzip; do
      if [ "$client" = gzip ]; then get "$path" -H 'Accept-Encoding: gzip' --compressed; else get "$path"; fi
      expect 200
      holds "a client that takes $client must be able to read it" '.name == "Walton Life Rooms" or .items[0].name == "Walton Life Rooms"'
      if [ "$client" = plain ] && [ -n "$(header content-encoding)" ]; then
        fail "HTTP/$version: nginx gave a compressed answer to a client that asked for a plain one"
      fi
      grep -qi '^vary:.*accept-encoding' "$work/headers" || fail "$asked does not say Vary: Accept-Encoding"
    done
    cached HIT
  done
  passed "nginx over HTTP/$version keeps compressed and plain answers apart"

  get "$venue"
  cached HIT
  plain=$(header etag)
  get "$venue" -H "If-None-Match: $plain"
  expect 304
  [ "$(header etag)" = "$plain" ] || fail 'a 304 must have the tag of what it stands for'
  call HEAD "$venue" -I
  expect 200
  [ "$(header etag)" = "$plain" ] || fail 'HEAD must have the tag of GET'
  passed "nginx over HTTP/$version answers 304 and HEAD from what it keeps"

  TOKEN=$admin
  get "$venue"
  expect 200
  cached MISS
  [ "$(header cache-control)" = 'private, max-age=60' ] || fail 'an answer to a token must be private'
  get "$venue"
  cached MISS
  TOKEN=
  passed "nginx over HTTP/$version keeps nothing that was answered to a token"
done

# Sessions are kept, and asked about each time.
start_proxy 1.1
get /v1/sessions
cached MISS
get /v1/sessions
cached REVALIDATED MISS EXPIRED
passed 'nginx asks again about what must be asked about'
