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
    """How many blackbox tests a hub with one fixed answer passes (nullhub.py)"""
    return sum(
        row["class"] == "blackbox" and row["reason"].startswith("weak")
        for row in rows("classification.tsv")
    )


def differences():
    """{test id: row} of the tests which fail on purpose"""
    return {row["test id"]: row for row in rows("differences.tsv")}


def module_of(test_id):
    return test_id.partition("::")[0]


def load(paths):
    """All results, in order: the last one of a test is the one that counts"""
    return [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]


def chosen(test_id, names):
    """Whether a test belongs to one of the names: test_api, test_api::test_x, ...::test_x[y]"""
    return any(
        test_id == name or test_id.startswith((name + "::", name + "[")) for name in names
    )
