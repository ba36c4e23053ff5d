#!/usr/bin/env bash
# Compiles what the wheels carry, and the public Go packages, for the systems on which no test runs here.
set -euo pipefail
cd "$(dirname "$0")/.."
for target in linux/arm64 darwin/arm64 windows/amd64; do
	echo "compile for $target"
	GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 go build -trimpath ./cmd/minihub ./hubtest/... ./hubauth ./hubapi ./auth ./spawner/...
done
