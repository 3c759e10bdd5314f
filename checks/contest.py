"""One schedule: what is done to a system step by step, and to the oracle beside it; every answer is judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from cutproof.checks.adapter import Adapter, NotSupported, Reference, Unavailable
from cutproof.checks.judge import ACKNOWLEDGED, OUTCOMES, PENDING, UNKNOWN, Judge, Operation

OLD, NEW = ["node-0"], ["node-1", "node-2", "node-3"]
PATIENCE = 20_000  # steps within which a migration must end once nothing goes wrong any more
FEW = 60  # steps within which a phase is expected to change


class NotConforming(AssertionError):
    """A promise was broken: `reason`, and the `schedule` that shows it, a line for each step."""

    def __init__(self, reason: str, schedule: list[str]) -> None:
        self.reason, self.schedule = reason, tuple(schedule)
        super().__init__("\n".join([reason, *(f"  {n}. {line}" for n, line in enumerate(schedule, 1))]))


class Contest:
    """A system and the oracle, under the same schedule. `allowed` are the faults of this run."""

    def __init__(self, adapter: type[Adapter], shards: int, seed: int, unsupported: set[str]) -> None:
        self.system, self.oracle = adapter(), Reference()
        self.unsupported = unsupported
        self.allowed: set[str] = set()
        self.log: list[str] = []
        self.judges: dict[str, Judge] = {}
        self.pending: dict[int, tuple[Operation, bool]] = {}  # with whether a migration was under way
        self.counts: Counter[str] = Counter()
        self.phases: set[str] = set()
        self.number = 0
        self.joined = 0
        self.failed = False
        for one in (self.system, self.oracle):
            self._do("start", one.start, list(OLD), shards, seed)

    # -------------------------------------------------- asking

    def _do(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Call the system. What it has not is remembered; any other exception than those it may raise is its fault."""
        try:
            return call(*arguments)
        except (NotSupported, Unavailable):
            raise
        except Exception as error:
            self.failed = True
            said = f"{what} raised {type(error).__name__}: {error}"
            raise NotConforming(f"the adapter failed: {said}", [*self.log, what]) from error

    def _has(self, what: str) -> bool:
        return what not in self.unsupported

    def _lacks(self, what: str) -> None:
        self.unsupported.add(what)

    def _broken(self, reason: str) -> None:
        self.failed = True
        raise NotConforming(reason, self.log)

    @property
    def now(self) -> int:
        """The number of the step that is under way."""
        return len(self.log)

    def phase(self) -> str:
        """Where the system's migration stands; "idle" where it can't tell."""
        try:
            found = str(self._do("phase()", self.system.phase)) if self._has("phase") else "idle"
        except NotSupported:
            self._lacks("phase")
            return "idle"
        self.phases.add(found)
        return found

    # -------------------------------------------------- clients

    def put(self, key: str) -> None:
        """A client writes a value that nobody wrote before."""
        self._write(key, False)

    def delete(self, key: str) -> None:
        """A client deletes a document, if the system can do that."""
        if self._has("delete"):
            self._write(key, True)

    def _write(self, key: str, deletes: bool) -> None:
        self.number += 1
        judge = self.judges.setdefault(key, Judge(key, self.system.versioned))
        moving = self.phase() != "idle"
        name = f"{'delete' if deletes else 'put'} #{self.number} of {key}"
        self.log.append(name)
        operation = judge.issue(self.number, deletes, self.now)
        try:
            answer = self._ask(self.system, operation, name)
        except NotSupported:
            self._lacks("delete" if deletes else "put")
            judge.operations.remove(operation)
            self.log.pop()
            return
        self.counts["delete" if deletes else "put"] += 1
        self._ask(self.oracle, operation, name)
        self.pending[self.number] = operation, moving
        self._answered(operation, answer)

    def _ask(self, one: Adapter, operation: Operation, name: str) -> str:
        if operation.deletes:
            return str(self._do(name, one.delete, operation.number, operation.key))
        return str(self._do(name, one.put, operation.number, operation.key, operation.value))

    def _answered(self, operation: Operation, answer: str) -> None:
        if answer not in OUTCOMES:
            self._broken(
                f"the adapter answered {answer!r} to {operation}: {', '.join(OUTCOMES)} are the answers"
            )
        if answer == PENDING:
            return
        operation.outcome, operation.answered = answer, self.now
        _, moving = self.pending.pop(operation.number)
        self.log[-1] += f"; {operation} of {operation.key} is {answer}"
        self.counts[answer] += 1
        if answer == ACKNOWLEDGED and moving:
            self.counts["acknowledged during a migration"] += 1

    def _outcomes(self) -> None:
        """Ask what has become of the operations that were pending."""
        for operation, _ in list(self.pending.values()):
            try:
                answer = self._do("outcome()", self.system.outcome, operation.number)
            except NotSupported:
                self._lacks("outcome")
                answer = UNKNOWN
            self._answered(operation, str(answer))

    def get(self, key: str) -> None:
        """A client reads, and what it is shown is judged."""
        judge = self.judges.setdefault(key, Judge(key, self.system.versioned))
        self.log.append(f"get of {key}")
        self._outcomes()
        began = self.now
        try:
            value = self._do(f"get of {key}", self.system.get, key)
        except Unavailable:
            self.counts["read unavailable"] += 1
            self.log[-1] += " -> unavailable"
            return
        self.log[-1] += f" -> {value}"
        self.counts["read"] += 1
        if reason := judge.read(value, began):
            self._broken(reason)
        self._outcomes()

    # -------------------------------------------------- the migration

    def begin(self) -> bool:
        """A node joins, where no migration is under way; whether it did."""
        if not self._has("begin_migration") or self.phase() != "idle" or self.joined == len(NEW):
            return False
        node = NEW[self.joined]
        self.log.append(f"begin a migration to {node}")
        try:
            self._do("begin_migration()", self.system.begin_migration, node)
        except NotSupported:
            self._lacks("begin_migration")
            return False
        self.joined += 1
        self.counts["migration begun"] += 1
        if self.oracle.phase() == "idle":
            self.oracle.begin_migration(node)
        return True

    def advance(self, times: int) -> bool:
        """So many steps; False if nothing could go on."""
        self.log.append(f"advance {times}")
        went = [self._advance() for _ in range(times)]
        self._outcomes()
        return any(went)

    def _advance(self) -> bool:
        self.oracle.advance()
        if not self._has("advance"):
            return False
        before = self.phase()
        try:
            went = bool(self._do("advance()", self.system.advance))
        except NotSupported:
            self._lacks("advance")
            return False
        if before != "idle" and self.phase() == "idle":
            self.counts["migration ended"] += 1
        return went

    def go_on(self, phases: int) -> None:
        """Advance until the migration's phase has changed so many times."""
        for _ in range(phases):
            before, steps = self.phase(), 0
            while self.phase() == before and steps < FEW and self._advance():
                steps += 1
            self.log.append(f"advance {steps}, from {before} to {self.phase()}")
            self._outcomes()

    # -------------------------------------------------- faults

    def inject(self, fault: str, which: int) -> bool:
        """Let something go wrong at one of the nodes; whether it may in this run."""
        if fault not in self.allowed or not self._has(fault):
            return False
        nodes = [*OLD, *NEW[: self.joined]]
        node = nodes[which % len(nodes)]
        self.log.append(f"{fault} {node}" if fault != "crash" else "crash the coordinator")
        try:
            self._do(f"inject({fault!r})", self.system.inject, fault, node)
        except NotSupported:
            self._lacks(fault)
            self.log.pop()
            return False
        self.counts[f"fault: {fault}"] += 1
        if node in self.oracle.cluster.nodes:
            self.oracle.inject(fault, node)
        return True

    def heal(self) -> None:
        """Nothing goes wrong from now on."""
        self.log.append("heal")
        self._do("heal()", self.system.heal)
        self.oracle.heal()

    # -------------------------------------------------- the end

    def end(self) -> None:
        """Faults stop, everything settles, the migration must end, and every document is read."""
        if self.failed:
            return
        self.heal()
        self.log.append("let everything settle")
        steps = 0
        while self._advance() and steps < PATIENCE:
            steps += 1
        while self.oracle.phase() != "idle" and self.oracle.advance():
            pass
        self.oracle.cluster.settle()
        self._outcomes()
        if (phase := self.phase()) != "idle":
            self._broken(
                f"the migration stays in {phase}: {steps} steps after everything was healed it has not ended"
            )
        for key in sorted(self.judges):
            self.get(key)
        self._observed()
        self.counts["the oracle acknowledged"] += sum(w.acknowledged for w in self.oracle.writes.values())

    def _observed(self) -> None:
        """What the system shows of itself is judged too."""
        try:
            shown = self._do("observe()", self.system.observe).get("documents")
        except NotSupported:
            shown = None
        if shown is None:
            self._lacks("observe documents")
            return
        for key, judge in sorted(self.judges.items()):
            if key in shown and (reason := judge.read(shown[key], self.now, "its owner")):
                self._broken(reason)

    def stop(self) -> None:
        """The run is over."""
        self._do("stop()", self.system.stop)
