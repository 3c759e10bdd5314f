"""What a loss run samples, and what it counts.

`Setup` says what is run: the policy, the safeguards removed, how often what goes wrong, and what clients write. One
migration is one sample, with a seed of its own. `Counts` is what became of the writes of some migrations; they add up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from random import Random
from typing import Any

from xxhash import xxh64_intdigest

from cutproof.impl.audit import loss
from cutproof.impl.availability import unserved
from cutproof.impl.clients import Status, Write
from cutproof.impl.copies import Copy, order_of
from cutproof.impl.network import served
from cutproof.impl.node import Replica
from cutproof.impl.shard import Shard
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.safeguards import Harm

KINDS = (Harm.LAW.name, Harm.LU.name, Harm.RD.name)  # how an acknowledged write is lost
HARMS = tuple(h.name for h in Harm)
ASKED = ("write", "read", "search", "answer", "begin")  # what may be asked in vain (`impl/availability.py`)


@dataclass(frozen=True)
class Rates:
    """How often what goes wrong, each from 0 to 1. Raises ValueError for anything else.

    The first five are of the client writes' deliveries to N, each in its own way; together they are at most 1."""

    failures: float = 0.01  # the delivery to N fails, and the router is told
    losses: float = 0.002  # it is lost, and nobody is told
    lateness: float = 0.005  # it is set aside, and lands after anything
    timeouts: float = 0.002  # the client gives up, and what is under way lands after anything
    duplicates: float = 0.005  # it arrives twice
    task_failures: float = 0.002  # N accepts it, and fails to apply it
    source_failures: float = 0.002  # of the deliveries to O
    crashes: float = 0.01  # the coordinator crashes, for each of its turns
    partitions: float = 0.002  # N is cut off for a while, for each turn
    aborts: float = 0.05  # of the migrations are aborted somewhere; half of these are tried again
    skew: float = 0.01  # of the writes come through a router whose clock is slow
    stale: float = 0.005  # of the writes come through a router that knows an older record

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"{f.name}={value}: a rate is from 0 to 1")
        together = self.failures + self.losses + self.lateness + self.timeouts + self.duplicates
        if together > 1:
            raise ValueError(
                f"what goes wrong with deliveries to N adds up to {together:g}; lower some rates"
            )


# Of traffic near the boundary, where runs are small: most of them see several kinds.
NEAR = Rates(
    failures=0.08, losses=0.04, lateness=0.1, timeouts=0.0, duplicates=0.04, task_failures=0.06, source_failures=0.0,
    crashes=0.05, partitions=0.02, aborts=0.3, skew=0.15, stale=0.35,
)  # fmt: skip
NOT_NEAR = ("timeouts", "source_failures")  # have no part near the boundary, see `boundary.rated`
CALM = Rates(**{f.name: 0.0 for f in fields(Rates)})  # nothing goes wrong


@dataclass(frozen=True)
class Mix:
    """What clients write, as shares of any sum above 0. `puts` are of new documents, the others of known ones."""

    puts: float = 40
    updates: float = 35
    patches: float = 10  # partial updates
    deletes: float = 15

    def __post_init__(self) -> None:
        for f in fields(self):
            if not 0 <= getattr(self, f.name) < float("inf"):
                raise ValueError(f"{f.name}={getattr(self, f.name)}: a share is 0 or more")
        if not sum(asdict(self).values()):
            raise ValueError("a mix of writes has at least one share above 0")

    def shares(self) -> tuple[float, ...]:
        """Where each kind of write ends on the way from 0 to 1."""
        total, ends, end = sum(asdict(self).values()), [], 0.0
        for value in asdict(self).values():
            end += value / total
            ends.append(end)
        return tuple(ends)


# Distinct documents only: a lost write is a lost document.
PUTS = Mix(puts=1, updates=0, patches=0, deletes=0)


