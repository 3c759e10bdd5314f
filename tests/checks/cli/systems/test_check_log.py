"""The command `cutproof check-log`: what it says of a log, for each reason, and its exit codes."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from places import DOCS

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.reports import logs as report
from cutproof.checks.drivers.logs import refusals

LOCK = str(DOCS / "examples" / "lock.py")
LOG = (DOCS / "examples" / "lock.jsonl").read_text("utf-8").splitlines()
TAKE_ANN, TAKE_BOB = '{"action":"take","args":{"client":"ANN"}}', '{"action":"take","args":{"client":"BOB"}}'
BACK_ANN, NOTICE = '{"action":"give_back","args":{"client":"ANN"}}', '{"action":"notice"}'
SMALL = """
from cutproof.model.language import *
from cutproof.model.protocol import Protocol

@action
def up(s, by):
    return when(guard("low", s.n < 3)).then(n=s.n + by)

@action
def never(s):
    return when(guard("no", s.n > 5)).then(n=constant(0))

@action
def left(s, by):
    return when(guard("at the start", s.n == 0)).then(n=constant(2)) if by == 1 else None

@always
def not_two(s):
    return s.n != 2

@always
def not_three(s):
    return s.n != 3

protocol = Protocol(
    name="small", indices={"by": (1, 2)}, variables={"n": count(0, 3)},
    actions=[up, never, left], properties=[not_two, not_three],
)
"""


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command on some lines, or on logs of several nodes; its exit code, and what it says."""
    monkeypatch.setattr("cutproof.checks.cli.console.width", lambda: 1000)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.py").write_text(SMALL, "utf-8")

    def run(lines: list[str] | list[list[str]], *options: str, of: str = LOCK) -> tuple[int, list[str]]:
        logs = [lines] if not lines or isinstance(lines[0], str) else lines
        files = [f"{name}.jsonl" for name, _ in zip("abc", logs, strict=False)]
        for file, log in zip(files, logs, strict=True):
            (tmp_path / file).write_text("".join(f"{line}\n" for line in log), "utf-8")
        code = cli.main(["check-log", of, *files, *options])
        out, err = capsys.readouterr()
        return code, (out or err).splitlines()

    return run


def test_a_log_that_is_explained(checked: Any) -> None:
    assert checked(LOG[:6]) == (
        0,
        [
            "accepted: a.jsonl: some behaviour of lock explains the 6 events; 1 state possible at the end",
            "not looked at: the fields time",
        ],
    )


def test_a_false_guard_is_named_with_what_it_reads(checked: Any) -> None:
    code, said = checked([TAKE_ANN, TAKE_BOB])
    assert code == 12
    assert said == [
        "rejected: a.jsonl:2: take(client=BOB): no behaviour of lock explains this line after line 1",
        "  in the one state that is possible before it:",
        "    take(client=BOB): false guard 'free': holder = ANN",
        "    possible there: give_back(client=ANN), expire()",
        "  it is possible once give_back(client=ANN) or expire() has happened: if one of them is not logged, "
        "name it in --unlogged, or say --missing 1",
        "  one behaviour until there:",
        "    a.jsonl:1  take(client=ANN)",
    ]


def test_a_state_that_is_another_is_shown_beside_it(checked: Any) -> None:
    state = '{"action":"take","state":{"number":1,"working":{"ANN":false,"BOB":false}}}'
    code, said = checked([state])
    assert code == 12
    assert said == [
        "rejected: a.jsonl:1: take(), then number = 1, working[ANN] = False, working[BOB] = False: "
        "no behaviour of lock explains this line as the first one",
        "  in the one state that is possible before it:",
        "    working[ANN]: the log has False, the protocol True after take(client=ANN)",
        "    possible there: take(client=ANN), take(client=BOB)",
    ]
    code, said = checked([TAKE_ANN, '{"state":{"holder":"BOB"}}'])
    assert code == 12
    assert said[0].startswith("rejected: a.jsonl:2: state holder = BOB: no behaviour")
    assert said[2] == "    holder: the log has BOB, the protocol ANN"


