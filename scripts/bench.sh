#!/usr/bin/env bash
# Measures minihub and JupyterHub side by side; arguments go to the bench command (see `go run ./bench -h`).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.cache/venv/bin:$PATH"
chp=$(find .cache -path '*node_modules/.bin/configurable-http-proxy' -print -quit)
go build -o bin/bench ./bench
exec bin/bench -minihub bin/minihub -jupyterhub .cache/venv/bin/jupyterhub -chp "$chp" "$@"
