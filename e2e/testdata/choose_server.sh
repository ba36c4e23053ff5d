#!/bin/sh
# The Spawner.cmd of tests that need one real server among light ones: user "real" gets jupyterhub-singleuser.
if [ "$JUPYTERHUB_USER" = real ]; then
	exec jupyterhub-singleuser --allow-root "$@"
fi
exec python3 "${0%/*}/lightserver.py"
