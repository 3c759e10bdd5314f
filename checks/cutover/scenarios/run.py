"""One run of a scenario: a cluster, its migrations, and bursts of writes that fall where the table says.

The cluster does everything else by itself: the copy, the drain, the delta, activation, and the deletion of the source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from cutproof.checks.cutover.scenarios.pace import MOVED, SEALED, Gate, Pace, gate_of
from cutproof.checks.cutover.scenarios.scenarios import ALONG, Burst, Form, Scenario, When
from cutproof.checks.cutover.scenarios.traffic import Told, Traffic
from cutproof.impl import Cluster, Status, Unavailable, Write
from cutproof.impl.copies import Version, is_newer
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard

IN_FLIGHT = 40  # messages, tasks and answers that are under way while clients write on
HEARD = 1_000  # answers that are let gather
TOLD = 16_384  # writes between two words of progress
Progress = Callable[[int, int], None]  # writes issued, and of how many


class Run(Pace):
    """A scenario in one form, with the policy, the gate and the topology that it names.

    `crash_at` is the turn after which the coordinators crash, counted from 1, 0 for never. What the gate refuses is
    raised by `begin`."""

    def __init__(
        self,
        scenario: Scenario,
        form: Form,
        seed: int = 0,
        progress: Progress | None = None,
        *,
        without: Iterable[str] = (),
        crash_at: int = 0,
    ) -> None:
        cluster = Cluster(
            list(scenario.nodes),
            scenario.shards,
            scenario.replicas,
            seed,
            policy=scenario.policy,
            without=without,
            gate=scenario.gate,
            pages=scenario.pages,
            passes=scenario.passes,
        )
        super().__init__(cluster, scenario, seed)
        self.form = form
        self.seed = seed
        self.progress = progress
        self.crash_at = crash_at
        self.crashed_in: tuple[Phase, ...] = ()
        self.traffic = Traffic(cluster, form, seed)
        self.told = [Told(burst) for burst in scenario.traffic]
        self.reached_while_cut = False
        self.lacking = 0  # on N, when the delta begins
        # Right after activation, where the delta is skipped: the documents that are not read as promised and the
        # writes that should be; how many, by kind; as it must be, by the deliveries that failed; what a pass finds.
        self.measured = False
        self.behind: dict[str, int] = {}
        self.diverged: Counter[str] = Counter()
        self.recorded: Counter[str] = Counter()
        self.differences = 0

    # -------------------------------------------------- the course of it

    def fill(self) -> None:
        """The documents that are there before."""
        before = Told(Burst(self.scenario.before, When.COPYING))
        for _ in range(self.scenario.before):
            self.traffic.write(before, mixed=False)
        self.flush()

    def begin(self) -> None:
        """The migrations begin; each target gets its share of the shards. Raises UnsafeCutover."""
        targets, shards = self.scenario.targets, range(self.scenario.shards)
        share = len(shards) // len(targets)
        for i, target in enumerate(targets):
            self.migrations.append(self.cluster.move(shards[i * share : (i + 1) * share], target))
            self.cluster.nodes[target].plan = self.traffic.deliveries
        self.next_pass = self.cluster.network.steps + self.scenario.passes
        for shard in self.shards:
            self.happened(shard, changed=True)

    def play(self) -> None:
        """Write every burst where it belongs, and let the migrations come to their end. Raises Stuck."""
        for told in self.told:
            if told.burst.when not in ALONG:
                self.burst(told)
        if not self.scenario.delta:
            self._measure()
        self.advance(Gate.ENDED)
        self.flush()

    def flush(self) -> None:
        """Everything that is under way comes to its end."""
        pool, stuck = self.cluster.network.pool, self.stuck
        if stuck is None:
            self.cluster.network.tick_until(0)
        while pool and (len(pool) > 1 or pool[0] is not stuck):
            self.tick()
        self.traffic.hear()

    # -------------------------------------------------- bursts

    def burst(self, told: Told) -> None:
        """Write one burst where it belongs."""
        match told.burst.when:
            case When.COPYING:
                self._while_copying(told)
            case When.CUT_OFF:
                self._while_cut_off(told)
            case When.COPY_ENDS:
                for shard in self.random.sample(self.shards, len(self.shards)):
                    self.advance(Gate.COPIED, [shard])
                    self.write(told, told.burst.count, shard)
            case When.COPIED:
                self.advance(Gate.COPIED)
                self.write(told, told.burst.count)
            case When.SEALING:
                self._at(told, (Gate.SEAL,))
            case When.DRAINING:
                self._at(told, SEALED)
            case When.ACTIVATED:
                if not self.scenario.delta:
                    self._measure()
                self._at(told, MOVED)

    def _while_copying(self, told: Told) -> None:
        """A tenth before the copy starts. It starts in a lull: the source's queue has to be empty once."""
        count, early = told.burst.count, 0
        if any(gate_of(s) is Gate.DUAL for s in self.shards):
            early = max(1, count // 10)
            self.write(told, early)
            self.advance(Gate.COPY)
        self._spread(told, count - early, Gate.LAST_PAGE)

    def _while_cut_off(self, told: Told) -> None:
        cluster, targets = self.cluster, self.scenario.targets
        for target in targets:
            cluster.faults.cut(target)
        self.flush()  # what cannot arrive is put aside
        before = self._held_by_targets()
        self._spread(told, told.burst.count, Gate.COPIED)
        self.flush()
        self.reached_while_cut = self._held_by_targets() != before
        for target in targets:
            cluster.faults.heal(target)

    def _held_by_targets(self) -> dict[tuple[str, int, str], Version]:
        return {
            (target, replica.shard, key): copy.version
            for target in self.scenario.targets
            for replica in self.cluster.nodes[target].replicas.values()
            for key, copy in replica.documents.items()
        }

    def _at(self, told: Told, gates: tuple[Gate, ...]) -> None:
        """Equal parts of a burst at each of these gates that is still ahead, all shards being there."""
        ahead = [g for g in gates if all(gate_of(s) <= g for s in self.shards)]
        for i, gate in enumerate(ahead):
            self.advance(gate)
            count = told.burst.count
            self.write(told, count * (i + 1) // len(ahead) - count * i // len(ahead))

    def _spread(self, told: Told, count: int, gate: Gate) -> None:
        """Some writes, and in between turns of the shards that have not come to a gate yet."""
        gap = max(1, count // (len(self.shards) * (2 * self.scenario.pages + 4)))
        for done in range(0, count, gap):
            self.write(told, min(gap, count - done))
            behind = [s for s in self.shards if gate_of(s) < gate]
            if behind:
                self.turn(self.random.choice(behind))

    def write(self, told: Told, count: int, shard: Shard | None = None) -> None:
        """So many writes of a burst now, with no more under way than clients let be."""
        traffic, network = self.traffic, self.cluster.network
        pool, answers = network.pool, network.answers
        tick_until, free = network.tick_until, self.stuck is None
        leaving: list[Write] = []
        for number in range(count):
            write = traffic.write(told, shard)
            if write.status is Status.HELD and told.burst.gives_up and number % told.burst.gives_up == 0:
                leaving.append(write)
            if free:
                tick_until(IN_FLIGHT)
            while len(pool) > IN_FLIGHT:
                self.tick()
            if len(answers) > HEARD:
                traffic.hear()
            if network.steps >= self.next_pass:
                self.look_around()
            if self.progress and len(traffic.ledger.keys) % TOLD == 0:
                self.progress(len(traffic.ledger.keys), self.scenario.before + self.scenario.writes)
        for write in leaving:
            self.cluster.shards[write.copy.history.shard].give_up(write)

    # -------------------------------------------------- what goes along

    def happened(self, shard: Shard, changed: bool) -> None:
        """What goes along with the migration is written to the shard, and the coordinators crash if it is time."""
        if changed and shard.record.phase is Phase.DELTA:
            self.lacking += self._lacks(shard)
        for told in self.told:
            when = told.burst.when
            if when is When.THROUGHOUT or (when is When.TRANSITIONS and changed):
                self.write(told, told.burst.count, shard)
        if self.turns == self.crash_at > 0:
            self._crash()

    @staticmethod
    def _lacks(shard: Shard) -> int:
        """How many documents the target lacks, or has an older copy of."""
        record = shard.record
        held = shard.at(record.target).documents
        return sum(is_newer(c, held.get(c.key)) for c in shard.at(record.source).documents.values())

    def _crash(self) -> None:
        self.crashed_in = tuple(s.record.phase for s in self.shards if s.record.live)
        self.cluster.faults.crash()
        for told in self.told:
            if told.burst.when is When.AFTER_CRASH:
                self.write(told, told.burst.count)

    def _measure(self) -> None:
        """All shards are activated and none is cleaned up: what the owner lacks now."""
        if self.measured:
            return
        self.measured = True
        self.advance(Gate.COPIED)
        self.flush()  # what has not failed is there when the seal comes: only what failed is missing
        self.advance(Gate.GRACE)
        ledger, missed = self.traffic.ledger, self.traffic.deliveries.missed
        self.recorded = ledger.without(missed)
        read = {key: self.read(key) for key in sorted({ledger.keys[number] for number in missed})}
        kinds = {key: kind for key, number in read.items() if (kind := ledger.judge(key, number))}
        self.behind = {key: ledger.last[key] for key in kinds}
        self.diverged = Counter(kinds.values())
        self.differences = len(self.cluster.differences())

    def read(self, key: str) -> int | None:
        """The number of the write that made what a client reads; None where it reads nothing, or cannot read."""
        try:
            document = self.cluster.get(key)
        except Unavailable:
            return None
        return None if document is None else document["n"]
