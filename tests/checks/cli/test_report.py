"""Reports: tables that fit, the ladder's lines, progress, and the diagram of the phases."""

import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cli.reports import ladder as ladder_report
from cutproof.checks.cli.reports import progress, tables
from cutproof.checks.cli.reports import safeguards as safeguards_report
from cutproof.checks.cli.reports.progress import Ticker
from cutproof.checks.cutover.safeguards.necessity import EXPERIMENTS
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.ladder.verify import Row, build
from cutproof.model.cutover.mechanisms import Cleanup
from cutproof.model.cutover.safeguards import SAFEGUARDS
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit

GOOD = Row("scope", "base", "writes=2", "holds", 0, states=11819, transitions=40607, depth=33, seconds=1.26)
BAD = Row(
    "counterexample", "lost-write-without-x[O,0]", "base", "holds", 12, ("x",), "violated",
    "no_lost_write", "LAW", "it can be removed without harm", "traces/a.itf.json", 10, 20, 3,
)  # fmt: skip


# ------------------------------------------------------------------ tables


def table_of(rows: list[Row], width: int = tables.WIDEST, coloured: bool = False) -> list[str]:
    """Some rows, line by line."""
    table = ladder_report.LadderTable((row.name for row in rows), width, coloured)
    return [*table.head(), *(line for row in rows for line in table.lines(row))]


def test_a_table_where_there_is_no_terminal_has_no_colours_and_fits() -> None:
    head, good, *both = table_of([GOOD, BAD])
    bad = " ".join(" ".join(both).split())
    assert head.split() == ["check", "what", "states", "transitions", "depth", "seconds", "verdict"]
    assert good.split() == ["ok", "scope", "base", "11,819", "40,607", "33", "1.3", "holds"]
    assert bad.startswith("FAIL counterexample lost-write-without-x[O,0] 10 20 3 ")
    assert bad.endswith("holds: it can be removed without harm")
    assert max(map(len, (head, good, *both))) <= tables.WIDEST and "\x1b" not in bad
    head, good, *_ = table_of([GOOD, BAD], 200)
    assert head.split()[-1] == "scope" and good.split()[-1] == "writes=2"


def test_what_was_not_run_is_counted_and_with_strict_is_unknown() -> None:
    left = Row("wide scope", "large", "writes=9", "not run", 0, detail="needs the extra `fast`")
    assert table_of([left])[1].split()[:3] == ["-", "wide", "scope"]
    codes = [ladder_report.exit_code_of([GOOD, left], strict) for strict in (False, True)]
    assert codes == [0, 3] and ladder_report.exit_code_of([GOOD], strict=True) == 0
    said = [ladder_report.summary([GOOD, left], 9.0, code) for code in codes]
    assert said[0] == (
        "verified: 1 of 2 results are as expected, in 9 s; wide scope large was not run: needs the extra `fast`"
    )
    assert said[1].startswith("not verified (exit code 3): 1 of 2 results are as expected")
    assert ladder_report.row_json(left)["as_expected"] is False


def test_a_row_that_failed_is_red_on_a_terminal() -> None:
    head, good, bad, *_ = table_of([GOOD, BAD], 200, True)
    assert "\x1b" not in head + good and bad.startswith("\x1b[1;31mFAIL") and bad.endswith("\x1b[0m")


def shown(lines: list[str]) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]


WORD = st.text("abcdefgh-_=,./", min_size=1, max_size=30)
CELL = st.lists(WORD, max_size=9).map(" ".join)


@given(st.lists(st.tuples(WORD, WORD, CELL, CELL), max_size=5), st.integers(80, 200))
def test_a_table_fits_and_breaks_no_name(rows: list[tuple[str, ...]], columns: int) -> None:
    head = ("name", "number", "first", "second")
    lines = tables.table(head, rows, columns, numbers=("number",), wrap=("first", "second"), drop=("second",))
    assert max(map(len, lines), default=0) <= columns
    assert all(line == line.rstrip() for line in lines)
    words = Counter(" ".join(lines).split())
    kept = [cell for row in rows for cell in (row if "second" in lines[0] else row[:3])]
    assert words == Counter(" ".join([*lines[0].split(), *kept]).split())


@given(st.integers(0, 6), st.lists(WORD, min_size=1, max_size=40), st.integers(40, 120))
def test_lines_are_broken_between_words(indent: int, words: list[str], columns: int) -> None:
    text = " " * indent + " ".join(words)
    lines = tables.wrapped(text, columns)
    assert max(map(len, lines)) <= columns
    assert " ".join(lines).split() == words
    assert all(
        len(line) - len(line.lstrip()) == (indent + 4 if i else indent) for i, line in enumerate(lines)
    )


