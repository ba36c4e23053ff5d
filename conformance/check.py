#!/usr/bin/env python3
"""JupyterHub's own tests against bin/minihub, and the verdict: `make conformance`.

    check.py [--jobs N] [test_pages test_api::test_get_users ...] [-- options of pytest]

Runs the tests which classification.tsv calls blackbox, N modules at a time (default: one
for each processor). What fails is run once more, alone, and the output says so. Fails when
a test fails twice that is not in differences.tsv, or has no result.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import outcomes

ROOT = outcomes.HERE.parent
# results and logs; two runs at the same time need two
WORK = Path(os.environ.get("MINIHUB_CONFORMANCE_DIR", ROOT / ".cache" / "conformance")).absolute()
BINARY = WORK / "minihub"

# the longest first, so that all processors have work until the end
LONGEST = ["test_pages", "test_api", "test_services_auth", "test_shares", "test_scopes"]

# a start that takes too long costs a whole module; more failures than this are no bad luck
MOST_AGAIN = 60


def describe():
    """The commit under test"""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


class Run:
    """One run of all chosen tests, of one binary"""

    def __init__(self, pytest_options):
        self.pytest_options = pytest_options
        self.commit = describe()
        WORK.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(WORK / "work", ignore_errors=True)
        for old in [*WORK.glob("*.jsonl"), *WORK.glob("*.log")]:
            old.unlink()
        # a hub is restarted hundreds of times: always the same, whatever is built meanwhile
        shutil.copy2(ROOT / "bin" / "minihub", BINARY)

    def execute(self, part, names):
        """Run tests, one after the other; their results. Exit codes tell nothing: see verdict"""
        started = time.monotonic()
        results, log = WORK / f"{part}.jsonl", WORK / f"{part}.log"
        command = [
            sys.executable, str(outcomes.HERE / "run"), "--only", "blackbox",
            "--cmd", str(BINARY), "--workdir", str(WORK / "work" / part),
            "--results", str(results), "--ready-timeout", "180", "--timeout", "600", "--commit", self.commit,
            *names, "--", "-q", "--tb=short", *self.pytest_options,
        ]
        with open(log, "wb") as out:
            subprocess.call(command, stdout=out, stderr=subprocess.STDOUT)
        found = outcomes.load([results] if results.exists() else [])
        passed = sum(r["outcome"] == "passed" for r in found)
        seconds = time.monotonic() - started
        print(f"{part}: {passed} of {len(found)} passed in {seconds:.0f} s", flush=True)
        return found

    def all(self, parts, jobs):
        """Run the parts, several at a time, then once more what failed; all results"""
        order = sorted(parts, key=lambda p: LONGEST.index(p) if p in LONGEST else 99)
        with ThreadPoolExecutor(jobs) as pool:
            return [r for found in pool.map(lambda p: self.execute(p, parts[p]), order) for r in found]


def last_outcomes(results):
    """{test id: outcome}: the last result of a test counts"""
    return {r["id"]: r["outcome"] for r in results}


def failures(wanted, results):
    """[(test id, outcome)] of the tests that did not pass, and should have"""
    last, different = last_outcomes(results), outcomes.differences()
    found = [(test_id, last.get(test_id, "no result")) for test_id in wanted]
    return [
        (test_id, outcome) for test_id, outcome in found
        if outcome != "passed" and not outcomes.on_purpose(test_id, outcome, different)
    ]


def table(wanted, not_applicable, results):
    """Print what each module gave"""
    last, weak = last_outcomes(results), outcomes.weak()
    passed, failed, strong, strong_passed = Counter(), Counter(), Counter(), Counter()
    for test_id in wanted:
        module, ok = outcomes.module_of(test_id), last.get(test_id) == "passed"
        (passed if ok else failed)[module] += 1
        if test_id not in weak:
            strong[module] += 1
            strong_passed[module] += ok
    print(f"\n{'module':34}{'passed':>8}{'failed':>8}{'not applicable':>16}{'without weak tests':>20}")

    def line(name, count):
        share = f"{count(strong_passed)}/{count(strong)}"
        print(f"{name:34}{count(passed):>8}{count(failed):>8}{count(not_applicable):>16}{share:>20}")

    for module in sorted(set(passed) | set(failed) | set(not_applicable)):
        line(module, lambda c, module=module: c[module])
    line("all", lambda c: c.total())
    for test_id in outcomes.differences():
        if last.get(test_id) == "failed":
            print(f"different on purpose (conformance/differences.tsv): {test_id}")
        elif last.get(test_id) == "passed":
            print(f"passes now, its row in differences.tsv can go: {test_id}")


def show_log(part, most=150):
    """The end of a log, so that a failure in CI can be understood from its output"""
    lines = (WORK / f"{part}.log").read_text(errors="replace").splitlines()
    print(f"\n---- the end of {part}.log\n" + "\n".join(lines[-most:]))


def save(results, seconds, jobs, names):
    """One file for report.py"""
    run = {"seconds": round(seconds), "jobs": jobs, "cpus": os.cpu_count(), "whole": not names}
    lines = [json.dumps({"run": run})] + [json.dumps(r, sort_keys=True) for r in results]
    (WORK / "results.jsonl").write_text("\n".join(lines) + "\n")


def parse(argv):
    """Options, names of tests, options of pytest"""
    at = argv.index("--") if "--" in argv else len(argv)
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*")
    p.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return p.parse_args(argv[:at]), argv[at + 1 :]


def main():
    args, pytest_options = parse(sys.argv[1:])
    classes = outcomes.classes()
    names = args.names or sorted({outcomes.module_of(t) for t in classes})
    wanted = [t for t, c in classes.items() if c == "blackbox" and outcomes.chosen(t, names)]
    not_applicable = Counter(
        outcomes.module_of(t) for t, c in classes.items() if c != "blackbox" and outcomes.chosen(t, names)
    )
    if not wanted:
        print(f"no test of {' '.join(names)} says anything about a hub process")
        return 0 if not_applicable else 2
    parts = {}
    for name in names:
        if any(outcomes.chosen(t, [name]) for t in wanted):
            parts.setdefault(outcomes.module_of(name), []).append(name)
    started = time.monotonic()
    run = Run(pytest_options)
    results = run.all(parts, max(1, args.jobs))
    first = failures(wanted, results)
    if 0 < len(first) <= MOST_AGAIN:
        results += run.execute("again", [test_id for test_id, _ in first])
    bad = failures(wanted, results)
    seconds = time.monotonic() - started
    save(results, seconds, args.jobs, args.names)
    for part in sorted({outcomes.module_of(test_id) for test_id, _ in bad}):
        show_log(part)
    table(wanted, not_applicable, results)
    print(f"{seconds:.0f} s; logs and results: {WORK}")
    for test_id, outcome in first:
        if (test_id, outcome) not in bad:
            print(f"{outcome} at first, passed when it was run again: {test_id}")
    for test_id, outcome in bad:
        print(f"{outcome.upper()} {test_id}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
