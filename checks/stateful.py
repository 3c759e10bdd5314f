"""Hypothesis drives the reference implementation and the specification in lock step: a rule for every action.

    TestBase = machine(Configuration("base", parse_scope("base"))).TestCase     # in pytest or unittest
    hunt(configuration, examples=500)                                           # what was found, and after how much

Each configuration gets a class of its own: Hypothesis tells machines apart by their class when it derandomizes and when
it keeps failures. A failing run leaves its shrunk program as a trace, which `cutproof replay` takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings, target
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from cutproof.checks.schedule import ROAD, Configuration, Schedule
from cutproof.checks.trace import Trace, write
from cutproof.model.scopes import parse_scope

FOUND = File("counterexamples")  # where a failing run leaves its trace, below the current folder
PICKS = st.integers(0, 479)  # which one, of what may happen
SOME = ("ON", "O", "", "N", "OR")  # the nodes that a client's write arrives at, at once

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("nightly", derandomize=True, deadline=None, print_blob=True, database=None)


@dataclass
class Tally:
    """What the runs of one machine covered. `runs` are examples, `rules` the steps of Hypothesis, `steps` those of the
    protocol. What comes after the first failure (shrinking) is not counted."""

    runs: int = 0
    rules: int = 0
    steps: int = 0
    phases: Counter[str] = field(default_factory=Counter)  # in how many runs each was reached
    faults: Counter[str] = field(default_factory=Counter)
    failed: BaseException | None = None
    trace: Trace | None = None

    def add(self, schedule: Schedule) -> None:
        """Count one run that has ended."""
        if self.failed is None:
            self.runs += 1
            self.steps += schedule.steps
            self.phases.update(schedule.phases)
            self.faults.update(schedule.happened)

    def share(self, name: str) -> float:
        """The share of runs that reached a phase or a fault."""
        return (self.phases[name] + self.faults[name]) / max(1, self.runs)


class Machine(RuleBasedStateMachine):
    """The composite rules; `machine` adds one for every action of the configuration's protocol."""

    configuration: ClassVar[Configuration]
    tally: ClassVar[Tally]
    folder: ClassVar[File | None] = None

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
            tally.trace = self.schedule.trace
            if self.folder is not None and tally.trace is not None:
                self.folder.mkdir(exist_ok=True)
                file = self.folder / f"{self.configuration.name}.itf.json"
                write(tally.trace, file)
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

    @rule(phases=st.integers(0, 4))
    def go_on(self, phases: int) -> None:
        self.attempt(self.schedule.go_on, phases)

    @rule(node=st.sampled_from("ONR"), write=writes)
    def deliver(self, node: str, write: tuple[int, int]) -> None:
        self.attempt(self.schedule.deliver, node, *write)

    @rule(
        target=writes,
        pick=PICKS,
        document=documents,
        nodes=st.sampled_from(SOME),
        answered=st.booleans(),
    )
    def client(self, pick: int, document: int, nodes: str, answered: bool) -> Any:
        names = self.schedule.writes()
        if not names:
            self.something_else(pick)
            return multiple()
        mine = [name for name in names if f"doc={document}," in name] or names
        name = mine[pick % len(mine)]
        self.attempt(self.schedule.client, name, nodes, answered)
        return document_and_rank(name)

    @rule(pick=PICKS)
    def reader(self, pick: int) -> None:
        if names := self.schedule.reads():
            self.attempt(self.schedule.reader, names[pick % len(names)])
        else:
            self.something_else(pick)

    @rule(pick=PICKS)
    def mishap(self, pick: int) -> None:
        """A fault, each action as likely as the others: there are many deliveries that may fail, and one crash."""
        if mishaps := self.schedule.mishaps():
            names = mishaps[pick % len(mishaps)]
            self.attempt(self.schedule.take, names[pick // len(mishaps) % len(names)])
        else:
            self.something_else(pick)

    @rule()
    def settle(self) -> None:
        self.attempt(self.schedule.settle)

    def something_else(self, pick: int) -> str:
        """What was drawn can't happen now: something that can happens instead, so that no rule is in vain.

        With preconditions instead, most runs would end early: Hypothesis switches rules off for whole runs, and gives
        a run up in which those that are left can't happen."""
        schedule, kind, pick = self.schedule, pick % 4, pick // 4
        names = [name for _, names in sorted(schedule.offered.items()) for name in names]
        if not names:
            return ""
        if kind == 1 and schedule.first(schedule.way()):
            self.attempt(schedule.go_on, pick % 5)
        elif kind == 2 and (writes := schedule.writes()):
            nodes = SOME[pick % len(SOME)]
            self.attempt(schedule.client, writes[pick % len(writes)], nodes, pick % 8 < 6)
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
    """The state machine of a configuration: pass it to `run_state_machine_as_test`, or take its `TestCase`.

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
    for action in dict.fromkeys(t.action for t in first.pair.protocol.transitions):
        arguments = next(t.arguments for t in first.pair.protocol.transitions if t.action == action)
        body[f"do_{action}"] = _rule_of(action, {key for key, _ in arguments})
    return type(name, (Machine,), body)


def _swarm(faults: list[str]) -> Callable[..., None]:
    """Each run has its own choice of faults: where all may happen at once, they get into each other's way."""

    def swarm(self: Machine, **chosen: bool) -> None:
        self.schedule.faults = {"", *(fault for fault in faults if chosen[fault.replace(" ", "_")])}
        self.schedule.offers()

    return initialize(**{fault.replace(" ", "_"): st.booleans() for fault in faults})(swarm)


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

    if action.startswith("write"):

        def do(self: Machine, pick: int, document: int) -> Any:
            step = take(self, pick, f"doc={document},")
            return document_and_rank(step) if step else multiple()

        found = rule(target=Machine.writes, pick=PICKS, document=Machine.documents)(do)
    elif {"doc", "message"} <= arguments:

        def do(self: Machine, pick: int, write: tuple[int, int]) -> Any:
            take(self, pick, "doc={}, message={})".format(*write))

        found = rule(pick=PICKS, write=Machine.writes | st.just((0, 0)))(do)  # type: ignore[operator]
    elif {"doc", "rank"} <= arguments:

        def do(self: Machine, pick: int, write: tuple[int, int]) -> Any:
            take(self, pick, "doc={}, rank={}".format(*write))

        found = rule(pick=PICKS, write=Machine.writes)(do)
    elif "doc" in arguments:

        def do(self: Machine, pick: int, document: int) -> Any:
            take(self, pick, f"doc={document}")

        found = rule(pick=PICKS, document=Machine.documents)(do)
    else:

        def do(self: Machine, pick: int) -> Any:
            take(self, pick)

        found = rule(pick=PICKS)(do)
    do.__name__ = f"do_{action}"
    return found


def document_and_rank(step: str) -> tuple[int, int]:
    """What a write is of, from its name."""
    doc, rank = (int(step.partition(f"{key}=")[2].partition(",")[0]) for key in ("doc", "rank"))
    return doc, rank


# ------------------------------------------------------------------ what must hold

_FAULTS = (
    "late=1,losses=1,failures=1,failing_tasks=1,duplicates=1,crashes=1,strays=1,zombies=1,restarts=1,partitions=1,"
    "overlap=1,policy_change=1"
)

# Too wide to be explored: together they have every action, every kind of message and every fault.
WIDE = {
    "everything": "documents=2,writes=3,attempts=3,aborts=2,replica=1,deletes=1,reads=1,searches=1,repairs=1,"
    + _FAULTS,
    "expiry_and_collection": "writes=3,replica=1,deletes=1,sweep=1,collect=1,repairs=1,queues=0,stale=0,orderly=1",
    "there_and_back": f"documents=2,writes=3,attempts=2,back=1,reads=1,{_FAULTS}",
    "slow_clocks": f"writes=4,attempts=2,aborts=1,reads=1,skew=1,{_FAULTS}",
}


def wide(name: str) -> Configuration:
    """The hardened protocol in a wide scope."""
    return Configuration(name, parse_scope(WIDE[name]), why=f"the hardened protocol is violated in {name}")


# ------------------------------------------------------------------ hunting


@dataclass
class Hunt:
    """What Hypothesis found in a configuration. `runs` and `rules` are counted up to the first failure."""

    configuration: Configuration
    tally: Tally

    @property
    def found(self) -> bool:
        """Something was found."""
        return self.tally.failed is not None


def hunt(
    configuration: Configuration,
    examples: int = 1000,
    steps: int = 30,
    seed: int = 0,
    shrink: bool = True,
    aim: bool = False,
) -> Hunt:
    """Let Hypothesis look for a violation; where it finds one, `tally.trace` is the shrunk run.

    The same arguments find the same: the seed is a part of the machine's identity."""
    tally = Tally()
    found = machine(configuration, tally=tally, folder=None)
    found._hypothesis_internal_add_digest = f"{configuration.name} {seed}".encode()  # type: ignore[attr-defined]
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, *([Phase.target] if aim else []), *([Phase.shrink] if shrink else [])],
    )
    try:
        run_state_machine_as_test(found, settings=chosen)
    except Exception:
        if tally.failed is None:
            raise
    return Hunt(configuration, tally)
