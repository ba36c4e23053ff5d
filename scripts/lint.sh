#!/usr/bin/env bash
# gofmt, go vet and staticcheck over everything, the tagged tests too. Fast enough for every run of make test.
set -euo pipefail
cd "$(dirname "$0")/.."

unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | while read -r file; do
	[ -f "$file" ] && echo "$file"
done | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
	echo "lint: not formatted, run gofmt -w on:" >&2
	echo "$unformatted" >&2
	exit 1
fi
go vet ./...
go vet -tags e2e ./e2e/...
go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 -tags e2e ./...
