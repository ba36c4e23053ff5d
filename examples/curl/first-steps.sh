#!/bin/sh
# A hub from a shell: start it, make a user, start a server, look at it, end it. Needs minihub and curl.
set -eu
minihub=${MINIHUB_BIN:-minihub}
line=$(mktemp)
"$minihub" test-server --users ann >"$line" &
hub=$!
trap 'kill $hub 2>/dev/null; rm -f "$line"' EXIT
while [ ! -s "$line" ]; do kill -0 $hub; sleep 0.02; done

value() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$line"; } # one text of the JSON line
api=$(value api_url) token=$(value admin_token) control=$(value control_url)
call() { curl -sS --fail-with-body -w "\n" -H "Authorization: token $token" "$@"; }

call -X POST "$api/users/bob"
call -X POST "$api/users/bob/server"
call "$api/users/bob"
call -X POST "$control/faults" -d '{"api": {"status": 503, "times": 1}}'
if call "$api/users"; then exit 1; fi # the hub fails, as ordered
call "$api/users"
