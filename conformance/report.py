#!/usr/bin/env python3
"""The results of a whole run of check.py -> docs/compatibility.md, on standard output.

    report.py .cache/conformance/results.jsonl > docs/compatibility.md

Refuses what is not one run of all modules at one commit.
"""

import sys
from collections import Counter, defaultdict

import outcomes

HEAD = """# JupyterHub's own tests against minihub

Made from the results of one `make conformance` by `make compatibility`; do not edit. How these tests run against a hub process is told in
[conformance/README.md](../conformance/README.md). They are the unmodified tests of JupyterHub 6.1.1, and the hub is `bin/minihub` as everybody
gets it: the authenticators, spawners and hooks of the tests are JupyterHub's own Python classes, which run in minihub's Python bridge.

| module | tests | passed | different on purpose | failed | passed, without weak tests | not applicable |
|---|---:|---:|---:|---:|---:|---:|
"""

NOTES = """
## How to read it

- *Tests* are those that talk to the hub only from outside, and that JupyterHub itself passes when it runs as a process
  ("blackbox" in [classification.tsv](../conformance/classification.tsv)).
- *Weak* tests demand so little that a program with one fixed answer passes them as well.
- *Not applicable* are tests that look at or change Python objects of the hub's own process, and those that JupyterHub
  skips itself. What they are about needs minihub's own tests."""


def counts_of(classes, last, different, weak):
    """{module: Counter}"""
    counts = defaultdict(Counter)
    for test_id, cls in classes.items():
        count = counts[outcomes.module_of(test_id)]
        if cls != "blackbox":
            count["not applicable"] += 1
            continue
        count["tests"] += 1
        outcome = last[test_id]["outcome"]
        count["strong"] += test_id not in weak
        if outcome == "passed":
            count["passed"] += 1
            count["strong passed"] += test_id not in weak
        else:
            on_purpose = outcomes.on_purpose(test_id, outcome, different)
            count["different" if on_purpose else "failed"] += 1
    return counts


def line(name, count):
    """One row of the table"""
    share = f"{count['strong passed']} of {count['strong']}"
    cells = [count["tests"], count["passed"], count["different"], count["failed"], share, count["not applicable"]]
    return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def complaint(run, results, classes):
    """Why the results are no whole run at one commit, or None"""
    missing = [t for t, cls in classes.items() if cls == "blackbox" and t not in {r["id"] for r in results}]
    commits = {r["commit"] for r in results}
    if not run.get("whole"):
        return "it is not a run of all modules"
    if missing:
        return f"{len(missing)} tests have no result, the first is {missing[0]}"
    if len(commits) != 1 or "dirty" in next(iter(commits)):
        return f"it is not a run of one commit, but of {', '.join(sorted(commits))}"
    return None


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    lines = outcomes.lines(sys.argv[1:])
    run = next((entry["run"] for entry in lines if "run" in entry), {})
    results = outcomes.load(sys.argv[1:])
    classes, different, weak = outcomes.classes(), outcomes.differences(), outcomes.weak()
    why = complaint(run, results, classes)
    if why:
        print(f"no page from this: {why}", file=sys.stderr)
        return 1
    last = {r["id"]: r for r in results}
    counts, total = counts_of(classes, last, different, weak), Counter()
    print(HEAD, end="")
    for module, count in sorted(counts.items()):
        total.update(count)
        if count["tests"]:
            print(line(module, count))
    others = [count for count in counts.values() if not count["tests"]]
    print(f"| {len(others)} modules about Python objects only | 0 | 0 | 0 | 0 | | {sum(c['not applicable'] for c in others)} |")
    print(line("**all**", total))
    print(
        f"\nOne run on {results[0]['date']} at commit {results[0]['commit']}: {run['seconds'] / 60:.0f} minutes, {run['jobs']} modules at a time"
        f" on a machine with {run['cpus']} processors."
    )
    again = sorted({r["id"] for r in results if r["outcome"] != "passed" and last[r["id"]]["outcome"] == "passed"})
    if again:
        print("\nFailed at first, and passed when they were run again:\n")
        for test_id in again:
            print(f"- `{test_id}`")
    print("\n## Different on purpose\n")
    for test_id, row in different.items():
        print(f"- `{test_id}` {row['reason']}; {row['better behaviour']}.")
    print(NOTES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
