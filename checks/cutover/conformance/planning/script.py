"""The words of a plan: steps, and places of a migration that are looked for when it is performed."""

from __future__ import annotations

from dataclasses import dataclass

from cutproof.checks.cutover.conformance.clients import kind_of
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.run import FEW, Run
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step
from cutproof.checks.drivers.adapter import IDLE


@dataclass(frozen=True)
class To:
    """A place of the migration that is under way: so many phases on, and so many steps of that phase."""

    phase: int
    step: int = 0

    def go(self, run: Run) -> None:
        """Advance there; no further than the end, and not back."""
        while run.look() != IDLE and len(run.phases) <= self.phase:
            here = len(run.phases)
            if not run.advance(FEW, lambda here=here: len(run.phases) > here or run.look() == IDLE):  # type: ignore[misc]
                return
        if self.step and run.look() != IDLE and len(run.phases) == self.phase + 1:
            here = len(run.phases)
            left = self.step - run.stepped
            if left > 0:
                run.advance(left, lambda: len(run.phases) > here or run.look() == IDLE)


@dataclass(frozen=True)
class Settle:
    """Advance until nothing can go on."""

    most: int = FEW * 4

    def go(self, run: Run) -> None:
        run.advance(self.most)


Script = tuple[Step | To | Settle, ...]
SETTLE, HEAL = Settle(), Step("heal")


def begin(hop: int) -> Step:
    """All shards move so many nodes on."""
    return Step("begin_migration", hop=hop)


BEGIN = begin(1)


def asked(kind: str, key: str, client: str) -> Step:
    """What one client asks."""
    return Step(kind, key="" if kind == "scan" else key, client=client)  # type: ignore[arg-type]


def read(key: str, client: str) -> Step:
    """A client reads."""
    return Step("get", key=key, client=client)


def fault(what: str, role: int, client: str = "") -> Step:
    """Something goes wrong."""
    return Step("fault", fault=what, role=role, client=client)


def setup(probe: Probe, some: list[str] | None = None) -> Script:
    """The documents that are there before, written and settled: all, or some."""
    return (*(asked(kind_of(key), key, CLIENTS[0]) for key in some or probe.documents()), SETTLE)


def write(probe: Probe, number: int, about: int = -1, behind: bool = False) -> tuple[Step, ...]:
    """A write: by turns of every kind, to documents by turns; `behind`: by the other client."""
    kinds = [kind for kind in probe.operations if kind not in ("get", "scan")]
    if not kinds:
        return ()
    kind = kinds[number % len(kinds)]
    word = {"add": "counter", "append": "list"}.get(kind, "doc")
    known = [key for key in probe.documents() if key.startswith(word)] or [f"{word}-0"]
    key = known[(number // len(kinds) if about < 0 else about) % len(known)]
    return (asked(kind, key, CLIENTS[1 if behind else 0]),)
