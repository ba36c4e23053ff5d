#!/usr/bin/env bash
# Compares the Go benchmarks of this tree with those of an earlier revision:
#
#   scripts/benchstat.sh [REVISION] [PACKAGES...]      the last release and ./... when nothing is said
#
# COUNT (10) is how often each benchmark runs, BENCH (.) which ones. Results stay in .cache/benchstat. A line without "~" differs by more than chance.
set -euo pipefail
cd "$(dirname "$0")/.."
benchstat=golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

base=${1:-$(git describe --tags --abbrev=0 2>/dev/null || true)}
[ -n "$base" ] || { echo "benchstat: there is no release yet: name the revision to compare with, as in: make benchstat BASE=HEAD~20" >&2; exit 1; }
shift || true
[ $# -gt 0 ] || set -- ./...
revision=$(git rev-parse --verify "$base^{commit}")

results=$PWD/.cache/benchstat
mkdir -p "$results"
old=$(mktemp -d)
trap 'git worktree remove --force "$old/tree" >/dev/null 2>&1 || true; rm -rf "$old"' EXIT
git worktree add -q --detach "$old/tree" "$revision"

# measure runs the benchmarks of the tree in the current folder. Packages that the old tree does not have are left out there.
measure() { go test -run '^$' -bench "${BENCH:-.}" -benchmem -count "${COUNT:-10}" "$@" | tee /dev/stderr; }

known=()
for package in "$@"; do
	if (cd "$old/tree" && go list "$package" >/dev/null 2>&1); then known+=("$package"); fi
done
[ ${#known[@]} -gt 0 ] || { echo "benchstat: $base has none of these packages" >&2; exit 1; }
(cd "$old/tree" && measure "${known[@]}") >"$results/old.txt"
measure "$@" >"$results/new.txt"
go run $benchstat "$base=$results/old.txt" "this tree=$results/new.txt"
