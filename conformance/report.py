#!/usr/bin/env python3
"""Result files of `run` and check.py -> docs/compatibility.md, on standard output.

    report.py results.jsonl [more.jsonl ...] > docs/compatibility.md

The last result of a test counts. Each line of a file says which commit was tested, when,
and through what the hub got JupyterHub's test doubles.
"""

import sys
from collections import Counter, defaultdict

import outcomes

THROUGH = {
    "bridge": "`bin/minihub`; the test doubles are JupyterHub's own Python classes, in minihub's Python bridge",
    "doubles": "a test build of minihub in which the test doubles (authenticator, spawners, hooks) are written again"
    " in Go; the rest of the hub is the same, the Python bridge is not used",
}

HEAD = """# JupyterHub's own tests against minihub

Made by `conformance/report.py`; do not edit. How these tests run against a hub process, and what "blackbox" means,
is told in [conformance/README.md](../conformance/README.md). They are the unmodified tests of JupyterHub 6.1.1.

| module | blackbox tests | passed | different on purpose | failed | not run | not applicable | run |
|---|---:|---:|---:|---:|---:|---:|---|
"""

NOTES = """
## How to read it

- *Blackbox* tests talk to the hub only from outside, and JupyterHub itself passes them when it runs as a process.
- *Not applicable* are tests that look at or change Python objects of the hub's own process, and those that JupyterHub
  skips itself. What they are about needs minihub's own tests.
- {weak} of the blackbox tests demand so little that a program with one fixed answer passes them as well; they are counted."""


def run_of(result):
    """What a result says about the run that it comes from"""
    return tuple(result.get(key, "") for key in ("date", "commit", "through"))


def runs_of(last):
    """{run: letter} of the runs whose results count, in the order of the files"""
    runs = {}
    for result in last.values():
        runs.setdefault(run_of(result), chr(ord("A") + len(runs)))
    return runs


def again(results, last):
    """Tests which passed in the end, but failed in an earlier run of these files"""
    return sorted(
        {
            r["id"]
            for r in results
            if r["outcome"] != "passed" and last[r["id"]]["outcome"] == "passed"
        }
    )


def table(classes, last, runs, different):
    """The lines of the table"""
    counts, letters = defaultdict(Counter), defaultdict(set)
    for test_id, cls in classes.items():
        count = counts[outcomes.module_of(test_id)]
        if cls != "blackbox":
            count["not applicable"] += 1
            continue
        count["blackbox"] += 1
        r = last.get(test_id)
        if r is None:
            count["not run"] += 1
            continue
        letters[outcomes.module_of(test_id)].add(runs[run_of(r)])
        if r["outcome"] == "passed":
            count["passed"] += 1
        else:
            on_purpose = outcomes.on_purpose(test_id, r["outcome"], different)
            count["different" if on_purpose else "failed"] += 1
    columns = ["blackbox", "passed", "different", "failed", "not run", "not applicable"]
    total = Counter()
    for module, count in sorted(counts.items()):
        total.update(count)
        if count["blackbox"]:
            cells = [str(count[c]) for c in columns]
            yield f"| {module} | " + " | ".join(cells) + f" | {', '.join(sorted(letters[module]))} |"
    other = sum(1 for count in counts.values() if not count["blackbox"])
    only = sum(c["not applicable"] for c in counts.values() if not c["blackbox"])
    yield f"| {other} modules about Python objects only | 0 | 0 | 0 | 0 | 0 | {only} | |"
    yield "| **all** | " + " | ".join(str(total[c]) for c in columns) + " | |"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    results = outcomes.load(sys.argv[1:])
    last = {r["id"]: r for r in results}
    classes, different = outcomes.classes(), outcomes.differences()
    runs = runs_of(last)
    sys.stdout.write(HEAD)
    for line in table(classes, last, runs, different):
        print(line)
    print("\n## Runs\n")
    print("A run executes its modules one after the other.\n")
    for (date, commit, through), letter in runs.items():
        print(f"- **{letter}**: {date}, {commit}: {THROUGH.get(through, through or 'not recorded')}.")
    for note in outcomes.notes(sys.argv[1:]):
        print(f"\n{note}")
    repeated = again(results, last)
    if repeated:
        print("\nFailed in an earlier run of these, passed in the later one:\n")
        for test_id in repeated:
            print(f"- `{test_id}`")
    print("\n## Different on purpose\n")
    for test_id, row in different.items():
        print(f"- `{test_id}` {row['reason']}; {row['better behaviour']}.")
    print(NOTES.format(weak=outcomes.weak()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
