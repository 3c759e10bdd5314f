"""Clients that never stop: DUAL that waits for an empty queue may wait for ever, and to forget changes nothing."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cutproof.checks.cutover.reference.lockstep import specification
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Verdict, Violated, run_of
from cutproof.checks.traces.pending import is_fair
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.endless import AT_LAST
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import Scope, parse_scope
from cutproof.model.cutover.slot import Task
from cutproof.model.language.protocol import Protocol

NAMES = [p.name for p in AT_LAST]


def protocol(scope: str, **switches: bool) -> Protocol:
    return cutover(parse_scope(scope)).resolve(Mechanisms(**switches))


def judged(scope: str, **switches: bool) -> dict[str, Verdict]:
    found = explore(protocol(scope, **switches), properties=NAMES)
    return {v.property: v for v in found.verdicts if v.property in NAMES}


def test_dual_that_waits_for_an_empty_queue_may_wait_for_ever() -> None:
    found = judged("endless", copy_waits_for_earlier_alone=False)
    ends = found["begun_ends"]
    assert isinstance(ends, Violated)
    path = run_of(ends)
    assert path is not None and path.back is not None
    names = protocol("endless", copy_waits_for_earlier_alone=False)
    around = [names.transitions[n].action for n in path.transitions[path.back :]]
    assert {"write", "acknowledge", "forget"} <= set(around)
    assert {names.decode(s)["phase"].name for s in path.states[path.back :]} == {"DUAL"}
    assert isinstance(found["written_is_answered"], Holds)


def around_two(doc: int, rank: int) -> list[str]:
    """A client of one document writes and is accepted at O; then the other one's write, which is there since before, is
    applied everywhere, acknowledged, and what it replaced is forgotten."""
    there = 1 - doc
    return [
        f"write(doc={doc}, rank={rank}, erases=False, view=1)",
        f"accept(node=O, doc={doc}, message={rank})",
        f"apply(node=O, doc={there}, message=2)",
        f"accept(node=N, doc={there}, message=2)",
        f"apply(node=N, doc={there}, message=2)",
        f"acknowledge(doc={there}, rank=2, view=1)",
        f"forget(doc={there}, rank=1)",
    ]


def test_with_two_documents_the_queue_may_never_be_empty() -> None:
    """However often the coordinator looks: a fair round on which something is always queued at O."""
    old = Mechanisms(copy_waits_for_earlier_alone=False)
    spec = specification(parse_scope("endless,documents=2"), old)
    state = spec.protocol.initial
    for name in ("begin()", "raise_fence(node=O, epoch=1)", "raise_fence(node=N, epoch=1)"):
        state = spec.successors(state)[name]
    for doc in (0, 1):
        state = spec.successors(state)[f"write(doc={doc}, rank=1, erases=False, view=1)"]
        for name in ("accept(node={}, doc={}, message=1)", "apply(node={}, doc={}, message=1)"):
            for node in "ON":
                state = spec.successors(state)[name.format(node, doc)]
        state = spec.successors(state)[f"acknowledge(doc={doc}, rank=1, view=1)"]
    state = spec.successors(state)["write(doc=0, rank=2, erases=False, view=1)"]
    state = spec.successors(state)["accept(node=O, doc=0, message=2)"]
    states, taken = [state], []
    for name in [*around_two(1, 2), *around_two(0, 2)]:
        assert "start_copy()" not in spec.successors(states[-1])
        taken.append(spec.protocol.transitions[spec.labels.index(name)])
        states.append(spec.successors(states[-1])[name])
    assert states[-1] == states[0]
    assert is_fair(spec.protocol, [spec.protocol.named(s) for s in states], taken)
    mended = specification(parse_scope("endless,documents=2"), Mechanisms())
    assert all("start_copy()" in mended.successors(s) for s in states)


@pytest.mark.parametrize(
    "scope",
    [
        "endless",
        "endless,crashes=1,strays=1,failures=1,losses=1",
        pytest.param("endless,writes=3,late=1", marks=pytest.mark.nightly),
        pytest.param("endless,attempts=2,aborts=1,late=1", marks=pytest.mark.nightly),
    ],
)
def test_a_migration_ends_while_clients_go_on(scope: str) -> None:
    found = explore(protocol(scope))
    assert not [v for v in found.verdicts if not isinstance(v, Holds) and v.form != "sometimes"]
    assert {*NAMES} <= {v.property for v in found.verdicts}


@pytest.mark.parametrize("text", ["endless=1", "endless=1,writes=2,deletes=1", "endless=1,writes=2,skew=1"])
def test_what_cannot_be_endless_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="endless=1 needs writes=2 or more, and is without deletes") as error:
        parse_scope(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scope", ["base", "writes=2", "kinds"])
def test_other_scopes_forget_nothing_and_claim_nothing_of_it(scope: str) -> None:
    found = protocol(scope)
    assert "forget" not in {t.action for t in found.transitions}
    assert not {c.property for c in found.claims} & set(NAMES)


# ------------------------------------------------------------------ what is forgotten made no difference


WIDE = (
    "reads=1,late=1,losses=1,failures=1,failing_tasks=1,duplicates=1,crashes=1,strays=1,attempts=2,aborts=1"
)
FAULTS = {a.name for a in cutover(Scope()).actions if a.fault} | {"abort"}
HELD = ("page", "scanned", "stray", "issued", "acked", "shown")


class Beside:
    """A run of the protocol with many writes, and beside it the endless one, which tells few of them apart: `live` are
    those that it remembers."""

    def __init__(self, seed: int, told_apart: int) -> None:
        self.draw = random.Random(seed)
        mechanisms = Mechanisms()
        self.many = specification(parse_scope(f"{WIDE},writes=9"), mechanisms)
        self.few = specification(parse_scope(f"{WIDE},endless=1,writes={told_apart}"), mechanisms)
        self.here, self.there = self.many.protocol.initial, self.few.protocol.initial
        self.live: list[int] = []
        self.told_apart = told_apart

    def name(self, name: str) -> str:
        """What a step of many writes is called among the few."""

        def place(found: re.Match[str]) -> str:
            rank = int(found[2])
            return f"{found[1]}{self.live.index(rank) + 1 if rank in self.live else len(self.live) + 1}"

        return re.sub(r"((?:rank|message)=)(\d+)", place, name)

    def image(self) -> dict[str, Any]:
        """The state with many writes, in the ranks of the few."""
        places = {0: 0, **{rank: place for place, rank in enumerate(self.live, 1)}}
        state = self.many.protocol.decode(self.here)
        for variable in HELD:
            state[variable] = {d: places[rank] for d, rank in state[variable].items()}
        state["floor"] = places[state["floor"]]
        state["stored"] = {n: {d: places[r] for d, r in docs.items()} for n, docs in state["stored"].items()}
        for variable, none in (("net", 0), ("task", Task.NONE), ("earlier", False)):
            for docs in [state[variable]] if variable == "earlier" else state[variable].values():
                by_message = docs[0]
                sent = {m: by_message.pop(m) for m in list(by_message) if isinstance(m, int)}
                assert all(what == none for rank, what in sent.items() if rank not in self.live)
                by_message.update(dict.fromkeys(range(1, self.told_apart + 1), none))
                by_message.update({places[rank]: sent[rank] for rank in self.live})
        return {k: v for k, v in state.items() if k not in ("erased", "version", "born")}

    def compare(self) -> None:
        """Equal states, and the same may happen, but for writes that there is no room for, and what is forgotten."""
        there = self.few.protocol.decode(self.there)
        assert {k: there[k] for k in self.image()} == self.image()
        mine = {self.name(n) for n in self.many.successors(self.here) if not n.startswith("write")}
        theirs = {n for n in self.few.successors(self.there) if not n.startswith(("write", "forget"))}
        assert mine == theirs

    def step(self) -> bool:
        """A step of both at random, most of them no fault; False where none is left, or the few have no room."""
        names = [*(after := self.many.successors(self.here))]
        if not names:
            return False
        owed = [n for n in names if n.partition("(")[0] not in FAULTS]
        name = self.draw.choice(owed if owed and self.draw.random() < 0.9 else names)
        while name.startswith("write") and len(self.live) == self.told_apart:
            forgets = {n: s for n, s in self.few.successors(self.there).items() if n.startswith("forget")}
            if not forgets:
                return False
            chosen = self.draw.choice([*forgets])
            self.there = forgets[chosen]
            del self.live[int(chosen.split("rank=")[1].rstrip(")")) - 1]
            self.compare()
        self.there = self.few.successors(self.there)[self.name(name)]
        self.here = after[name]
        if name.startswith("write"):
            self.live.append(int(re.split(r"rank=|,", name)[2]))
        return True


@settings(max_examples=20, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6), told_apart=st.integers(2, 3))
def test_to_forget_changes_nothing_that_is_told_apart(seed: int, told_apart: int) -> None:
    """Every run with many writes is an endless one, as far as there is room: what was forgotten is missed nowhere."""
    beside = Beside(seed, told_apart)
    for _ in range(60):
        beside.compare()
        if not beside.step():
            break


def test_what_the_copy_waits_for_moves_down_with_its_write() -> None:
    spec = specification(parse_scope("endless,writes=3"), Mechanisms())
    state = spec.protocol.initial
    for rank in (1, 2, 3):
        state = spec.successors(state)[f"write(doc=0, rank={rank}, erases=False, view=0)"]
        state = spec.successors(state)[f"accept(node=O, doc=0, message={rank})"]
        if rank < 3:
            state = spec.successors(state)[f"apply(node=O, doc=0, message={rank})"]
            state = spec.successors(state)[f"acknowledge(doc=0, rank={rank}, view=0)"]
    for name in ("begin()", "raise_fence(node=O, epoch=1)", "raise_fence(node=N, epoch=1)"):
        state = spec.successors(state)[name]
    assert spec.protocol.decode(state)["earlier"][0][3]
    state = spec.successors(state)["forget(doc=0, rank=1)"]
    assert [spec.protocol.decode(state)["earlier"][0][r] for r in (1, 2, 3)] == [False, True, False]
    assert "start_copy()" not in spec.successors(state)
    state = spec.successors(state)["apply(node=O, doc=0, message=2)"]
    assert "start_copy()" in spec.successors(state)
