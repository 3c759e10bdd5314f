"""Cases as GitHub's workflow commands, which mark lines of the source, and as the Markdown of a step's summary."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cutproof.checks.cli.pipelines.cases import BAD, FAILED, OUTCOMES, Case

ANNOTATIONS = 10  # GitHub shows no more of a step
ROWS = 200  # of a summary
LONG = 1000  # characters of a message


def marks(cases: Sequence[Case]) -> list[str]:
    """A mark, which is a workflow command, for each bad case, the worst first, ten at most."""
    bad = [case for case in _sorted(cases) if case.outcome in BAD]
    return [_annotation(case) for case in bad[:ANNOTATIONS]]


def _annotation(case: Case) -> str:
    place = {"file": _from_the_root(case.file), "line": str(case.line or 1)} if case.file else {}
    facts = {**place, "title": f"{case.suite}: {case.name}"}
    said = case.said[:LONG] + (f"\nagain: {case.again}" if case.again else "")
    given = ",".join(f"{name}={_property(text)}" for name, text in facts.items())
    return f"::error {given}::{_data(said)}"


def _from_the_root(file: str) -> str:
    """A file as GitHub names it: from the root of the checkout, where it is in it."""
    root, path = os.environ.get("GITHUB_WORKSPACE"), Path(file).absolute()
    if root and path.is_relative_to(Path(root).absolute()):
        return path.relative_to(Path(root).absolute()).as_posix()
    return file


def _data(text: str) -> str:
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(sign, code)
    return "".join(c if c.isprintable() else "?" for c in text)


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summary(command: str, cases: Sequence[Case], code: int) -> str:
    """A heading, the counts, and a table with what is bad first."""
    counts = ", ".join(f"{n} {o}" for o in OUTCOMES if (n := sum(c.outcome == o for c in cases)))
    lines = [
        f"### `cutproof {_cell(command)}`: {counts or 'nothing was judged'}",
        "",
        f"Exit code {code}.",
        "",
    ]
    shown = _sorted(cases)[:ROWS]
    if shown:
        lines += ["| | about | claim | said | again |", "|---|---|---|---|---|"]
    for case in shown:
        mark = (
            ":white_check_mark:"
            if case.outcome not in BAD
            else ":x:"
            if case.outcome == FAILED
            else ":warning:"
        )
        again = f"`{_cell(case.again)}`" if case.again and case.outcome in BAD else ""
        said = _cell(case.said[:LONG])
        lines.append(f"| {mark} | {_cell(case.suite)} | {_cell(case.name)} | {said} | {again} |")
    if len(cases) > len(shown):
        lines += ["", f"and {len(cases) - len(shown):,} more"]
    return "\n".join(lines) + "\n\n"


def _sorted(cases: Sequence[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: OUTCOMES.index(case.outcome))


def _cell(text: str) -> str:
    """A text that is only text in a cell of a table."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("`", "'")):
        shown = shown.replace(sign, written)
    return shown
