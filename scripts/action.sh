#!/usr/bin/env bash
# What action.yml runs: builds minihub, starts a hub that goes on after this step, and writes where it is into GITHUB_OUTPUT.
# SPEC describes the hub; MINIHUB_BIN is a binary to use in place of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${GITHUB_OUTPUT:?this script is for a GitHub workflow: set GITHUB_OUTPUT to a file}"
binary=${MINIHUB_BIN:-$PWD/bin/minihub}
if [ -z "${MINIHUB_BIN:-}" ]; then
	mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$binary" ./cmd/minihub
fi
work=$(mktemp -d)
printf '%s\n' "${SPEC:-}" >"$work/spec.yaml"
# --keep: the hub outlives the step; the runner ends it with the job.
nohup "$binary" test-server --keep --spec "$work/spec.yaml" --log "$work/log" >"$work/ready" 2>"$work/err" &
for _ in $(seq 500); do
	[ -s "$work/ready" ] && break
	kill -0 $! 2>/dev/null || { cat "$work/err" >&2; exit 1; }
	sleep 0.02
done
line=$(cat "$work/ready")
[ -n "$line" ] || { echo "the hub did not start within ten seconds:" >&2; cat "$work/err" >&2; exit 1; }
text() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$line"; }
{
	echo "ready=$line"
	for name in url api_url control_url admin_token; do echo "$name=$(text "$name")"; done
} >>"$GITHUB_OUTPUT"
if [ "${GITHUB_ACTIONS:-}" = true ]; then echo "::add-mask::$(text admin_token)"; fi
echo "minihub is at $(text url)"