def test_the_closest_candidate_is_told(checked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['{"action":"take"}', '{"action":"notice","args":{"client":"ANN"}}']
    code, said = checked(lines)
    assert code == 12
    assert said[1] == "  in the closest of 2 states that are possible before it:"
    assert (
        said[2] == "    notice(client=ANN): false guard 'lost it': holder = ANN"
    )  # where BOB has it, two are false
    assert "    a.jsonl:1  take(client=ANN)" in said
    state = '{"state":{"holder":"NOBODY","number":1,"working":{"ANN":false,"BOB":true}}}'
    assert checked([*lines[:1], state])[1][2] == "    holder: the log has NOBODY, the protocol BOB"
    state = '{"state":{"holder":"NOBODY","number":1,"working":{"ANN":true,"BOB":false}}}'
    assert checked([*lines[:1], state])[1][2] == "    holder: the log has NOBODY, the protocol ANN"
    monkeypatch.setattr(refusals, "LOOKED_AT", 1)
    monkeypatch.setattr(report, "LOOKED_AT", 1)
    assert (
        checked(lines)[1][1]
        == "  in the closest that was looked at (1) of 2 states that are possible before it:"
    )


def test_a_step_that_never_is_or_leaves_its_domain(checked: Any) -> None:
    one, two = '{"action":"up","args":{"by":1}}', '{"action":"up","args":{"by":2}}'
    code, said = checked([one, one, two], of="small.py")
    assert code == 12
    assert said[2] == "    up(by=2): it sets n to 4, outside 0..3: the protocol is too small for this log"
    code, said = checked(['{"action":"left","args":{"by":2}}'], of="small.py")
    assert (code, said[2]) == (12, "    small never has such a step")
    code, said = checked(['{"action":"never"}'], of="small.py")
    assert (code, said[2]) == (12, "    never(): false guard 'no'")
    code, said = checked([one, two, '{"action":"?"}'], of="small.py")
    assert code == 12 and said[2:4] == [
        "    up(by=1): false guard 'low': n = 3",
        "    possible there: nothing",
    ]


def test_a_log_that_proves_a_violation(checked: Any, tmp_path: Path, capsys: Any) -> None:
    code, said = checked(LOG, "--unlogged", "expire", "-o", "run.itf.json")
    assert code == 12
    assert said[:3] == [
        "found: a.jsonl: every behaviour of lock that explains lines 1 to 7 violates one_at_work",
        "  one_at_work: No two clients work at the same time.",
        "  one that does:",
    ]
    assert said[8:10] == ["    not logged  expire()", "    a.jsonl:7   take(client=ANN)"]
    assert said[10] == "the 10 events can be explained; 1 state possible at the end"
    assert cli.main(["replay", "run.itf.json", "--model", LOCK]) == 0
    assert "after it one_at_work is false" in capsys.readouterr().out


def test_what_may_have_been_violated_is_only_possible(checked: Any) -> None:
    code, said = checked([TAKE_ANN, TAKE_BOB], "--unlogged", "expire,notice")
    assert code == 0
    assert said[1] == "possible: some of those that do violate one_at_work, others do not"


def test_each_way_may_violate_another_property(checked: Any) -> None:
    lines = ['{"action":"up"}', '{"action":"up"}']  # 0, 1, 2; 0, 1, 3; 0, 2, 3
    code, said = checked(lines, of="small.py")
    assert code == 12
    assert (
        said[0]
        == "found: a.jsonl: every behaviour of small that explains lines 1 to 2 violates some property, not all"
        " of them the same"
    )


def test_a_violation_is_told_beside_a_line_that_nothing_explains(checked: Any) -> None:
    code, said = checked([*LOG[:7], TAKE_ANN], "--unlogged", "expire,give_back", "--missing", "0")
    assert code == 0 or "rejected" in said[0]
    code, said = checked([*LOG[:8], BACK_ANN], "--unlogged", "expire")
    assert code == 12 and said[0].startswith("rejected: a.jsonl:9: give_back(client=ANN): no behaviour")
    assert "  and every behaviour that explains lines 1 to 7 violates one_at_work" in said


def test_logs_of_several_nodes_are_merged(checked: Any) -> None:
    ann, bob = [TAKE_ANN, NOTICE], [TAKE_BOB, '{"action":"give_back","args":{"client":"BOB"}}']
    assert checked([ann, bob], "--unlogged", "expire")[0] == 0
    code, said = checked([[*ann, TAKE_ANN], [TAKE_BOB]])
    assert code == 12
    assert said[0].startswith(
        "rejected: a.jsonl:2: notice(): no behaviour of lock explains this line after 1 event of"
    )
    assert "  nor can b.jsonl:1 come next: take(client=BOB): false guard 'free': holder = ANN" in said
    together = [
        json.dumps({**json.loads(line), "host": host})
        for host, log in (("a", ann), ("b", bob))
        for line in log
    ]
    assert checked(together, "--node", "host", "--unlogged", "expire")[0] == 0
    assert checked([bob[1], bob[0]])[0] == 12


def test_a_log_may_begin_anywhere_and_have_more_in_it(checked: Any) -> None:
    assert checked([BACK_ANN])[0] == 12
    assert checked([BACK_ANN], "--midway")[0] == 0
    assert checked(['{"action":"gc"}', TAKE_ANN], "--ignore", "gc") == (
        0,
        [
            "accepted: a.jsonl: some behaviour of lock explains the 1 event; 1 state possible at the end",
            "passed over: 1 line of actions that are ignored",
        ],
    )


def test_what_is_not_known(checked: Any) -> None:
    assert checked([]) == (3, ["not exercised: a.jsonl: there is no event in it"])
    code, said = checked([TAKE_ANN, '{"action":"?"}'], "--max-states", "1")
    assert code == 3
    assert said == [
        "unknown: a.jsonl: more than 1 state is possible after line 1: raise --max-states, or log more"
    ]
    code, said = checked(['{"state":{"number":0}}'], "--max-states", "2", "--missing", "9")
    assert code == 3 and said[0].startswith("unknown: a.jsonl: more than 2 states are possible at the start:")
    code, said = checked([TAKE_ANN], "--max-states", "3", "--midway", "-o", "never.itf.json")
    assert code == 3 and said[0].startswith("unknown: a.jsonl: more than 3 states are possible at the start:")


def test_facts_for_machines(checked: Any, tmp_path: Path) -> None:
    code, said = checked([TAKE_ANN, TAKE_BOB], "--json")
    assert code == 12 and len(said) == 1
    facts = json.loads(said[0])
    assert {k: facts[k] for k in ("checked", "verdict", "events", "explained", "candidates", "trace")} == {
        "checked": "lock", "verdict": "rejected", "events": 2, "explained": 1, "candidates": 1, "trace": None,
    }  # fmt: skip
    (why,) = facts["refusals"]
    assert (why["file"], why["line"], why["event"]) == ("a.jsonl", 2, "take(client=BOB)")
    assert why["false"] == [{"guard": "free", "reads": {"holder": "ANN"}}]
    assert why["enabled"] == why["possible after"] == ["give_back(client=ANN)", "expire()"]
    code, said = checked(LOG, "--json", "--unlogged", "expire", "-o", "x.itf.json")
    facts = json.loads(said[0])
    assert (facts["verdict"], facts["violates"], facts["since"], facts["trace"]) == (
        "violated", ["one_at_work"], 6 + 1, "x.itf.json",
    )  # fmt: skip


def test_a_behaviour_is_written(checked: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(LOG[:6], "-o", "ok.itf.json")[1][-1] == (
        f"ok.itf.json: see it by cutproof replay ok.itf.json --model {LOCK}"
    )
    checked([TAKE_ANN, TAKE_BOB], "-o", "ok.itf.json")  # over the one before
    for file in ("ok.itf.json",):
        assert cli.main(["replay", file, "--model", LOCK]) == 0
        assert "Explains a.jsonl: as much of it as can be explained." in capsys.readouterr().out
    monkeypatch.setattr(report, "LONGEST", 1)
    code, said = checked(LOG[:6], "-o", "long.itf.json")
    assert code == 0 and not Path("long.itf.json").exists()
    assert said[1] == "not written: the behaviour has 5 steps, more than a trace may hold"


def test_a_log_on_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for text, code in ((TAKE_ANN, 0), (NOTICE, 12), ("{", 2)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert cli.main(["check-log", LOCK, "-"]) == code
        out, err = capsys.readouterr()
        assert "stdin" in (err if code == 2 else out)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            ["a.jsonl", "--unlogged", "expires"],
            "--unlogged expires: lock has no such action; did you mean expire?",
        ),
        (["a.jsonl", "a.jsonl"], "a log is given twice: each is that of one node"),
        (["none.jsonl"], "none.jsonl: No such file or directory"),
        (["a.jsonl", "-o", "."], "-o .: is a folder"),
        (["a.jsonl", "-o", "a.jsonl/x"], "-o a.jsonl: is not a folder"),
        (["a.jsonl", "--node", "host"], "a.jsonl:1: has no field 'host', which is to say whose line it is"),
        (["a.jsonl", "--missing", "-1"], "Invalid value for '--missing'"),
        ([], "Missing argument 'LOG...'"),
    ],
)
def test_what_cannot_be_meant_is_refused(checked: Any, capsys: Any, options: list[str], reason: str) -> None:
    checked([TAKE_ANN])
    assert cli.main(["check-log", LOCK, *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(f"cutproof: {reason}") and err.count("\n") == 1


def test_the_guide_shows_the_example() -> None:
    guide = (DOCS / "guides" / "logs.md").read_text("utf-8")
    for name in ("lock.py", "lock.jsonl"):
        assert (DOCS / "examples" / name).read_text("utf-8") in guide
