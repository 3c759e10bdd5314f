"""Stories: in the words of a protocol or by default, the table at the end, and the facts of a replay for machines."""

from typing import Any

import pytest
from places import TRACES
from recorded import BROKEN, HIGH, TRACE, path_of, rich, rich_trace

from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.story import account, facts_of, story
from cutproof.checks.traces.trace import from_path, read
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import Run, Words
from cutproof.model.language.protocol import Protocol

STORED = sorted(TRACES.glob("*.itf.json"))


def spoken(protocol: Protocol, words: Words) -> Protocol:
    other = object.__new__(Protocol)
    other.__dict__.update(protocol.__dict__)
    other.words = words
    return other


def test_the_words_of_a_protocol_are_used() -> None:
    words = Words(
        steps={"commit": "All are told to commit."},
        variables={"rm": "manager {rm} is {new}", "said_commit": ""},
        values={"rm": {"COMMITTED": "through"}},
        ending=lambda run: [["", *map(str, run.last["rm"])], ["managers", *run.last["rm"].values()]],
    )
    lines = story(TRACE, spoken(BROKEN, words))
    assert lines[4:] == [
        "  1. commit()",
        "    All are told to commit.",
        "       tm: INIT -> COMMITTED",
        "  2. choose_to_abort(rm=0)",
        "    A working resource manager aborts on its own; it says nothing.",
        "       manager 0 is ABORTED",
        "  3. obey_commit(rm=1)",
        "    A resource manager is told to commit.",
        "       manager 1 is through",
        "",
        "          0        1",
        "managers  ABORTED  COMMITTED",
        "",
        "false at the end: consistent: No two resource managers decide differently.",
    ]
    assert account(replay(TRACE, spoken(BROKEN, words)))[:-1] == lines


def test_a_trace_without_its_protocol_is_told_by_what_it_recorded() -> None:
    lines = story(TRACE)
    assert lines[4:7] == [
        "  1. commit()",
        "       tm: INIT -> COMMITTED",
        "       said_commit: False -> True",
    ]
    assert "       rm[1]: WORKING -> COMMITTED" in lines


def test_what_differs_from_the_start_stands_at_the_end_by_variable() -> None:
    lines = story(rich_trace(*HIGH), rich())
    assert lines[-4:-1] == [
        "        at the end    at the start",
        "height  RIGHT, a: -1  -3",
        "last    RIGHT         LEFT",
    ]
    assert story(rich_trace(), rich())[-1] == "", "nothing happened: no table"


@pytest.mark.parametrize(
    ("labels", "meta", "said"),
    [
        (("lock()",), {"property": "locked"}, "true at the end: locked"),
        (("lock()",), {"property": "moves"}, "out of reach from here: moves"),
        (("lock()", "lock()"), {"property": "moves", "form": "cycle"},
         "never true, however often this goes round: moves"),
        (HIGH, {"property": "deadlock", "form": "deadlock"}, "nothing can change any more"),
        (HIGH, {"property": "low", "harm": "too high"}, "false at the end: low (much too high)"),
    ],
)  # fmt: skip
def test_the_end_says_which_property_it_is_about(labels: Any, meta: Any, said: str) -> None:
    protocol = spoken(rich(), Words(harms={"too high": "much too high"}))
    assert story(from_path(rich(), *path_of(rich(), *labels), why="So.", **meta), protocol)[-1] == said


def test_a_replay_gives_its_steps_to_machines() -> None:
    first, second, third = facts_of(replay(TRACE, BROKEN))
    assert [s["action"] for s in (first, second, third)] == ["commit", "choose_to_abort", "obey_commit"]
    assert (second["step"], second["arguments"]) == (2, {"rm": 0})
    assert second["sentence"] == "A working resource manager aborts on its own; it says nothing."
    assert second["changes"] == [
        {"field": "rm[0]", "old": "WORKING", "new": "ABORTED", "words": "rm 0: WORKING -> ABORTED"}
    ]
    assert facts_of(replay(TRACE, two_phase_commit(2))) == [], (
        "where the first step is refused nothing was done"
    )


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.name.removesuffix(".itf.json"))
def test_every_stored_trace_is_told_without_a_code(file: Any) -> None:
    trace = read(file)
    protocol = protocol_of_trace(trace, file.name)
    result = replay(trace, protocol, file.name)
    lines = account(result)
    assert result.verdict == "reproduced"
    assert [line for line in lines if "[" in line or "{" in line] == []
    assert lines[:-1] == story(trace, protocol), (
        "what was recorded, and what the specification does, is one story"
    )
    assert any(line.startswith("a read of ") for line in lines)
    sentences = {a.name: a.sentence for a in protocol.actions}
    general = [s["action"] for s in facts_of(result) if s["sentence"] == sentences[s["action"]]]
    assert set(general) <= {"change_policy", "other_migration_ends", "other_migration_hangs", "forget"}


def test_the_story_of_a_lost_write_ends_with_who_was_told_what() -> None:
    trace = read(TRACES / "lost-write-without-fence_epoch.itf.json")
    lines = account(replay(trace, protocol_of_trace(trace, "x")))
    end = lines.index("at the end         document 0")
    assert lines[end + 1 : end + 5] == [
        "clients were told  write 1: succeeded",
        "O holds            write 1",
        "N (owner) holds    nothing",
        "a read of N shows  nothing",
    ]
    assert "    O accepts write 1 of document 0 and queues it." in lines
    assert lines[-2].startswith("false at the end: no_lost_write (lost acknowledged write): The owner serves")


def test_a_run_can_be_told_by_any_ending() -> None:
    seen: list[Run] = []
    words = Words(ending=lambda run: seen.append(run) or [["x"]])  # type: ignore[func-returns-value]
    story(TRACE, spoken(BROKEN, words))
    assert [t.action for t in seen[0].steps] == [s.action for s in TRACE.steps]
    assert seen[0].last == seen[0].steps[-1].after and seen[0].last["rm"] == {0: "ABORTED", 1: "COMMITTED"}
