"""One schedule: what is done to a system step by step, and to the oracle beside it; every answer is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cutproof.checks.cutover.conformance.oracle import PHASES, other_document, other_owner, out_of_order
from cutproof.checks.cutover.conformance.reference import Reference
from cutproof.checks.drivers.adapter import (
    ACKNOWLEDGED,
    IDLE,
    PENDING,
    STATUSES,
    Adapter,
    Answer,
    Unavailable,
)
from cutproof.checks.drivers.finding import AdapterFailed, DiffersFromOracle
from cutproof.checks.drivers.judge import Judge, Operation
from cutproof.checks.drivers.system import System

NODES = ("node-0", "node-1", "node-2")
Step = tuple[str, tuple[Any, ...]]  # what was done, and with what: the name of a method of `Run`
Asked = tuple[Callable[[], str], bool]  # whom to ask for the status; whether it was issued during a migration
PATIENCE = 5_000  # steps within which a migration must end once nothing goes wrong any more
FEW = 60  # steps in which a phase is waited for
NOBODY = ("crash", "timeout", "zombie", "abort", "stale")  # faults that are about no node


class Run(System):
    """A system and the oracle, under the same schedule.

    `faults` are those that may happen in this run, each with whom it strikes: the node that is moved from last (0),
    the one that is moved to (1), or another (2)."""

    def __init__(self, adapter: type[Adapter], shards: int, seed: int, unsupported: set[str]) -> None:
        super().__init__(adapter, unsupported)
        self.faults: Sequence[tuple[str, int]] = ()
        self.steps: list[Step] = []
        self.judges: dict[str, Judge] = {}
        self.asked: dict[Operation, Asked] = {}  # what is pending
        self.theirs: list[tuple[Operation, Callable[[], str]]] = []  # what the oracle answers
        self.injected: Counter[str] = Counter()
        self.phases: set[str] = set()
        self.shown: set[str] = set()  # what `observe` told of
        self.number = 0
        self.moving = self.crashed = self.aborted = False
        self.source = self.target = NODES[0]
        self.placed: str | None = None  # the phase that was observed last
        self.oracle = Reference()
        self._try("start", self.system.start, NODES, shards, seed)
        self.oracle.start(NODES, shards, seed)

    # -------------------------------------------------- clients

    def judge(self, key: str) -> Judge:
        """The judge of a document."""
        return self.judges.setdefault(key, Judge(key, self.system.versioned))

    def write(self, key: str, deletes: bool) -> None:
        """A client puts a value that nobody wrote before, or deletes."""
        self.steps.append(("write", (key, deletes)))
        self._answers()
        what, number = ("delete" if deletes else "put"), self.number + 1
        value = None if deletes else f"value-{number}"
        arguments = (key,) if deletes else (key, value)
        moving, begun = self._look() != IDLE, self.moment + 1
        self.log.append(f"{what} #{number} of {key}")
        has, answer = self._try(what, getattr(self.system, what), *arguments)
        if not has:
            self.log.pop()
            return
        self.number, self.log[-1] = number, f"{what} #{number} of {key}: pending"
        self.counts[what] += 1
        operation = self.judge(key).issue(number, value, begun)
        self.theirs.append((operation, _function(getattr(self.oracle, what)(*arguments))))
        self.asked[operation] = (_function(answer), moving)
        self._answers()

    def _answers(self) -> None:
        """Ask what has become of what is pending."""
        for operation, (ask, moving) in list(self.asked.items()):
            has, status = self._try("answers to what was pending", ask)
            if not has or status == PENDING:
                continue
            if status not in STATUSES:
                self._fail(f"the adapter failed: it answered {status!r} to {operation}; {', '.join(STATUSES)} "
                           "are the answers", AdapterFailed)  # fmt: skip
            del self.asked[operation]
            line = f"{operation} of {operation.key}: "
            if self.log[-1] == line + PENDING:
                self.log[-1] = line + status
            else:
                self.log[-1] += f"; {operation} is {status}"
            self.counts[status] += 1
            self.counts["acknowledged while moving"] += moving and status == ACKNOWLEDGED
            if reason := self.judge(operation.key).answer(operation, status, self.moment, self.now):
                self._fail(reason)

    def get(self, key: str) -> str | None:
        """A client reads, and what it is shown is judged. Returns what it was shown."""
        self.steps.append(("get", (key,)))
        self._answers()
        self.log.append(f"get {key}")
        begun = self.moment + 1
        try:
            has, value = self._try("get", self.system.get, key)
            if not has:
                self.log.pop()
                return None
        except Unavailable:
            self.counts["unavailable"] += 1
            self.log[-1] += ": unavailable"
            return None
        shown = [str(o) for o in self.judge(key).operations if o.value == value and value is not None]
        self.log[-1] += f": {shown[0] if shown else value or 'nothing'}"
        self.counts["get"] += 1
        if reason := self.judge(key).read(value, begun, self.now):
            self._fail(reason)
        return value

    # -------------------------------------------------- the migration

    def _look(self) -> str:
        """Where the system's migration stands. Without `phase`, it is over when nothing can go on."""
        has, phase = ("phase" not in self.unsupported), None
        if has:
            has, phase = self._try("phase", self.system.phase)
        if not has:
            return "moving" if self.moving else IDLE
        self.phases.add(str(phase))
        if self.moving:
            self._place(str(phase))
        if self.moving and phase == IDLE:
            self._ended()
        return str(phase)

    def _place(self, phase: str) -> None:
        """Where the system speaks the oracle's words, its phases come in the oracle's order."""
        if phase not in PHASES or phase == self.placed:
            return
        before, self.placed = self.placed, phase
        if before is None:
            return
        if out_of_order(before, phase, self.crashed):
            reason = f"the order of phases: from {before} it goes to {phase}, and the oracle never does"
            self._fail(reason, DiffersFromOracle)

    def _ended(self) -> None:
        self.moving = False
        self.counts["ended"] += 1

    def begin(self, hop: int) -> None:
        """All shards begin to move so many nodes on, if nothing moves; to the same one (0) only after an abort."""
        if self._look() != IDLE or "begin_migration" in self.unsupported:
            return
        self.steps.append(("begin", (hop,)))
        node = NODES[(NODES.index(self.target) + (hop or not self.aborted)) % len(NODES)]
        self._answers()
        self.log.append(f"begin a migration to {node}")
        if not self._try("begin_migration", self.system.begin_migration, node)[0]:
            self.log.pop()
            return
        self.counts["begun"] += 1
        if not self.aborted:
            self.source = self.target
        self.moving, self.aborted, self.crashed, self.target, self.placed = True, False, False, node, None
        for _ in range(PATIENCE):  # it may be behind
            if self.oracle.phase() == IDLE or not self.oracle.advance():
                break
        if self.oracle.phase() == IDLE:
            self.oracle.begin_migration(node)
        self._look()
        self._answers()

    def _advance(self) -> bool:
        self.oracle.advance()
        has, went = self._try("advance", self.system.advance)
        if self.moving and "phase" in self.unsupported and not went:
            self._ended()
        self._look()
        return has and bool(went)

    def advance(self, times: int, until: Callable[[], bool] = lambda: False) -> None:
        """So many steps, fewer where something is so, or nothing goes on."""
        before, taken, asked = self._look(), 0, 0
        self.log.append("")
        self.steps.append(("advance", (0,)))
        while taken < times and not until():
            asked += 1  # a call that goes nowhere may end the migration, so it is part of the schedule
            self.log[-1], self.steps[-1] = f"advance {taken + 1}", ("advance", (asked,))
            if not self._advance():
                break
            taken += 1
        if not asked:
            self.steps.pop()
        if not taken:
            self.log.pop()
            return
        after = self._look()
        self.log[-1] = f"advance {taken}" + (f": {before} to {after}" if after != before else "")
        self._answers()

    def go_on(self, phases: int) -> None:
        """Advance until the phase of the migration has changed so many times."""
        for _ in range(phases):
            before = self._look()
            self.advance(FEW, lambda before=before: self._look() != before)  # type: ignore[misc]

    def settle(self, most: int = FEW * 4) -> None:
        """Advance until nothing can go on."""
        self.advance(most)

    # -------------------------------------------------- faults

    def strike(self, chosen: int) -> None:
        """Some of the faults of this run strike: those whose bits are set."""
        for place, (fault, role) in enumerate(self.faults):
            if chosen >> place & 1:
                self.inject(fault, role)

    def inject(self, fault: str, role: int) -> None:
        """Something goes wrong, at the node in this role."""
        nodes = list(dict.fromkeys([self.source, self.target, *NODES]))
        node = nodes[role % len(nodes)]
        self.steps.append(("inject", (fault, role)))
        self._answers()
        self.log.append(f"{fault}" if fault in NOBODY else f"{fault} {node}")
        if not self._try(fault, self.system.inject, fault, node)[0]:
            self.log.pop()
            return
        self.injected[fault] += 1
        self.aborted |= fault == "abort"
        self.crashed |= fault in ("crash", "abort", "zombie")
        self.oracle.inject(fault, node)
        self._answers()

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        self.steps.append(("heal", ()))
        self.log.append("heal")
        self._try("heal", self.system.heal)
        self.oracle.heal()

    def perform(self, step: Step) -> None:
        """Do again what was done before."""
        name, arguments = step
        getattr(self, name)(*arguments)

    # -------------------------------------------------- the end

    def end(self) -> None:
        """Faults stop and everything settles: the migration must end, and every document is read and compared.

        What is done for that is no part of the schedule: whoever performs it again ends it again."""
        if self.found:
            return
        schedule = len(self.steps)
        try:
            self._settle_and_compare()
        finally:
            del self.steps[schedule:]

    def _settle_and_compare(self) -> None:
        self.heal()
        self.advance(PATIENCE)
        if "advance" not in self.unsupported and (phase := self._look()) != IDLE:
            steps = sum(self.oracle.advance() for _ in range(PATIENCE))
            ended = "has ended" if self.oracle.phase() == IDLE else "has not ended either"
            self._fail(f"the migration does not end: it is in {phase}, and nothing goes wrong any more; the oracle's "
                       f"{ended}, {steps} steps later")  # fmt: skip
        while self.oracle.advance():
            pass
        self.counts["never answered"] += len(self.asked)
        read = {key: self.get(key) for key in sorted(self.judges)}
        theirs = {o: ask() for o, ask in self.theirs}
        self.counts["the oracle acknowledged"] += list(theirs.values()).count(ACKNOWLEDGED)
        self._compare(read, theirs)

    def _compare(self, read: Mapping[str, str | None], theirs: Mapping[Operation, str]) -> None:
        """What it shows of itself is judged, and what is determined must be as with the oracle."""
        shown = self._try("observe", self.system.observe)[1] or {}
        self.shown |= set(shown)
        documents, owner, oracle = shown.get("documents", {}), shown.get("owner", {}), self.oracle.observe()
        for key, judge in sorted(self.judges.items()):
            if key in documents:
                reason = judge.read(documents[key], self.moment, self.now, "its owner holds")
                if reason:
                    self._fail(reason)
            same = all(theirs[o] == o.status for o in judge.operations[1:])
            if same and judge.final() is not None and (reason := other_document(key, read[key], oracle)):
                self._fail(reason, DiffersFromOracle)
            if key in owner:
                self.counts["moved"] += owner[key] != NODES[0]
                if not self.injected and (reason := other_owner(key, owner[key], oracle)):
                    self._fail(reason, DiffersFromOracle)

    def stop(self) -> None:
        """The run is over."""
        self._try("stop", self.system.stop)


def _function(answer: Answer) -> Callable[[], str]:
    return answer if callable(answer) else lambda: answer
