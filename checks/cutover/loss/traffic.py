"""One migration as a sample: clients write all the while, and the reference implementation does the rest.

The seed of the migration draws everything: how many writes are under way at a time, how fast the coordinator goes, what
is written, and what goes wrong (`sample.Rates`). Which of the things under way happens next is uniform.
"""

from __future__ import annotations

from random import Random

from cutproof.checks.cutover.loss.sample import (
    Counts,
    Setup,
    count_answers,
    count_losses,
    count_unserved,
    missing,
)
from cutproof.impl import Cluster
from cutproof.impl.clients import Write
from cutproof.impl.copies import Copy
from cutproof.impl.faults import Plan
from cutproof.impl.network import Network
from cutproof.impl.node import Message
from cutproof.impl.record import SEALED, Phase

OLD, NEW, OTHER = "old-0", "new-0", "replica-0"
SLOW, LATE = "slow", "stale"  # routers
PAGES = 8
FIELDS = 8  # that partial updates set
BEFORE = 40  # documents that are there already
UNDER_WAY = (0, 4, 12, 24, 48)  # messages and tasks: one of these is a migration's limit
NEVER = 10**12
PATIENCE = 400_000  # steps in which a migration ends once nothing goes wrong any more
LANDS = 0.1  # what is late lands after a turn of the coordinator, at this rate
HURRY = 4  # the coordinator goes so many times as fast while clients wait for it
STEPS_WHILE_HELD = 5  # steps a write
PASSES = 0.01  # anti-entropy passes, for each turn
ROUNDS = 50  # of anti-entropy at the end
OVER = (Phase.CLEANUP, Phase.COMPLETE)


class Misfortune(Plan):
    """What goes wrong with client writes at a node, by kind; `hit` gets the `id` of each write that it strikes."""

    __slots__ = ("hit",)

    def __init__(self, random: Random, hit: set[int], **rates: float) -> None:
        super().__init__(random)
        self.rates = {kind: rate for kind, rate in rates.items() if rate}
        self.total = sum(self.rates.values())
        self.hit = hit

    def strikes(self, message: Message) -> bool:
        """Whether this delivery, or this task, goes wrong."""
        write = message.write
        if write is None or (drawn := self.random.random()) >= self.total:
            return False
        for kind, rate in self.rates.items():
            drawn -= rate
            self.struck = kind
            if drawn < 0:
                break
        if self.struck == "delay" and write.answered:
            return False
        if self.struck != "duplicate":
            self.hit.add(id(write))
        return True

    def strike(self, network: Network, message: Message) -> None:
        """Let it go wrong. What is late waits aside, until something is opened or healed."""
        if self.struck == "late":
            network.drop(message)
            network.aside.append(message)
        else:
            super().strike(network, message)


