#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL server:
#
#   scripts/postgres.sh COMMAND [ARGS...]
#
# The server listens on a free port of 127.0.0.1, keeps its data in a temporary folder, and is gone afterwards.
# COMMAND finds its address in MINIHUB_TEST_POSTGRES.
set -euo pipefail

bindir=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bindir" ] || { echo "postgres: the Debian package postgresql is missing: scripts/setup.sh packages" >&2; exit 1; }

data=$(mktemp -d /tmp/minihub-postgres-XXXXXX)
# Below the ports that the kernel gives to whoever wants any: the server listens only after initdb.
port=$(python3 -c '
import random, socket
while True:
    port = random.randrange(10000, 30000)
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))
    except OSError:
        continue
    print(port)
    break')

# initdb and the server refuse to run as root.
as_postgres=()
if [ "$(id -u)" = 0 ]; then
	chown postgres "$data"
	as_postgres=(runuser -u postgres --)
fi
stop() {
	"${as_postgres[@]}" "$bindir/pg_ctl" -D "$data/db" -m immediate stop >/dev/null 2>&1 || true
	rm -rf "$data"
}
trap stop EXIT
cd "$data"
"${as_postgres[@]}" "$bindir/initdb" -D "$data/db" -A trust --no-sync -U postgres >"$data/initdb.log" 2>&1 ||
	{ cat "$data/initdb.log" >&2; exit 1; }
"${as_postgres[@]}" "$bindir/pg_ctl" -D "$data/db" -w -l "$data/db/log" -o \
	"-h 127.0.0.1 -p $port -k $data/db -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null ||
	{ cat "$data/db/log" >&2; exit 1; }
cd "$OLDPWD"
export MINIHUB_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
"$@"
