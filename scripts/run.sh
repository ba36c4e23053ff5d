#!/usr/bin/env bash
# Starts the hub for a first look: loopback only, one shared password made for this folder, JupyterLab.
# State is kept in .cache/first-look, so servers and users are still known the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
state=$root/.cache/first-look
mkdir -p "$state"

if [ ! -s "$state/password" ]; then
	(umask 077 && python3 -c 'import secrets; print(secrets.token_urlsafe(9))' >"$state/password")
fi
export FIRST_LOOK_PASSWORD FIRST_LOOK_VENV=$root/.cache/venv FIRST_LOOK_STATE=$state
FIRST_LOOK_PASSWORD=$(cat "$state/password")
export PATH=$root/.cache/venv/bin:$PATH

cat <<TEXT

  minihub is starting. Open

      http://127.0.0.1:8000

  and log in as any user name with the password

      $FIRST_LOOK_PASSWORD

  "admin" is the administrator. Only this machine can connect. Ctrl-C stops the hub and all servers.

TEXT
cd "$state"
exec "$root/bin/minihub" -f "$root/examples/first-look/jupyterhub_config.py" "$@"