def parse_mix(text: str) -> Mix:
    """`puts=60,deletes=40`; what is not named is 0. Raises ValueError with one line that says what is wrong."""
    known = {f.name for f in fields(Mix)}
    values: dict[str, float] = dict.fromkeys(known, 0.0)
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, equals, value = (p.strip() for p in part.partition("="))
        if not equals or name not in known:
            raise ValueError(f"{part!r} is not a share of writes: there are {', '.join(asdict(Mix()))}")
        try:
            values[name] = float(value)
        except ValueError:
            raise ValueError(f"{name}={value}: a share is a number") from None
    return Mix(**values)


@dataclass(frozen=True)
class Setup:
    """What one run samples. `each` is how many writes a migration is given; the same setup and number give the same
    migration everywhere. `traffic` says how writes and migration meet:

    - mixed: clients write all the while, and what happens next is uniform;
    - seed: as in the seed's runs, all writes fall between the end of the copy and the seal, one after the other;
    - boundary: small runs, biased towards the boundary (see `boundary.py`), in a `scope` of the specification."""

    policy: Policy = field(default_factory=lambda: Policy(replicas=False))
    without: tuple[str, ...] = ()
    gate: str | None = "sound"
    rates: Rates = field(default_factory=Rates)
    mix: Mix = field(default_factory=Mix)
    each: int = 1000
    seed: int = 0
    traffic: str = "mixed"
    scope: str = ""

    def facts(self) -> dict[str, Any]:
        """The setup in plain values, for a report and for the file that a run is kept in."""
        return {
            "policy": self.policy.changed(),
            "without": list(self.without),
            "gate": self.gate,
            "rates": asdict(self.rates),
            "mix": asdict(self.mix),
            "each": self.each,
            "seed": self.seed,
            "traffic": self.traffic,
            "scope": self.scope,
        }

    def digest(self) -> str:
        """Eight digits that tell one setup from another."""
        return f"{xxh64_intdigest(repr(sorted(self.facts().items())).encode()):016x}"[:8]

    def random(self, number: int) -> Random:
        """The random numbers of one migration."""
        return Random(xxh64_intdigest(f"{self.seed}/{number}".encode()))


@dataclass
class Counts:
    """What became of some migrations and of their writes. `writes` are those issued between DUAL and CLEANUP, and
    `acknowledged` those of them that were acknowledged by then: the denominator of every rate.

    *At risk* are acknowledged writes that failed, were lost or late on N, or that were under way, waiting or issued
    between SEAL and ACTIVATE. `permanent` and `healed` count acknowledged writes by how they were lost: permanently, or
    until anti-entropy brought them back. Only the last acknowledged write of a document can be lost."""

    migrations: int = 0
    finished: int = 0
    aborted: int = 0  # given up: the owner stayed
    attempts: int = 0
    crashes: int = 0
    stuck: int = 0  # neither finished nor given up, although nothing went wrong any more
    unserved: int = 0  # migrations after which clients or operators ask for something in vain
    in_vain: dict[str, int] = field(default_factory=lambda: dict.fromkeys(ASKED, 0))  # for what, of these
    writes: int = 0
    acknowledged: int = 0
    acknowledged_later: int = 0  # after CLEANUP had begun
    refused: int = 0
    failed: int = 0  # the outcome is unknown, time-outs included
    held: int = 0  # waited for the owner to change
    at_risk: int = 0
    copied: int = 0  # documents
    repaired_by_delta: int = 0
    repaired_by_anti_entropy: int = 0
    sealed_steps: int = 0
    steps: int = 0
    stale_reads: int = 0
    wrong_searches: int = 0
    losing: int = 0  # migrations in which an acknowledged write was lost
    vanished: int = 0  # migrations in which something that was visible, acknowledged or not, was not any more
    lost_outside: int = 0  # acknowledged before DUAL, or after CLEANUP had begun; permanently
    permanent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    healed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    seen: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(HARMS, 0)
    )  # migrations that saw a harm
    first: dict[str, tuple[int, str]] = field(
        default_factory=dict
    )  # a kind's first loss: migration, document

    @property
    def lost(self) -> int:
        """Acknowledged writes that were lost, permanently or until they were healed."""
        return sum(self.permanent.values()) + sum(self.healed.values())

    @property
    def lost_for_good(self) -> int:
        """Acknowledged writes that were lost permanently."""
        return sum(self.permanent.values())

    def __add__(self, other: Counts) -> Counts:
        total = Counts()
        for f in fields(self):
            mine, theirs = getattr(self, f.name), getattr(other, f.name)
            if f.name == "first":
                value: Any = _earlier(mine, theirs)
            elif isinstance(mine, dict):
                value = {kind: mine[kind] + theirs[kind] for kind in mine}
            else:
                value = mine + theirs
            setattr(total, f.name, value)
        return total


