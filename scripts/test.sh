#!/usr/bin/env bash
# The whole test run, as `make test` and CI start it. Everything that a test could skip for lack of a part
# (Python, PAM, PostgreSQL, a browser) is there, so with CI=true a skipped test fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
log=$(mktemp -d /tmp/minihub-test-XXXXXX)
trap 'rm -rf "$log"' EXIT

title() { printf '\n== %s\n' "$*"; }

# go_test runs go test verbosely into a log, shows the closing lines, and all of it when it fails.
go_test() {
	local name=$1
	shift
	local code=0
	"$@" >"$log/$name" 2>&1 || code=$?
	grep -E '^(ok|FAIL|---? FAIL|panic:|\?)' "$log/$name" | grep -v 'no test files' || true
	if [ $code != 0 ]; then
		echo "---- output of the failed tests"
		grep -vE '^(=== (RUN|PAUSE|CONT|NAME)|\s*--- PASS|PASS|ok)' "$log/$name" | tail -n 400
		exit $code
	fi
	echo "$(grep -cE '^\s*--- PASS' "$log/$name") passed, $(grep -cE '^\s*--- SKIP' "$log/$name" || true) skipped"
	if [ "${CI:-}" = true ] && grep -qE '^\s*--- SKIP' "$log/$name"; then
		echo "skipped tests are failures in CI:"
		grep -E -A3 '^\s*--- SKIP' "$log/$name"
		exit 1
	fi
}

title "format and vet"
scripts/lint.sh

title "static binary"
make -s build
if ldd bin/minihub >"$log/ldd" 2>&1; then
	echo "bin/minihub is linked dynamically; it must build with CGO_ENABLED=0:" >&2
	cat "$log/ldd" >&2
	exit 1
fi
echo "bin/minihub: $(du -h bin/minihub | cut -f1), static"

title "unit tests with the race detector, PAM and PostgreSQL"
export MINIHUB_TEST_PYTHON=$root/.cache/venv/bin/python
go_test unit env CGO_ENABLED=1 MINIHUB_TEST_PAM=1 \
	scripts/postgres.sh go test -race -v -count=1 -timeout 15m ./...

title "real clients and browser"
go_test e2e go test -tags e2e -v -count=1 -timeout 25m ./e2e/...

title "all tests passed"