class Traffic:
    """One migration of one shard. `run` returns its counts; `cluster` is there to be looked at before and after."""

    def __init__(self, setup: Setup, number: int) -> None:
        self.setup, self.number = setup, number
        self.random = random = setup.random(number)
        replicas = setup.policy.replicas
        self.cluster = Cluster(
            [[OLD], [OTHER]] if replicas else [OLD], 1, 1, int(random.random() * 2**32), policy=setup.policy,
            without=setup.without, gate=setup.gate, pages=PAGES, passes=NEVER,
        )  # fmt: skip
        self.shard = self.cluster.shards[0]
        self.counts = Counts(migrations=1)
        self.writes: list[Write] = []  # since DUAL; some were under way by then
        self.risky: set[int] = set()  # the `id` of each write at risk
        self.in_time: set[int] = set()  # ... that was acknowledged before CLEANUP
        self.promised: set[int] = set()  # the `id` of the copy of each of these
        self.early: dict[str, tuple[str, Copy]] = {}  # missing when the owner changed
        self.keys = [f"b{i}" for i in range(BEFORE)]
        self.phase = Phase.IDLE
        self.limit = random.choice(UNDER_WAY)
        self.pace = (
            (2 * PAGES + 30) * random.uniform(0.6, 1.8) / setup.each
        )  # turns of the coordinator a write
        self.abort_in = random.randrange(1, 40) if random.random() < setup.rates.aborts else -1  # turns
        self.retries = random.random() < 0.5
        self.healing = 0  # writes until a partition ends
        self.ends = setup.mix.shares()

    def run(self) -> Counts:
        """The whole migration; the source is cleaned up, and anti-entropy has had its say. Raises UnsafeCutover."""
        cluster, setup = self.cluster, self.setup
        cluster.faults.stale(LATE)
        cluster.faults.skew(SLOW)
        if setup.traffic == "seed":
            self.limit = 0  # each write is over before the next
        for key in self.keys:
            cluster.submit(key, {"n": 0})
        cluster.network.tick_until(self.limit)
        self.writes += self.shard.waiting
        self.migration = cluster.move([0], NEW)
        self._see()
        plans = (cluster.nodes[NEW], cluster.nodes[OLD])
        rates, draws = setup.rates, cluster.network.random
        plans[0].plan = Misfortune(
            draws, self.risky, fail=rates.failures, lose=rates.losses, late=rates.lateness, delay=rates.timeouts,
            duplicate=rates.duplicates,
        )  # fmt: skip
        plans[0].task_plan = Misfortune(draws, self.risky, fail=rates.task_failures)
        plans[1].plan = Misfortune(draws, set(), fail=rates.source_failures)
        if setup.traffic != "seed" or self._copy():
            self._write()
        for node in plans:
            node.plan = node.task_plan = None
        self._finish()
        return self.counts

    def _copy(self) -> bool:
        """As in the seed's runs: nobody writes until everything is copied, and then nothing else happens. False where
        the migration was given up before."""
        record = self.shard.record
        while record.phase is not Phase.COPY or record.cursor < PAGES:
            if record.phase is Phase.ABORTED and not self.retries:
                return False
            if self.healing:  # a turn is a write's time, or N would be cut off for ever
                self._heal()
            self._turn()
            self.cluster.network.tick_until(0)
            record = self.shard.record
        return True

    def _write(self) -> None:
        """Clients write until they are done, or the source is being cleaned up."""
        cluster, setup, draw = self.cluster, self.setup, self.random.random
        pool, tick_until, limit = cluster.network.pool, cluster.network.tick_until, self.limit
        pace = 0.0 if setup.traffic == "seed" else self.pace
        for number in range(setup.each):
            write = self._submit(number)
            self.writes.append(write)
            if len(pool) > limit:
                tick_until(limit)
            sealed = self.phase in SEALED
            if sealed:
                self.risky.add(id(write))
                tick_until(0, min(STEPS_WHILE_HELD, len(pool)))  # what is under way goes on
            if draw() < (HURRY * pace if sealed else pace):
                self._turn()
                if self.phase in OVER or (self.phase is Phase.ABORTED and not self.retries):
                    return
            if self.healing:
                self._heal()

    def _submit(self, number: int) -> Write:
        """A client's write, as the mix and the rates say."""
        # To the shard at once: as `Cluster.submit`, but that what is written here needs no check.
        draw, keys, rates, submit = self.random.random, self.keys, self.setup.rates, self.shard.submit
        route, slow = None, False
        if (drawn := draw()) < rates.skew + rates.stale:
            slow = drawn < rates.skew
            route = None if slow else self.cluster.views[LATE].get(0)
        puts, updates, patches, _ = self.ends
        if (drawn := draw()) < puts:
            key = f"n{number}"
            keys.append(key)
            return submit(key, {"n": number}, None, route, slow)
        key = keys[int(draw() * len(keys))]
        if drawn < updates:
            return submit(key, {"n": number}, None, route, slow)
        if drawn < patches:
            return submit(key, {f"f{number % FIELDS}": number}, None, route, slow, True)
        return submit(key, None, None, route, slow)

    # -------------------------------------------------- the coordinator, and what happens to it

    def _turn(self) -> None:
        cluster, rates, draw = self.cluster, self.setup.rates, self.random.random
        cluster.turn()
        if rates.crashes and draw() < rates.crashes and self.shard.record.live:
            cluster.faults.crash(0)
            self.counts.crashes += 1
        if rates.partitions and not self.healing and draw() < rates.partitions:
            cluster.faults.cut(NEW)
            self.healing = 1 + int(draw() * 60)
        if draw() < LANDS:
            cluster.network.reconsider()  # what is late lands
        if draw() < PASSES:
            cluster.repair()
        self.abort_in -= 1
        if self.abort_in == 0:
            self.migration.abort()
        elif self.abort_in < 0 and self.shard.record.phase is Phase.ABORTED and self.retries:
            self._retry()
        self._see()

    def _retry(self) -> None:
        if not self.shard.record.owes_wipe:
            self.migration.retry()

    def _heal(self) -> None:
        self.healing -= 1
        if not self.healing:
            self.cluster.faults.heal(NEW)

    def _see(self) -> None:
        """Look where the migration stands: what is at risk, what is missing, what was acknowledged in time."""
        before, now = self.phase, self.shard.record.phase
        if now is before:
            return
        self.phase = now
        if now is Phase.DUAL:
            self.counts.attempts += 1
        elif now in SEALED and before not in SEALED:
            self.risky.update(map(id, self.shard.waiting), map(id, self.shard.held))
        elif now is Phase.ACTIVATE:
            histories = self.shard.histories
            self.early = {k: (kind, histories[k].acked) for k, kind in missing(self.shard).items()}  # type: ignore[misc]
        elif now in OVER and before not in OVER:
            self._take_stock()

    def _take_stock(self) -> None:
        """What is acknowledged by now counts."""
        self.in_time = {id(w) for w in self.writes if w.acknowledged}
        self.promised = {id(w.copy) for w in self.writes if w.acknowledged}

    # -------------------------------------------------- the end

    def _finish(self) -> None:
        """Nothing goes wrong any more: the migration ends, and anti-entropy repairs what it can."""
        cluster, counts, shard = self.cluster, self.counts, self.shard
        if self.healing:
            cluster.faults.heal(NEW)
        cluster.faults.refresh(LATE)
        pool = cluster.network.pool
        for _ in range(PATIENCE):
            cluster.network.tick_until(self.limit)
            if not (cluster.moving or pool):
                if shard.record.phase is not Phase.ABORTED or not self.retries:
                    break
                self._retry()
            if not cluster.step() and cluster.moving:
                counts.stuck = 1
                break
            if self.random.random() < PASSES:
                cluster.repair()
            self._see()
        else:
            counts.stuck = 1
        for _ in range(ROUNDS):
            cluster.network.reconsider()
            sent = cluster.repair()
            cluster.settle()
            if not sent:
                break
        self._count()

    def _count(self) -> None:
        counts, shard, costs = self.counts, self.shard, self.cluster.costs
        counts.finished = int(self.migration.complete)
        counts.aborted = int(shard.record.phase is Phase.ABORTED)
        if not counts.finished:
            self._take_stock()
        count_answers(counts, self.writes, self.in_time, self.risky)
        count_unserved(counts, shard, self.cluster.now)
        count_losses(counts, shard, self.number, self.early, self.promised)
        counts.held, counts.copied = costs.held, costs.documents_copied
        counts.repaired_by_delta = costs.documents_repaired_by_delta
        counts.repaired_by_anti_entropy = costs.documents_repaired_by_anti_entropy
        counts.sealed_steps, counts.steps = costs.sealed_steps, self.cluster.network.steps
        counts.stale_reads, counts.wrong_searches = shard.stale_reads, shard.wrong_searches


def migrate(setup: Setup, number: int) -> Counts:
    """One migration; the same everywhere for the same setup and number. Raises UnsafeCutover where the gate refuses."""
    return Traffic(setup, number).run()
