"""What the tables and the result files of this folder say, for check.py and report.py."""

import csv
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent


def rows(name):
    """The rows of a tab-separated table as dicts"""
    with open(HERE / name, newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def classes():
    """{test id: class} from classification.tsv"""
    return {row["test id"]: row["class"] for row in rows("classification.tsv")}


def weak():
    """The blackbox tests that a hub with one fixed answer passes (nullhub.py)"""
    return {
        row["test id"]
        for row in rows("classification.tsv")
        if row["class"] == "blackbox" and row["reason"].startswith("weak")
    }


def differences():
    """{test id: row} of the tests which fail on purpose"""
    return {row["test id"]: row for row in rows("differences.tsv")}


def module_of(test_id):
    return test_id.partition("::")[0]


def lines(paths):
    return [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]


def load(paths):
    """All results, in order: the last one of a test is the one that counts"""
    return [line for line in lines(paths) if "id" in line]


def on_purpose(test_id, outcome, different):
    """A listed test may fail; it may not break before its assertions, nor go missing"""
    return outcome == "failed" and test_id in different


def chosen(test_id, names):
    """Whether a test belongs to one of the names: test_api, test_api::test_x, ...::test_x[y]"""
    return any(
        test_id == name or test_id.startswith((name + "::", name + "[")) for name in names
    )
