"""What clients write in a scenario, what they were told, which deliveries failed, and what may be read afterwards.

The ledger is kept here from the answers alone; it asks nothing of what the cluster remembers for its own audit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from cutproof.checks.cutover.scenarios.scenarios import Burst, Form
from cutproof.impl import Cluster, Status, Write
from cutproof.impl.copies import Content
from cutproof.impl.faults import Plan
from cutproof.impl.node import Kind, Message
from cutproof.impl.record import Phase
from cutproof.impl.shard import Shard

UPDATES, DELETES = 0.25, 0.15  # shares of the mixed form; the rest are puts of new documents
RECENT = 32  # half of what is updated or deleted is among the last documents
TRIES = 16  # draws until a known document lies in the wanted shard, or a new one is taken


class Ledger:
    """Every write by its number, and what became of it. A document holds the number of the write that made it."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.puts = bytearray()  # by number: 1 for a put, 0 for a delete
        self.pending: dict[Write, int] = {}
        self.last: dict[str, int] = {}  # the last acknowledged write of a document
        self.unknown: dict[str, list[int]] = {}  # writes whose outcome nobody was told
        self.counts: Counter[Status] = Counter()
        self.held = 0

    def issue(self, write: Write, key: str, put: bool) -> None:
        """A client has sent a write, the next by number."""
        self.pending[write] = len(self.keys)
        self.keys.append(key)
        self.puts.append(put)
        self.held += write.status is Status.HELD

    def hear(self, answers: list[Write]) -> None:
        """Clients have their answers, which are taken off the list."""
        for write in answers:
            number, status = self.pending.pop(write), write.status
            key = self.keys[number]
            self.counts[status] += 1
            if status is Status.ACKNOWLEDGED:
                if number > self.last.get(key, -1):
                    self.last[key] = number
            elif status is not Status.REFUSED:
                self.unknown.setdefault(key, []).append(number)
        answers.clear()

    def judge(self, key: str, read: int | None) -> str:
        """How what was read of a document breaks what was promised: LAW, LU or RD; "odd" where it was never promised
        nor possible; else empty. `read` is the number of the write that made it, None where there is nothing."""
        number = self.last.get(key, -1)
        later = (n for n in self.unknown.get(key, ()) if n > number)
        if any(read == n if self.puts[n] else read is None for n in later):
            return ""
        put = number >= 0 and self.puts[number] == 1
        if read == (number if put else None):
            return ""
        if read is None:
            return "LAW"
        if read > number or self.keys[read] != key:
            return "odd"
        return "LU" if put else "RD"

    def without(self, missed: Iterable[int]) -> Counter[str]:
        """What is lost, by kind, where a node has applied every write but these."""
        gone = frozenset(missed)
        held: dict[str, int] = {}
        for number, key in enumerate(self.keys):
            if number not in gone:
                held[key] = number
        read = {key: number if self.puts[number] else None for key, number in held.items()}
        judged = Counter(self.judge(key, read.get(key)) for key in self.last)
        del judged[""]
        return judged


@dataclass
class Told:
    """What was written in one burst: how many writes to each shard, in which phases of it."""

    burst: Burst
    by_shard: Counter[tuple[int, Phase]] = field(default_factory=Counter)
    delivered: Counter[int] = field(default_factory=Counter)  # to N, by shard, where some fail
    failed: Counter[int] = field(default_factory=Counter)

    @property
    def issued(self) -> int:
        """How many writes."""
        return self.by_shard.total()

    @property
    def phases(self) -> Counter[Phase]:
        """How many in each phase, in the order of the phases."""
        found: Counter[Phase] = Counter()
        for phase in Phase:
            if count := sum(n for (_, p), n in self.by_shard.items() if p is phase):
                found[phase] = count
        return found


class Deliveries(Plan):
    """Deliveries of client writes to N: each fails or not by the rule of the burst that it was written in.

    Pages, repairs and what the clients of other bursts write are not counted and do not fail."""

    def __init__(self, seed: int) -> None:
        super().__init__(Random(seed))
        self.rules: dict[Write, tuple[Told, int]] = {}  # of writes that have not been delivered yet
        self.missed: set[int] = set()  # by number

    def strikes(self, message: Message) -> bool:
        """Whether this delivery fails."""
        if message.kind is not Kind.WRITE or message.write is None:
            return False
        found = self.rules.pop(message.write, None)
        if found is None:
            return False
        told, number = found
        shard = message.replica.shard
        told.delivered[shard] += 1
        if told.burst.every:
            fails = told.delivered.total() % told.burst.every == 0
        else:
            fails = self.random.random() < self.rate(told, shard)
        if fails:
            self.struck = "fail"
            told.failed[shard] += 1
            self.missed.add(number)
        return fails

    def rate(self, told: Told, shard: int) -> float:
        """The share of the deliveries of a shard that fail."""
        return told.burst.rates[shard]


class Traffic:
    """The clients of one run."""

    def __init__(self, cluster: Cluster, form: Form, seed: int) -> None:
        self.cluster = cluster
        self.form = form
        self.random = Random(seed)
        self.ledger = Ledger()
        self.deliveries = Deliveries(seed + 1)
        self.known: list[str] = []
        self.only = cluster.shards[0] if len(cluster.shards) == 1 else None

    def write(self, told: Told, shard: Shard | None = None, mixed: bool | None = None) -> Write:
        """One write, of a document of this shard where one is given; `mixed` overrules the form."""
        if self.form is Form.PURE if mixed is None else not mixed:
            key, put = self._new(shard), True
        else:
            key, put = self._draw(shard)
        ledger, number = self.ledger, len(self.ledger.keys)
        home = shard or self.only or self.cluster.shard(key)
        phase = home.record.phase
        content: Content | None = {"n": number} if put else None
        write = self.cluster.submit(key, content)
        ledger.issue(write, key, put)
        told.by_shard[home.number, phase] += 1
        if told.burst.failing:
            self.deliveries.rules[write] = (told, number)
        return write

    def rewrite(self, key: str) -> Write:
        """A known document is put again."""
        write = self.cluster.submit(key, {"n": len(self.ledger.keys)})
        self.ledger.issue(write, key, True)
        return write

    def _new(self, shard: Shard | None) -> str:
        key = f"doc-{len(self.ledger.keys)}"
        more = 0
        while shard is not None and self.cluster.shard(key) is not shard:
            more += 1
            key = f"doc-{len(self.ledger.keys)}-{more}"
        self.known.append(key)
        return key

    def _draw(self, shard: Shard | None) -> tuple[str, bool]:
        """A document, and whether it is put: a new one, or one that is known, from long ago or of late."""
        drawn = self.random.random()
        if drawn < UPDATES + DELETES and self.known:
            for _ in range(TRIES):
                among = RECENT if self.random.random() < 0.5 else len(self.known)
                key = self.known[-1 - int(self.random.random() * min(among, len(self.known)))]
                if shard is None or self.cluster.shard(key) is shard:
                    return key, drawn < UPDATES
        return self._new(shard), True

    def hear(self) -> None:
        """Clients look at their answers."""
        self.ledger.hear(self.cluster.network.answers)
