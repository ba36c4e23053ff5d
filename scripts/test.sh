#!/usr/bin/env bash
# The whole test run, as `make test` and CI start it. Everything that a test could skip for lack of a part
# (Python, PAM, PostgreSQL, a browser) is there, so with CI=true a skipped test fails the run.
# A stage that fails does not hide what the next ones find: all of them run, and the last lines name those that failed.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
log=$(mktemp -d /tmp/minihub-test-XXXXXX)
trap 'rm -rf "$log"' EXIT

failed=()
title() { printf '\n== %s\n' "$*"; }

# go_test runs go test verbosely into a log, shows the closing lines, and what the failed packages said.
go_test() {
	local name=$1
	shift
	local code=0
	"$@" >"$log/$name" 2>&1 || code=$?
	grep -E '^(ok|FAIL|---? FAIL|panic:|\?)' "$log/$name" | grep -v 'no test files' || true
	if [ $code != 0 ]; then
		echo "---- output of the failed tests"
		awk '{ b = b $0 "\n" } /^ok / { b = "" } /^FAIL[ \t]/ { printf "%s", b; b = "" } END { printf "%s", b }' "$log/$name" |
			grep -vE '^(=== (RUN|PAUSE|CONT|NAME)|\s*--- PASS|PASS|ok)' | tail -n 600
		failed+=("$name")
		return
	fi
	echo "$(grep -cE '^\s*--- PASS' "$log/$name") passed, $(grep -cE '^\s*--- SKIP' "$log/$name" || true) skipped"
	if [ "${CI:-}" = true ] && grep -qE '^\s*--- SKIP' "$log/$name"; then
		echo "skipped tests are failures in CI:"
		grep -E -A3 '^\s*--- SKIP' "$log/$name"
		failed+=("$name: skipped tests")
	fi
}

title "format, vet and staticcheck"
scripts/lint.sh || failed+=(lint)

title "static binary"
make -s build
if ldd bin/minihub >"$log/ldd" 2>&1; then
	echo "bin/minihub is linked dynamically; it must build with CGO_ENABLED=0:" >&2
	cat "$log/ldd" >&2
	exit 1
fi
echo "bin/minihub: $(du -h bin/minihub | cut -f1), static"

title "other systems"
scripts/cross.sh || failed+=(cross)

title "unit tests with the race detector, PAM, PostgreSQL, Python and the reference's parts"
python=$root/.cache/venv/bin/python
export MINIHUB_TEST_PYTHON=$python MINIHUB_TEST_JUPYTERHUB=$python MINIHUB_REF_PYTHON=$python
export MINIHUB_TEST_SINGLEUSER=$root/.cache/venv/bin/jupyterhub-singleuser
export MINIHUB_REF_TEMPLATES=$root/.cache/venv/share/jupyterhub/templates
export MINIHUB_REF_CHP=$root/.cache/npm/node_modules/.bin/configurable-http-proxy
export MINIHUB_TEST_OLD=$root/.cache # venv0 to venv4
MINIHUB_TEST_SDIST=$(dirname "$(ls -d .cache/sdist/jupyterhub-*/examples | head -1)")
export MINIHUB_TEST_SDIST=$root/$MINIHUB_TEST_SDIST
if [ "$(id -u)" = 0 ]; then
	export MINIHUB_TEST_PAM=1 # these tests add a user to the machine and remove it
else
	echo "not root: the tests that log in through PAM and change users are skipped"
fi
go_test unit env CGO_ENABLED=1 scripts/postgres.sh go test -race -v -count=1 -timeout 15m ./...

title "the parts that differ in a build without cgo"
go_test static env CGO_ENABLED=0 go test -v -count=1 ./app ./auth

title "benchmarks, once each: that they work, not how fast"
go_test bench go test -run '^$' -bench . -benchtime 1x -benchmem -timeout 5m ./...

title "real clients and browser"
go_test e2e go test -tags e2e -v -count=1 -timeout 40m ./e2e/...

title "JupyterHub's own tests"
make -s build
.cache/venv/bin/python conformance/check.py || failed+=(conformance)

if [ ${#failed[@]} != 0 ]; then
	title "failed: ${failed[*]}"
	exit 1
fi
title "all tests passed"