def _earlier(
    one: dict[str, tuple[int, str]], other: dict[str, tuple[int, str]]
) -> dict[str, tuple[int, str]]:
    return {
        kind: min(found[kind] for found in (one, other) if kind in found) for kind in sorted({*one, *other})
    }


# ------------------------------------------------------------------ counting


def count_unserved(counts: Counts, shard: Shard, now: float = 0.0) -> None:
    """Count what is asked in vain of a shard where nothing goes on any more; `now` in seconds. Before `count_losses`,
    which sums up the harms."""
    asked = {found.asked for found in unserved(shard, now)}
    counts.unserved = int(bool(asked))
    for what in asked:
        counts.in_vain[what] = 1


def count_answers(counts: Counts, writes: Iterable[Write], in_time: set[int], risky: set[int]) -> None:
    """Count what clients were told. `in_time` and `risky` hold the `id` of writes: those acknowledged before CLEANUP,
    and those at risk."""
    for write in writes:
        counts.writes += 1
        match write.status:
            case Status.ACKNOWLEDGED if id(write) in in_time:
                counts.acknowledged += 1
                counts.at_risk += id(write) in risky
            case Status.ACKNOWLEDGED:
                counts.acknowledged_later += 1
            case Status.REFUSED:
                counts.refused += 1
            case _:
                counts.failed += 1


def missing(shard: Shard, replica: Replica | None = None) -> dict[str, str]:
    """The documents whose last acknowledged write clients are not served now, and how it is lost.

    With a replica: those that it does not hold."""
    replica = replica or shard.owner
    documents, incomplete = replica.documents, replica.fields_missing
    found = {}
    for key, history in shard.histories.items():
        acked = history.acked
        if acked is None:
            continue
        stored = documents.get(key)
        if (stored is None or stored.order < acked.order or key in incomplete) and (
            kind := loss(shard, history, replica)
        ):
            found[key] = kind
    return found


def count_losses(
    counts: Counts, shard: Shard, number: int, early: dict[str, tuple[str, Copy]], in_time: set[int]
) -> None:
    """Count what is lost now that nothing more will come, and what was lost and is healed.

    `early` are the documents that were missing when the owner changed, how, and what was acknowledged of each;
    `in_time` holds the `id` of the copies that were acknowledged between DUAL and CLEANUP."""
    now, lost = missing(shard), False
    seen = {kind for kind, _ in early.values()} | set(now.values())
    seen |= {"SR"} if shard.stale_reads or shard.wrong_searches else set()
    for harm in sorted(seen | ({"STK"} if counts.stuck or counts.unserved else set())):
        counts.seen[harm] = 1
    for key, kind in now.items():
        acked = shard.histories[key].acked
        if id(acked) in in_time:
            counts.permanent[kind] += 1
            lost = True
            counts.first.setdefault(kind, (number, key))
        else:
            counts.lost_outside += 1
    for key, history in shard.histories.items():
        if key in now or not (history.healed or key in early):
            continue
        kind, acked = early.get(key, ("RD" if _is_delete(history.acked) else "LAW", history.acked))
        newer = served(shard.owner.documents.get(key), history.shown) > order_of(history.acked)
        if (
            acked is history.acked and id(acked) in in_time and not newer
        ):  # else it was overwritten, not healed
            counts.healed[kind] += 1
            lost = True
    counts.losing += lost


def _is_delete(copy: Copy | None) -> bool:
    return copy is not None and copy.content is None
