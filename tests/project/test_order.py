"""The same results on one process, on two, and in another order: outcomes, and what hunts say they took."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as Xml
from pathlib import Path

import pytest
from places import ROOT

TESTS = (
    "tests/checks/cutover/reference/test_hunt.py",
    "tests/checks/cutover/conformance/test_conform.py",
    "tests/impl/test_cluster.py",
    "tests/checks/cutover/reference/test_refinement.py",
)
SOME = "ack_after_applied or fence_epoch or tombstone or conforms or caught or cluster or without_a_safeguard_too"
ORDERS = {
    "in one process": ("-n", "0"),
    "in two processes": ("-n", "2"),
    "in another order": ("-n", "0", "--random-order", "--random-order-seed=7"),
}


def results(folder: Path, *options: str) -> dict[str, tuple[str, str]]:
    """Each test's outcome, and what it printed."""
    report = folder / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        *options,
        f"--junitxml={report}",
        "-o",
        "junit_logging=system-out",
    ]
    subprocess.run([*command, "-k", SOME, *TESTS], cwd=ROOT, capture_output=True, text=True, check=False)
    found = {}
    for case in Xml.parse(report).iter("testcase"):
        outcome = ",".join(child.tag for child in case if child.tag != "system-out") or "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = (outcome, case.findtext("system-out") or "")
    return found


@pytest.mark.nightly
def test_neither_workers_nor_order_change_a_result(tmp_path: Path) -> None:
    first, *others = (results(tmp_path, *options) for options in ORDERS.values())
    assert len(first) > 20
    assert {outcome for outcome, _ in first.values()} == {"passed"}
    assert any("rule steps  found" in said for _, said in first.values())
    for other in others:
        assert other == first
