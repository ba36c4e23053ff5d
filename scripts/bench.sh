#!/usr/bin/env bash
# The table of `make bench`. BENCH_SECONDS=3 makes it quicker and less exact.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .cache/venv/bin/python scripts/bench.py