def test_a_word_that_is_too_long_is_broken_after_a_comma() -> None:
    policy = ",".join(f"knob_{n}=value" for n in range(20))
    lines = tables.wrapped(f"under {policy}", 60)
    assert max(map(len, lines)) <= 60 and "".join(lines).replace(" ", "") == f"under{policy}"
    assert all(line.endswith(",") for line in lines[1:-1])
    assert max(map(len, tables.wrapped("x" * 500, 60))) <= 60
    assert tables.wrapped("\x1b[1mred\x1b[0m" + "x" * 100, 60) == ["\x1b[1mred\x1b[0m" + "x" * 100]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_our_own_tables_fit_and_break_no_name(width: int) -> None:
    rows = [GOOD, BAD, *(Row("counterexample", e.file, e.scope_name, "violated", 0, property=e.property, harm=e.harm,
                             states=10**6, transitions=10**7, depth=20, seconds=3) for e in EXPERIMENTS)]  # fmt: skip
    lines = shown(table_of(rows, width, True))
    assert max(map(len, lines)) <= width
    assert {e.file for e in EXPERIMENTS} <= set(" ".join(lines).split())
    entries = [safeguards_report.safeguard_entry(s) for s in SAFEGUARDS.values()]
    lines = safeguards_report.safeguard_table(entries, width)
    assert max(map(len, lines)) <= width
    assert set(SAFEGUARDS) <= set(" ".join(lines).split())


def test_markup_in_a_name_is_only_text() -> None:
    assert "[bold]x[/bold]" in table_of([Row("scope", "[bold]x[/bold]", "", "holds", 0)])[1]


def test_a_verdict_says_what_and_why() -> None:
    violated = Row("scope", "a", "", "violated", 13, property="finish", detail="can_always")
    assert ladder_report.verdict_of(violated) == "violated: finish: can_always"
    lost = Row("counterexample", "a", "", "violated", 0, property="no_lost_write", harm="LAW")
    assert ladder_report.verdict_of(lost) == "violated: no_lost_write (LAW)"
    assert ladder_report.verdict_of(GOOD) == "holds"


def test_the_summary_names_what_failed() -> None:
    assert ladder_report.summary([GOOD], 3.2, 0) == "verified: 1 of 1 results are as expected, in 3 s"
    text = ladder_report.summary([GOOD, *[BAD] * 7], 3.2, 12)
    assert text.startswith(
        "not verified (exit code 12): 7 of 8 results are not as expected: counterexample lost-write"
    )
    assert text.endswith("and 2 more")


def test_a_row_as_json_has_the_facts() -> None:
    facts = json.loads(json.dumps(ladder_report.row_json(BAD)))
    wanted = {"checked", "verdict", "property", "harm", "states", "transitions", "depth", "seconds", "trace"}
    assert wanted | {"scope", "removed", "expected", "check"} <= set(facts)
    assert facts["as_expected"] is False and facts["removed"] == ["x"]


# ------------------------------------------------------------------ progress


def test_where_there_is_no_terminal_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Ticker(pause=0) as ticker:
        ticker.tell("base", 1000, 5000, 7, 300, 0.5)
        ticker.tell("kinds", 10, 20, 1, 3, 0.5)
        ticker.tell("base")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "base: 1,000 states, 2,000 states/s, frontier 300, depth 7"
    assert err.splitlines()[1].endswith("; kinds: 10 states, 20 states/s, frontier 3, depth 1")
    assert ticker.text().startswith("kinds")
    with Ticker(pause=60) as ticker:
        ticker.tell("base", 1000, 5000, 7, 300, 0.5)
    assert capsys.readouterr().err == ""


# ------------------------------------------------------------------ the phases


@pytest.mark.parametrize(
    "seconds, said", [(0.2, "1 s"), (42, "42 s"), (89, "89 s"), (90, "2 min"), (9000, "2.5 h")]
)
def test_how_long_it_takes_is_told_as_people_say_it(seconds: float, said: str) -> None:
    assert progress.lasting(seconds) == f"about {said}"


