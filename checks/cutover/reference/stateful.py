"""Hypothesis drives the reference implementation and the specification in lock step: a rule for every action.

    TestBase = machine(Configuration("base", parse_scope("base"))).TestCase     # in pytest or unittest
    with same_draws():
        run_state_machine_as_test(machine(configuration))                       # or as a plain call

Each configuration gets a class of its own: Hypothesis tells machines apart by their class when it derandomizes and when
it keeps failures. A failing run leaves its shrunk program as a trace, which `cutproof replay` takes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File
from random import Random
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis import target
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
)

from cutproof.checks.common.reproducible import same_draws
from cutproof.checks.cutover.reference.coverage import Tally
from cutproof.checks.cutover.reference.schedule import ROAD, Configuration, Schedule, chosen_write
from cutproof.checks.traces.trace import write

FOUND = File("counterexamples")  # where a failing run leaves its trace, below the current folder
PICKS = st.integers(0, 479)  # which one, of what may happen
# What becomes of a client's write at once: a node applies it (+), only accepts it (.), or its delivery fails (-).
SOME = ("O+N+R+", "O+N+R+", "O+N+R+", "O+", "", "N+", "O+R+", "O.", "O.N.", "O+R.", "O+N-", "O+N-")
PHASES_AHEAD = (0, 0, 0, 1, 1, 2, 4)  # by how many phases the migration goes on
WANDER = 20  # steps at random, at most
LEFT = ("", "O.", "N.", "O.N.", "O+")  # ... of one that its client does not wait for
OUTCOMES = ("acknowledge", "acknowledge", "time_out", "")
STRIKES = ("", "", "before", "after")  # when in a scene a fault strikes
# How often a composite rule is drawn, beside once for each action: single steps seldom meet where something is lost.
WEIGHTS = {"scene": 12, "go_on": 4, "give_up": 3, "next_attempt": 5, "clean": 3, "overtaken": 3, "wander": 2}


class Machine(RuleBasedStateMachine):
    """The composite rules; `machine` adds one for every action of the configuration's protocol."""

    configuration: ClassVar[Configuration]
    tally: ClassVar[Tally]
    folder: ClassVar[File | None] = None
    _hypothesis_internal_add_digest: ClassVar[bytes] = b""  # what Hypothesis tells machines apart by

    documents = Bundle("documents")
    writes = Bundle("writes")  # (document, rank) of each write that a client issued

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule(self.configuration)
        self.over = False

    def attempt(self, do: Callable[..., object], *arguments: Any) -> None:
        """Do something; if it finds anything, keep the trace."""
        tally, before = self.tally, self.schedule.steps
        try:
            do(*arguments)
            if tally.failed is None and self.schedule.steps > before:
                tally.rules += 1
        except Exception as error:
            self.over = True
            if tally.failed is None:
                tally.add(self.schedule)
                tally.failed = error
            tally.keep(self.schedule.trace)
            if self.folder is not None and tally.trace is not None:
                file = self.folder / f"{self.configuration.name}.itf.json"
                write(tally.trace, file, overwrite=True)  # while it shrinks, and by the next run that fails
                error.add_note(f"the run is in {file}: cutproof replay {file} --on impl")
            raise

    # -------------------------------------------------- how a run begins

    @initialize(target=documents)
    def the_documents(self) -> Any:
        return multiple(*range(self.configuration.scope.documents))

    # -------------------------------------------------- composite rules

    @rule(again=st.booleans())
    def give_up(self, again: bool) -> None:
        self.attempt(self.schedule.give_up, again)

    @rule()
    def page_is_late(self) -> None:
        self.attempt(self.schedule.page_is_late)

    @rule(phases=st.sampled_from(PHASES_AHEAD))
    def go_on(self, phases: int) -> None:
        self.attempt(self.schedule.go_on, phases)

    @rule(node=st.sampled_from("ONR"), write=writes)
    def deliver(self, node: str, write: tuple[int, int]) -> None:
        self.attempt(self.schedule.deliver, node, *write)

    @rule(
        target=writes, pick=PICKS, document=documents, nodes=st.sampled_from(SOME), outcome=st.sampled_from(OUTCOMES)
    )  # fmt: skip
    def client(self, pick: int, document: int, nodes: str, outcome: str) -> Any:
        names = self.schedule.writes()
        if not names:
            self.something_else(pick)
            return multiple()
        mine = [name for name in names if f"doc={document}," in name] or names
        name = chosen_write(mine, pick)
        self.attempt(self.schedule.client, name, nodes, outcome)
        return document_and_rank(name)

    @rule(pick=PICKS)
    def reader(self, pick: int) -> None:
        if names := self.schedule.reads():
            self.attempt(self.schedule.reader, names[pick % len(names)])
        else:
            self.something_else(pick)

    @rule(pick=PICKS)
    def mishap(self, pick: int) -> None:
        if self.schedule.mishaps():
            self.attempt(self.schedule.mishap, pick)
        else:
            self.something_else(pick)

    @rule(phases=st.integers(0, 3), fences=st.integers(0, 3), ends=st.booleans())
    def clean(self, phases: int, fences: int, ends: bool) -> None:
        self.attempt(self.schedule.clean, phases, fences, ends)

    @rule(pick=PICKS, first=st.sampled_from(LEFT), then=st.sampled_from(SOME))
    def overtaken(self, pick: int, first: str, then: str) -> None:
        self.attempt(self.schedule.overtaken, pick, first, then)

    @rule(
        phases=st.sampled_from(PHASES_AHEAD), steps=st.integers(0, 4), strikes=st.sampled_from(STRIKES),
        write=st.just(0) | PICKS, nodes=st.sampled_from(SOME), outcome=st.sampled_from(OUTCOMES), reads=st.booleans(),
        pick=PICKS,
    )  # fmt: skip
    def scene(
        self,
        phases: int,
        steps: int,
        strikes: str,
        write: int,
        nodes: str,
        outcome: str,
        reads: bool,
        pick: int,
    ) -> None:
        """The migration goes on to some point; there a client may write, something may go wrong, others may read.

        What is lost is mostly lost at one point: drawn one by one, these would seldom meet there."""
        self.attempt(self.schedule.scene, phases, steps, strikes, write, nodes, outcome, reads, pick)

    @rule(pick=PICKS)
    def next_attempt(self, pick: int) -> None:
        self.attempt(self.schedule.next_attempt, pick)

    @rule(seed=st.integers(0, 2**16), steps=st.integers(1, WANDER))
    def wander(self, seed: int, steps: int) -> None:
        self.attempt(self.schedule.wander, seed, steps)

    @rule()
    def settle(self) -> None:
        self.attempt(self.schedule.settle)

    def something_else(self, pick: int) -> str:
        """What was drawn can't happen now: something that can happens instead, so that no rule is in vain.

        With preconditions instead, most runs would end early: Hypothesis switches rules off for whole runs, and gives
        a run up in which those that are left can't happen."""
        schedule, kind, pick = self.schedule, pick % 8, pick // 8
        names = [name for _, names in sorted(schedule.offered.items()) for name in names]
        if not names:
            return ""
        if kind in (1, 5) and schedule.first(schedule.way()):
            self.attempt(schedule.go_on, PHASES_AHEAD[pick % len(PHASES_AHEAD)])
        elif kind == 2 and (writes := schedule.writes()):
            nodes = SOME[pick % len(SOME)]
            self.attempt(schedule.client, writes[pick % len(writes)], nodes, OUTCOMES[pick % 3])
        elif kind == 3 and (reads := schedule.reads()):
            self.attempt(schedule.reader, reads[pick % len(reads)])
        elif kind == 0 and pick % 3 == 0 and schedule.mishaps():
            self.mishap(pick // 3)
        else:
            self.attempt(schedule.take, names[pick % len(names)])
        return ""

    # -------------------------------------------------- how it ends

    def teardown(self) -> None:
        """Aim at runs that come far; then, with every safeguard in place, the migration must end."""
        if self.over:
            return
        schedule = self.schedule
        far = max((i for i, phase in enumerate(ROAD) if phase.value in schedule.phases), default=0)
        target(float(far + len(schedule.happened)), label="phases and faults")
        self.tally.add(schedule)
        if self.configuration.ends:
            self.attempt(schedule.end)


def machine(
    configuration: Configuration, *, tally: Tally | None = None, folder: File | None = FOUND
) -> type[Machine]:
    """The state machine of a configuration: take its `TestCase`, or pass it to `run_state_machine_as_test`, within
    `same_draws`.

    `tally` counts what its runs cover; a failing run leaves its trace in `folder`."""
    name = "".join(part.capitalize() for part in configuration.name.replace("-", "_").split("_"))
    first = Schedule(configuration)
    faults = sorted({fault for fault in first.kinds.values() if fault})
    body: dict[str, Any] = {
        "configuration": configuration,
        "tally": tally or Tally(),
        "folder": folder,
        "_hypothesis_internal_add_digest": configuration.name.encode(),
        "__doc__": f"Lock step, {configuration.name}.",
    }
    if faults:
        body["swarm"] = _swarm(faults)
    body |= {
        f"{name}_{i}": getattr(Machine, name) for name, weight in WEIGHTS.items() for i in range(1, weight)
    }
    for action in dict.fromkeys(t.action for t in first.pair.protocol.transitions):
        arguments = next(t.arguments for t in first.pair.protocol.transitions if t.action == action)
        body[f"do_{action}"] = _rule_of(action, {key for key, _ in arguments})
    made: type[Machine] = type(name, (Machine,), body)
    plainly = made.TestCase.runTest

    def run_test(self: Any) -> None:
        with same_draws():
            plainly(self)

    made.TestCase.runTest = run_test  # type: ignore[method-assign]
    return made


def _swarm(faults: list[str]) -> Callable[..., None]:
    """Each run has its own choice of faults: where all may happen at once, they get into each other's way.

    Drawn as one number: of so many booleans Hypothesis draws most as false."""

    def swarm(self: Machine, seed: int) -> None:
        draw = Random(seed)
        self.schedule.faults = {"", *(fault for fault in faults if draw.random() < 0.5)}
        self.schedule.offers()

    return initialize(seed=st.integers(0, 2**32))(swarm)


def _rule_of(action: str, arguments: set[str]) -> Callable[..., Any]:
    """The rule of one action. Which of its instances happens is drawn; about a document or write where it has one."""

    def take(self: Machine, pick: int, about: str = "") -> str:
        names = self.schedule.offered.get(action)
        if not names:
            return self.something_else(pick)
        mine = [name for name in names if about in name] or names
        name = mine[pick % len(mine)]
        self.attempt(self.schedule.take, name)
        return name

    def issue(self: Machine, pick: int, document: int) -> Any:
        step = take(self, pick, f"doc={document},")
        return document_and_rank(step) if step else multiple()

    def about_message(self: Machine, pick: int, write: tuple[int, int]) -> None:
        take(self, pick, "doc={}, message={})".format(*write))

    def about_write(self: Machine, pick: int, write: tuple[int, int]) -> None:
        take(self, pick, "doc={}, rank={}".format(*write))

    def about_document(self: Machine, pick: int, document: int) -> None:
        take(self, pick, f"doc={document}")

    def plain(self: Machine, pick: int) -> None:
        take(self, pick)

    if action.startswith("write"):
        return _named(action, issue, target=Machine.writes, document=Machine.documents)
    if {"doc", "message"} <= arguments:
        return _named(action, about_message, write=Machine.writes | st.just((0, 0)))
    if {"doc", "rank"} <= arguments:
        return _named(action, about_write, write=Machine.writes)
    if "doc" in arguments:
        return _named(action, about_document, document=Machine.documents)
    return _named(action, plain)


def _named(action: str, do: Callable[..., Any], **drawn: Any) -> Any:
    do.__name__ = f"do_{action}"
    return rule(pick=PICKS, **drawn)(do)


def document_and_rank(step: str) -> tuple[int, int]:
    """What a write is of, from its name."""
    doc, rank = (int(step.partition(f"{key}=")[2].partition(",")[0]) for key in ("doc", "rank"))
    return doc, rank
