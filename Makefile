# Targets for people and for CI. What they need is prepared by scripts/setup.sh, on first use and only then.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PATH := $(CURDIR)/bin:$(PATH)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
SOURCES := $(shell find . -path ./.cache -prune -o \( -name '*.go' -o -path './web/*' -o -path './pybridge/*' -o -path './devserver/*' -o -path './api/explorer/*' \) -type f -print)

.PHONY: help run build screenshots test lint bench benchstat e2e conformance compatibility fuzz mutations wheel setup clean

help: ## show the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: build ## start a hub for a first look on http://127.0.0.1:8000
	@scripts/setup.sh venv
	@scripts/run.sh

build: bin/minihub ## build the static binary bin/minihub

bin/minihub: $(SOURCES) go.mod go.sum
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o bin/minihub ./cmd/minihub

test: ## every test: unit, race, PAM, PostgreSQL, static binary, real clients, browser
	@scripts/setup.sh packages venv venv5 old plugins projects wheel tools sdist npm npm-clients npm-axe
	@scripts/test.sh

e2e: build ## only the tests with real clients; E2E=TestName chooses, MINIHUB_E2E_HUB=jupyterhub tests the tests
	@scripts/setup.sh packages venv venv5 plugins projects wheel tools sdist npm npm-clients npm-axe
	go test -count=1 -tags e2e -timeout 40m -v $(if $(E2E),-run '$(E2E)') ./e2e/...

conformance: build ## JupyterHub's own tests against bin/minihub; MODULE=test_pages chooses
	@scripts/setup.sh venv npm
	@.cache/venv/bin/python conformance/check.py $(MODULE)

compatibility: ## write docs/compatibility.md from the results of the last make conformance
	@.cache/venv/bin/python conformance/report.py .cache/conformance/results.jsonl > .cache/compatibility.md
	@mv .cache/compatibility.md docs/compatibility.md

screenshots: build ## renew docs/images: every page, both themes, wide and narrow
	@scripts/setup.sh packages venv npm-axe
	MINIHUB_SCREENSHOTS=1 go test -count=1 -tags e2e -timeout 15m -run 'TestScreenshots|Look|TestDevelop' ./e2e/browser

fuzz: ## each fuzz target for FUZZTIME (default 10m); FUZZ=FuzzName chooses. make test runs their seeds only
	@scripts/fuzz.sh $(FUZZ)

mutations: ## take out one defence after the other: the test of its advisory has to fail
	MINIHUB_MUTATIONS=$(or $(MUTATION),1) go test ./internal/advisories -run TestEachDefenceIsNeeded -count=1 -timeout 120m -v

wheel: ## build the Python wheel for this machine into dist/; scripts/wheels.sh builds all platforms
	@scripts/setup.sh wheel
	@scripts/wheels.sh here

lint: ## gofmt, go vet, staticcheck
	@scripts/lint.sh

bench: build ## minihub and JupyterHub side by side, nginx as the bar; BENCH="-only list -seconds 1" chooses, BENCH=-help lists
	@scripts/setup.sh packages venv npm
	@go run ./bench -jupyterhub .cache/venv/bin/jupyterhub -chp .cache/npm/node_modules/.bin/configurable-http-proxy $(or $(BENCH),-markdown docs/benchmarks.md)

benchstat: ## the Go benchmarks of this tree against the last release; BASE=revision, PKG="./orm ./hub" and COUNT=10 choose
	@scripts/benchstat.sh "$(BASE)" $(PKG)

setup: ## prepare everything that the other targets need
	@scripts/setup.sh packages venv venv5 old plugins projects wheel tools sdist npm npm-clients npm-axe

clean: ## delete what was built and downloaded
	rm -rf bin .cache