def test_the_time_left_goes_by_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with Ticker(pause=0) as ticker:
        ticker.share(1, 100)
        ticker.tell("a", "b")
        ticker.began -= 10
        ticker.share(1, 4, "1 of 4 tasks")
        ticker.tell("a", "b")
    first, second = capsys.readouterr().err.splitlines()
    assert (first, second) == ("a: b", "1 of 4 tasks, about 30 s left; a: b")


def test_without_a_terminal_the_width_is_what_columns_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, columns in {
        "80": 80,
        "3": 8,
        "": tables.WIDEST,
        "wide": tables.WIDEST,
        "0": tables.WIDEST,
    }.items():
        monkeypatch.setenv("COLUMNS", said)
        assert tables.width() == columns


def test_the_diagram_holds_exactly_the_changes_of_phase_that_fire() -> None:
    found = explore(build(parse_scope("writes=1,attempts=2,aborts=1")), cycles=False, graph=True)
    text = safeguards_report.phase_diagram([found])
    drawn = set()
    for here, there, names in re.findall(r"(\w+) --> (\w+) : (.+)", text):
        drawn |= {(here, there, name) for name in names.split(", ")}
    phase = next(i for i, f in enumerate(found.protocol.fields) if f.name == "phase")
    decode = found.protocol.fields[phase].domain.decode
    assert found.graph is not None
    fired = {
        (decode(found.states[a][phase]).name, decode(found.states[b][phase]).name, at["action"])
        for a, b, at in found.graph.edges(data=True)
        if found.states[a][phase] != found.states[b][phase]
    }
    assert drawn == fired
    assert ("DUAL", "ABORTED", "abort") in drawn and ("ABORTED", "DUAL", "begin") in drawn
    lines = text.splitlines()
    assert (
        lines[0] == "stateDiagram-v2"
        and lines[1] == "    [*] --> IDLE"
        and lines[-1] == "    COMPLETE --> [*]"
    )
    assert len(lines) == len(set(lines))


def test_two_explorations_make_one_diagram() -> None:
    one = explore(build(parse_scope("writes=1")), cycles=False)
    other = explore(build(parse_scope("writes=1,attempts=2,back=1")), cycles=False)
    both = safeguards_report.phase_diagram([one, other])
    assert safeguards_report.phase_diagram([other, one]) == both
    assert "COMPLETE --> DUAL : begin" in both and "COMPLETE --> [*]" not in both
    assert "COMPLETE --> [*]" in safeguards_report.phase_diagram([one])


def test_a_diagram_needs_edges_and_phases() -> None:
    with pytest.raises(ValueError, match="kept no edges"):
        safeguards_report.phase_diagram(
            [explore(build(parse_scope("writes=1")), properties=["no_lost_write"])]
        )
    with pytest.raises(ValueError, match="no variable 'phase'"):
        safeguards_report.phase_diagram([explore(two_phase_commit(2))])


# ------------------------------------------------------------------ safeguards


def test_every_safeguard_can_be_told() -> None:
    for safeguard in SAFEGUARDS.values():
        entry = safeguards_report.safeguard_entry(safeguard)
        assert json.loads(json.dumps(entry)) == entry
        text = "\n".join(safeguards_report.safeguard_text(entry))
        assert safeguard.rule in text and safeguard.without in text
    table = safeguards_report.safeguard_table(
        [safeguards_report.safeguard_entry(s) for s in SAFEGUARDS.values()]
    )
    assert len([line for line in table if line[:1].strip() and line.split()[0] in SAFEGUARDS]) == len(
        SAFEGUARDS
    )


def test_the_smallest_condition_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    from cutproof.checks.cutover.safeguards import necessity
    from cutproof.model.cutover.policy import Policy

    big = necessity.Experiment(
        "fence_epoch", "LAW", "no_lost_write", "crash", Policy(cleanup=Cleanup.IMMEDIATE)
    )
    small = necessity.Experiment("fence_epoch", "LAW", "no_lost_write", "base")
    monkeypatch.setattr(necessity, "EXPERIMENTS", (big, small))
    entry = safeguards_report.safeguard_entry(SAFEGUARDS["fence_epoch"])
    assert [e["scope"] for e in entry["necessary"]] == ["base", "crash"]
    assert "scope crash; policy cleanup=immediate" in "\n".join(safeguards_report.safeguard_text(entry))
    monkeypatch.setattr(necessity, "EXPERIMENTS", ())
    assert "not seen to be necessary" in safeguards_report.safeguard_text(
        safeguards_report.safeguard_entry(SAFEGUARDS["fence_epoch"])
    )
