#!/usr/bin/env bash
# Builds the Python wheels into dist/: scripts/wheels.sh [PLATFORM ...], all platforms without arguments, "here" for this machine.
set -euo pipefail
cd "$(dirname "$0")/.."
declare -A targets=(
	[manylinux2014_x86_64]=linux/amd64 [manylinux2014_aarch64]=linux/arm64
	[macosx_11_0_x86_64]=darwin/amd64 [macosx_11_0_arm64]=darwin/arm64 [win_amd64]=windows/amd64
)
here=$(case $(uname -m) in x86_64) echo manylinux2014_x86_64 ;; aarch64) echo manylinux2014_aarch64 ;; esac)
wanted=("$@")
[ ${#wanted[@]} -gt 0 ] || wanted=("${!targets[@]}")
mkdir -p dist bin
for platform in "${wanted[@]}"; do
	[ "$platform" = here ] && platform=$here
	target=${targets[$platform]:-}
	[ -n "$target" ] || { echo "wheels: unknown platform '$platform'; known: ${!targets[*]}" >&2; exit 2; }
	binary=$PWD/bin/minihub-${target//\//-}
	GOOS=${target%/*} GOARCH=${target#*/} CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$binary" ./cmd/minihub
	MINIHUB_BINARY=$binary MINIHUB_PLATFORM=$platform .cache/venv-wheel/bin/python -m build --wheel --no-isolation --outdir dist python >/dev/null
done
ls -l dist
