#!/usr/bin/env python3
"""JupyterHub's own tests against bin/minihub, and the verdict: `make conformance`.

    check.py [test_pages test_api::test_get_users ...] [-- options of pytest]

Runs the tests which classification.tsv calls blackbox. Fails when one of them fails that
is not in differences.tsv, or has no result.
"""

import shutil
import subprocess
import sys
from collections import Counter

import outcomes

ROOT = outcomes.HERE.parent
WORK = ROOT / ".cache" / "conformance"


def describe():
    """The commit under test"""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def execute(names, pytest_options, results):
    """Run the tests, one module after the other. The exit code tells nothing: see verdict"""
    command = [
        sys.executable, str(outcomes.HERE / "run"), "--only", "blackbox",
        "--workdir", str(WORK / "work"), "--results", str(results),
        "--commit", describe(), "--through", "bridge", *names,
        "--", "-q", "--tb=short", *pytest_options,
    ]
    return subprocess.call(command)


def verdict(wanted, not_applicable, results):
    """Print the table; the tests that fail, and should not"""
    last = {r["id"]: r["outcome"] for r in results}
    different = outcomes.differences()
    passed, failed, bad = Counter(), Counter(), []
    for test_id in wanted:
        module, outcome = outcomes.module_of(test_id), last.get(test_id, "no result")
        if outcome == "passed":
            passed[module] += 1
            if test_id in different:
                print(f"passes now, its row in differences.tsv can go: {test_id}")
            continue
        failed[module] += 1
        if not outcomes.on_purpose(test_id, outcome, different):
            bad.append((test_id, outcome))
    print(f"\n{'module':34}{'passed':>8}{'failed':>8}{'not applicable':>16}")
    for module in sorted(set(passed) | set(failed) | set(not_applicable)):
        print(f"{module:34}{passed[module]:>8}{failed[module]:>8}{not_applicable[module]:>16}")
    print(f"{'all':34}{passed.total():>8}{failed.total():>8}{not_applicable.total():>16}")
    on_purpose = failed.total() - len(bad)
    if on_purpose:
        print(f"{on_purpose} of the failed are different on purpose: conformance/differences.tsv")
    return bad


def main():
    argv = sys.argv[1:]
    if "-h" in argv or "--help" in argv:
        print(__doc__)
        return 0
    at = argv.index("--") if "--" in argv else len(argv)
    names, pytest_options = argv[:at], argv[at + 1 :]
    classes = outcomes.classes()
    blackbox = [t for t, cls in classes.items() if cls == "blackbox"]
    if not names:
        names = sorted({outcomes.module_of(t) for t in classes})
        runnable = sorted({outcomes.module_of(t) for t in blackbox})
    else:
        runnable = names
    wanted = [t for t in blackbox if outcomes.chosen(t, names)]
    not_applicable = Counter(
        outcomes.module_of(t)
        for t, cls in classes.items()
        if cls != "blackbox" and outcomes.chosen(t, names)
    )
    if not wanted:
        print(f"no test of {' '.join(names)} says anything about a hub process")
        return 0 if not_applicable else 2
    WORK.mkdir(parents=True, exist_ok=True)
    results = WORK / "results.jsonl"
    results.unlink(missing_ok=True)
    shutil.rmtree(WORK / "work", ignore_errors=True)
    execute(runnable, pytest_options, results)
    bad = verdict(wanted, not_applicable, outcomes.load([results] if results.exists() else []))
    print(f"results: {results.relative_to(ROOT)}, logs of the hubs: {WORK.relative_to(ROOT)}/work")
    for test_id, outcome in bad:
        print(f"{outcome.upper()} {test_id}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
