"""One schedule, performed on a system: the steps, and what is judged beside what clients see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cutproof.checks.common.refusals import plain
from cutproof.checks.cutover.conformance.clients import Clients
from cutproof.checks.cutover.conformance.oracle import PHASES, out_of_order
from cutproof.checks.cutover.conformance.steps import CLIENTS, NODES, SHARDS, WRITES, Step
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, IDLE, NODELESS, Adapter, Unavailable
from cutproof.checks.drivers.finding import AdapterFailed, DiffersFromOracle
from cutproof.checks.drivers.histories.operation import Operation

LONGEST = 100  # characters of a phase
FEW = 60  # steps in which a phase is waited for
MOVING = "moving"  # the phase of a system that does not tell one
GONE = -1  # the owner of a shard that was merged into another
AGAIN = ("crash", "abort", "zombie")  # after these the phases may come in another order


class Run(Clients):
    """A system under a schedule. `steps` are those that were performed, with what they came to: what the system does
    not have is left out, and `advance` stands there as often as it was called.

    `owners` tells, by shard, who owns it by what was asked for and ended; `events` counts what was done by phase."""

    def __init__(
        self, adapter: type[Adapter], seed: int = 0, shards: int = SHARDS, unsupported: set[str] | None = None
    ) -> None:
        super().__init__(adapter, set() if unsupported is None else unsupported)
        self.steps: list[Step] = []
        self.injected: Counter[str] = Counter()
        self.events: Counter[tuple[str, str]] = Counter()  # (phase, what was done then)
        self.ending = (
            False  # what is done at the end is no part of the schedule, and nothing that was exercised
        )
        self.answered: Counter[str] = Counter()  # operations of a migration that were answered, by kind
        self.asked_in: dict[Operation, str] = {}  # the phase in which an operation was issued
        self.phases: list[str] = []  # as they came
        self.owners = [0] * shards
        self.expected = [0] * shards  # the same by what was asked for alone, whatever the system shows
        # After an abort that perhaps came too late: nodes of which one owns all; shards of which nobody knows where.
        self.unsure: set[int] = set()
        self.doubtful: set[int] = set()
        self.moves: dict[int, int] = {}  # shard, and where it is on the way to
        self.aborted = self.disordered = self.late = False
        self.source, self.target = 0, 1  # of the latest move
        self.placed: str | None = None  # the phase that was looked at last
        self.stepped = 0  # steps since the phase changed
        self.loaded: set[str] = set()  # documents that were written at the end alone
        self.shown: set[str] = set()  # what `observe` told of
        self.watch: Callable[[Run], None] = lambda _: None  # is called after each step
        self.seed = seed
        self._try("start", self.system.start, NODES, shards, seed)

    def do(self, step: Step) -> None:
        """Perform a step."""
        match step.do:
            case "begin_migration":
                self.begin(step)
            case "move":
                self.move(step)
            case "split" | "merge":
                self.reshape(step)
            case "advance":
                self.advance(step.times)
            case "fault":
                self.inject(step)
            case "heal":
                self.heal()
            case _:
                self._operate(step)
        self.watch(self)

    def _operate(self, step: Step) -> None:
        self.steps.append(step)  # first: what it raises belongs to this step
        done = {"get": self.get, "scan": self.scan}.get(step.do, self.write)(step)
        if done is None:
            self.steps.pop()

    def noted(self, what: str) -> str:
        phase = self.look()
        if phase != IDLE and not self.ending:
            self.events[phase, what] += 1
        return phase

    def issued(self, operation: Operation, phase: str) -> None:
        if not self.ending:
            self.asked_in[operation] = phase

    def ended(self, operation: Operation) -> None:
        phase = self.asked_in.get(operation, IDLE)
        if operation.outcome != ACKNOWLEDGED or operation not in self.asked_in:
            return
        self.answered[operation.kind] += phase != IDLE
        if operation.kind in WRITES:
            self.counts["acknowledged by plan"] += 1
            if phase != IDLE:
                self.events[phase, ACKNOWLEDGED] += 1

    def searched(self, phase: str) -> None:
        self.answered["scan"] += phase != IDLE and not self.ending

    # -------------------------------------------------- the migration

    @property
    def moving(self) -> bool:
        """Whether a migration was begun and has not ended, as far as was looked."""
        return bool(self.moves)

    def look(self) -> str:
        """Where the system's migration stands. Without `phase`, it is over when nothing can go on."""
        phase = None
        if "phase" not in self.unsupported:
            has, phase = self._try("phase", self.system.phase)
            if has and not isinstance(phase, str):
                self._fail(f"the adapter failed: phase returned {phase!r}; it must be a text", AdapterFailed)
            phase = plain(phase, LONGEST) if has else None
        if phase is None:
            phase = MOVING if self.moves else IDLE
        if self.moves:
            if not self.phases or self.phases[-1] != phase:
                self.phases.append(phase)
                self.stepped = 0
            if phase == IDLE:
                self._ended()
            elif phase in PHASES:
                self._place(phase)
        return str(phase)

    def _place(self, phase: str) -> None:
        """Where the system speaks the oracle's words, its phases come in the oracle's order."""
        before, self.placed = self.placed, phase
        if before is not None and before != phase and out_of_order(before, phase, self.disordered):
            reason = f"the order of phases: from {before} it goes to {phase}, and the oracle never does"
            self._fail(reason, DiffersFromOracle)

    def _ended(self) -> None:
        live = {shard for shard, owner in enumerate(self.owners) if owner != GONE}
        # What is shown of some documents tells where all shards are only if all of them went from one node to another.
        together = live == set(self.moves) and len({self.owners[shard] for shard in live}) == 1
        together = together and len(set(self.moves.values())) == 1 and not self.doubtful
        for shard, node in self.moves.items():
            if not self.aborted:
                self.owners[shard] = self.expected[shard] = node
        self.unsure = {self.source, self.target} if self.late else set()
        self.doubtful = self.doubtful | set(self.moves) if self.late else self.doubtful - set(self.moves)
        self.moves.clear()
        self.counts["ended"] += 1
        if together and len(everywhere := self.observed_owners()) == 1:
            node = everywhere.pop()
            self.owners = [owner if owner == GONE else node for owner in self.owners]
            self.unsure = set()  # of shards without a document nothing was shown: they stay doubtful

    def observed_owners(self) -> set[int]:
        """The nodes that own a document, as the system shows it; empty where it shows nothing of the kind."""
        owner = self.observed().get("owner", {})
        return {NODES.index(node) for node in owner.values() if node in NODES}

    def begin(self, step: Step) -> None:
        """All shards begin to move so many nodes on, if nothing moves; from where the first of them is."""
        if self.look() != IDLE or "begin_migration" in self.unsupported or self.moves:
            return
        source = next(owner for owner in self.owners if owner != GONE)
        target = (source + (step.hop % len(NODES) or 1)) % len(NODES)
        if self.unsure:  # only to where it surely is not
            target = next(node for node in range(len(NODES)) if node not in self.unsure)
        moves = {shard: target for shard, owner in enumerate(self.owners) if owner not in (target, GONE)}
        if not moves:
            return
        self._start(step, f"begin a migration to {NODES[target]}", source, moves, NODES[target])

    def move(self, step: Step) -> None:
        """Some shards begin to move, others may be on the move already."""
        free = [
            n
            for n, owner in enumerate(self.owners)
            if owner != GONE and n not in {*self.moves, *self.doubtful}
        ]
        shards = [n for n in step.shards if n in free]
        if not shards or "move" in self.unsupported:
            return
        source = self.owners[shards[0]]
        target = (source + (step.hop % len(NODES) or 1)) % len(NODES)
        shards = [n for n in shards if self.owners[n] != target]
        said = f"move shard {' and '.join(map(str, shards))} to {NODES[target]}"
        self._start(step, said, source, dict.fromkeys(shards, target), shards, NODES[target])

    def _start(self, step: Step, said: str, source: int, moves: dict[int, int], *arguments: object) -> None:
        self.answers()
        self.log.append(said)
        self.steps.append(step)
        before = dict(self.moves)
        self.source, self.target = source, next(iter(moves.values()))
        self.moves.update(moves)
        if not before:
            self.aborted = self.disordered = self.late = False
            self.placed, self.phases = None, []
        try:
            has = self._try(step.do, getattr(self.system, step.do), *arguments)[0]
        except Unavailable:
            self.counts["declined"] += 1
            self.log[-1] += ": declined"
            self.moves = before
            return
        if not has:
            self.log.pop()
            self.steps.pop()
            self.moves = before
            return
        self.unsure = set()
        self.counts["begun"] += 1
        self.look()
        self.answers()

    def reshape(self, step: Step) -> None:
        """A shard is split in two, or two are merged."""
        shards = step.shards
        if step.do in self.unsupported or any(
            n >= len(self.owners) or n in self.moves or n in self.doubtful for n in shards
        ):
            return
        if (
            len(set(shards)) != len(shards)
            or len({self.owners[n] for n in shards}) != 1
            or self.owners[shards[0]] == GONE
        ):
            return
        self.answers()
        self.log.append(f"{step.do} shard " + " and ".join(map(str, shards)))
        self.steps.append(step)
        try:
            has, made = self._try(step.do, getattr(self.system, step.do), *shards)
        except Unavailable:
            self.counts["declined"] += 1
            self.log[-1] += ": declined"
            return
        if not has:
            self.log.pop()
            self.steps.pop()
            return
        self.counts[step.do] += 1
        owner = self.owners[shards[0]]
        if step.do == "split":
            if not isinstance(made, int) or isinstance(made, bool) or not 0 <= made < 1000:
                self._fail(f"the adapter failed: split returned {made!r}; it must be the new shard's number",
                           AdapterFailed)  # fmt: skip
            more = [GONE] * (made + 1 - len(self.owners))
            self.owners, self.expected = [*self.owners, *more], [*self.expected, *more]
            self.owners[made] = self.expected[made] = owner
            self.moves[made] = owner
        else:
            self.owners[shards[1]] = GONE
        self.moves[shards[0]] = owner
        self.look()
        self.answers()

    def advance(self, times: int, until: Callable[[], bool] = lambda: False) -> int:
        """So many steps, fewer where something is so, or nothing goes on. Returns how many were taken."""
        before, taken, asked = self.look(), 0, 0
        self.log.append("")
        self.steps.append(Step("advance", times=1))
        while taken < times and not until():
            asked += 1  # a call that goes nowhere may end the migration, so it is part of the schedule
            self.log[-1], self.steps[-1] = f"advance {taken + 1}", Step("advance", times=asked)
            if not self._advance():
                break
            taken += 1
        if not asked:
            self.steps.pop()
        if not taken:
            self.log.pop()
            return 0
        after = self.look()
        self.log[-1] = f"advance {taken}" + (f": {before} to {after}" if after != before else "")
        self.answers()
        return taken

    def _advance(self) -> bool:
        has, went = self._try("advance", self.system.advance)
        self.stepped += 1
        if has and went is None:
            self._fail("the adapter failed: advance returned None; it must be True, or False if nothing can go on",
                       AdapterFailed)  # fmt: skip
        if self.moves and "phase" in self.unsupported and not went:
            self._ended()
        self.look()
        return has and bool(went)

    # -------------------------------------------------- faults

    def inject(self, step: Step) -> None:
        """Something goes wrong, at the node in this role. An abort only where something moves."""
        fault = step.fault
        phase = self.look()
        if fault in self.unsupported or (fault == "abort" and (phase == IDLE or not self.moves)):
            return
        nodes = list(dict.fromkeys([self.source, self.target, *range(len(NODES))]))
        node = NODES[nodes[step.role % len(nodes)]]
        client = step.client or CLIENTS[1]
        self.answers()
        about = f" {client}" if fault == "stale" else "" if fault in NODELESS else f" {node}"
        self.log.append(f"{fault}{about}")
        self.steps.append(step)
        self.system.client = client
        if not self._try(fault, self.system.inject, fault, node)[0]:
            self.log.pop()
            self.steps.pop()
            return
        self.injected[fault] += 1
        if phase != IDLE:
            self.events[phase, fault] += 1
        self.aborted |= fault == "abort"
        self.disordered |= fault in AGAIN
        self.late |= fault == "abort" and self._goes_on()
        self.look()
        self.answers()

    def _goes_on(self) -> bool:
        """Whether a migration goes on that was just given up: perhaps that came too late."""
        return "phase" in self.unsupported or self._try("phase", self.system.phase)[1] != IDLE

    def heal(self) -> None:
        """Nothing goes wrong from now on. Where nothing did, nothing is done."""
        if not self.injected:
            return
        self.steps.append(Step("heal"))
        self.log.append("heal")
        self._try("heal", self.system.heal)
        self.answers()

    def stop(self) -> None:
        """The run is over."""
        self._try("stop", self.system.stop)
