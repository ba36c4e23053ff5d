#!/usr/bin/env bash
# Runs every fuzz target of the repository, one after the other, each for FUZZTIME (10m when not set). An argument chooses the targets
# whose name contains it. Go keeps what it finds interesting in its build cache, so that the next run goes on from there; a failing input
# is written to testdata/fuzz/ beside its test: commit it with the fix.
# Making an interesting input smaller may take FUZZMINIMIZE (30 executions, or a time such as 1s): behind a database nearly every input
# reaches something new by chance, so that seconds for each of them, or the minute that Go takes when not told, would be most of the time.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=()
while IFS=: read -r file line; do
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]+).*/\1/' <<<"$line")
	[[ $name == *"${1:-}"* ]] || continue
	echo "== $name ($(dirname "$file"))"
	go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10m}" -fuzzminimizetime "${FUZZMINIMIZE:-30x}" -parallel "${FUZZPARALLEL:-2}" || failed+=("$name")
done < <(git grep -E '^func Fuzz' -- '*_test.go')
if [[ NamesStayApart == *"${1:-}"* ]]; then # no fuzz target, but the same kind of test: a million random names
	echo "== NamesStayApart (internal/urlpath)"
	MINIHUB_PAIRS=1000000 go test ./internal/urlpath -run '^TestNamesStayApart$' -count=1 || failed+=(NamesStayApart)
fi
if [ ${#failed[@]} != 0 ]; then
	echo "failed: ${failed[*]}" >&2
	exit 1
fi
