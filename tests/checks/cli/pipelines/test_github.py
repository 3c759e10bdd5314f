"""Cases for GitHub: commands that a text cannot break out of, and a summary in which it is only text."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cli.pipelines.cases import BAD, FAILED, OUTCOMES, PASSED, UNKNOWN, Case
from cutproof.checks.cli.pipelines.github import ANNOTATIONS, ROWS, marks, summary

# A workflow command, as the documentation of GitHub Actions has it: properties with no bare colon or comma, one line.
COMMAND = re.compile(r"::error (?:file=([^:,\r\n]*),line=(\d+),)?title=([^:,\r\n]*)::([^\r\n]*)")
hostile = st.text(max_size=12) | st.sampled_from(
    ["::error::x", "%0A", "a|b", "`", "<img>", "\n::stop-commands::x", "\x1b[0m"]
)
one = st.builds(
    Case, suite=hostile, name=hostile, outcome=st.sampled_from(OUTCOMES), said=hostile, again=hostile, file=hostile,
    line=st.integers(0, 99),
)  # fmt: skip


def unescaped(text: str) -> str:
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@given(st.lists(one, max_size=15))
def test_a_mark_is_one_command_for_each_bad_case_the_worst_first(cases: list[Case]) -> None:
    found = marks(cases)
    assert all(COMMAND.fullmatch(line) and line.isprintable() for line in found)
    bad = [case for case in cases if case.outcome in BAD]
    assert len(found) == min(len(bad), ANNOTATIONS)
    failed = sum(case.outcome == FAILED for case in cases)
    worst = [case.name for case in bad if case.outcome == FAILED][:ANNOTATIONS]
    assert len(worst) == min(failed, ANNOTATIONS)


def test_what_is_written_is_what_github_reads() -> None:
    case = Case("a: b", "c, 100%", FAILED, "no 5 %0A\nof it", "cutproof replay x", "m,1.py", 3)
    found = COMMAND.fullmatch(marks([case])[0])
    assert found is not None
    assert [unescaped(text) for text in found.groups()] == [
        "m,1.py", "3", "a: b: c, 100%", "no 5 %0A\nof it\nagain: cutproof replay x",
    ]  # fmt: skip


def test_a_place_is_told_from_the_root_of_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    inside, outside = str(tmp_path / "models" / "m.py"), "/elsewhere/m.py"
    said = [marks([Case("a", "b", FAILED, file=file, line=2)])[0] for file in (inside, outside)]
    assert [line.partition(",")[0] for line in said] == [
        "::error file=models/m.py",
        "::error file=/elsewhere/m.py",
    ]


@given(st.lists(one, max_size=6))
def test_in_the_summary_a_text_is_only_text(cases: list[Case]) -> None:
    text = summary("explore", cases, 12)
    rows = [line for line in text.splitlines() if line.startswith("| :")]
    assert len(rows) == len(cases) and all(row.count("|") == 6 and "<" not in row for row in rows)


def test_the_summary_has_what_is_bad_first_and_ends() -> None:
    many = [Case("a", str(n), PASSED) for n in range(ROWS)]
    text = summary(
        "explore", [*many, Case("a", "left", UNKNOWN, "cut off", "cutproof x"), Case("a", "bad", FAILED)], 3
    )
    rows = [line.split("|")[3].strip() for line in text.splitlines() if line.startswith("| :")]
    assert rows[:3] == ["bad", "left", "0"] and len(rows) == ROWS and "and 2 more" in text
    assert (
        text.splitlines()[0] == "### `cutproof explore`: 1 failed, 1 unknown, 200 passed"
        and "Exit code 3." in text
    )
    assert "`cutproof x`" in text
