"""Cases as JUnit's XML, as Jenkins and GitLab read it: a suite for whatever the cases are about.

What is false is a `failure`, what is not known or went wrong an `error`, what could not run for want of something that
is not installed is `skipped`. There is no time of day and no host in it. The elements and attributes are those that
Jenkins' schema (junit-10.xsd) allows; a place in the source stands in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from cutproof.checks.cli.pipelines.cases import ERRED, FAILED, PASSED, SKIPPED, UNKNOWN, Case

NO_XML = re.compile(
    "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)  # what XML 1.0 has no way to write
ELEMENT = {FAILED: "failure", UNKNOWN: "error", ERRED: "error", SKIPPED: "skipped"}


def junit(command: str, cases: Sequence[Case]) -> bytes:
    """The whole file; `command` names it."""
    suites = dict[str, list[Case]]()
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    top = ElementTree.Element("testsuites", {"name": _clean(command), **_counts(cases)})
    for name, mine in suites.items():
        skipped = str(sum(c.outcome == SKIPPED for c in mine))
        suite = ElementTree.SubElement(
            top, "testsuite", {"name": _clean(name), **_counts(mine), "skipped": skipped}
        )
        for case in mine:
            _add(suite, command, case)
    ElementTree.indent(top)
    return ElementTree.tostring(top, encoding="utf-8", xml_declaration=True) + b"\n"


def _add(suite: ElementTree.Element, command: str, case: Case) -> None:
    about = {"name": case.name, "classname": f"{command}.{case.suite}", "time": f"{case.seconds:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", {key: _clean(text) for key, text in about.items()})
    if case.outcome == PASSED:
        return
    where = f"{case.file}:{case.line}" if case.file else ""
    again = f"again: {case.again}" if case.again else ""
    lines = filter(None, (case.said, where, *case.details, again))
    found = ElementTree.SubElement(
        element, ELEMENT[case.outcome], {"type": case.outcome, "message": _clean(" ".join(case.said.split()))}
    )
    if case.outcome != SKIPPED:
        found.text = _clean("\n".join(lines))


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failures = sum(c.outcome == FAILED for c in cases)
    errors = sum(c.outcome in (UNKNOWN, ERRED) for c in cases)
    seconds = sum(c.seconds for c in cases)
    return {
        "tests": str(len(cases)), "failures": str(failures), "errors": str(errors), "time": f"{seconds:.3f}",
    }  # fmt: skip


def _clean(text: str) -> str:
    return NO_XML.sub("?", text)
