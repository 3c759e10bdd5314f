"""Runs near the boundary: one small migration, in which what is lost at the cutover is met more often than by chance.

One shard with O, N and R and a few writes, in a scope of the specification. The bias, which a report states:

- the migration goes on by whole phases, so that every phase is as likely to be met as the long copy;
- a client's write comes in one piece with what becomes of its messages: applied, only accepted, failed, or left under
  way while the migration goes on;
- three in ten writes are followed at once by another one of the same document, while N still lacks the first;
- a kind of step is drawn first, then one of that kind: one crash is as likely as one of many deliveries;
- what goes wrong does so at the rates of `sample.NEAR`, about ten times those of mixed traffic, and each run has its
  own choice of kinds. Faults without a rate of their own (late commands, restarts, overlaps and more) share one.

At the end nothing goes wrong any more: the migration ends, the source is deleted, anti-entropy repairs what it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from cutproof.checks.cutover.loss.sample import (
    Counts,
    Rates,
    Setup,
    count_answers,
    count_losses,
    count_unserved,
    missing,
)
from cutproof.checks.cutover.reference.schedule import ANSWERS, CARRIED, LONGEST, ON_THE_WAY, ROAD
from cutproof.checks.cutover.reference.twin import BOUNDS, STUTTERS, Twin
from cutproof.checks.traces.trace import Step
from cutproof.impl import choices, mover
from cutproof.impl.choices import Choice
from cutproof.impl.clients import Write
from cutproof.impl.copies import Copy
from cutproof.impl.network import served
from cutproof.impl.node import Kind, Message, Replica
from cutproof.impl.record import LIVE, SEALED, Phase
from cutproof.model.cutover.mechanisms import ReplicaAck
from cutproof.model.cutover.policy import resolve
from cutproof.model.cutover.scopes import Scope, parse_scope

# Everything but what another scope shows better: expiry and the collection of tombstones.
SCOPE = (
    "documents=2,writes=6,attempts=2,aborts=1,deletes=1,reads=1,searches=1,late=1,losses=1,failures=1,"
    "failing_tasks=1,duplicates=1,crashes=1,strays=1,zombies=1,restarts=1,partitions=1,overlap=1,policy_change=1,skew=1"
)
REPLICAS = ",replica=1,repairs=1"
ACTS = 24  # of a run: what is drawn, each several steps
ON, CLIENT = 0.35, 0.3  # how often the migration goes on, or a client writes; else anything may happen
PHASES = (0, 0, 0, 0, 1, 1, 2, 4)  # by how many phases it goes on; 0: by a few steps
FATES = ("apply", "apply", "accept", "leave")  # of a write's message, if it does not fail
OUTCOMES = ("acknowledge", "acknowledge", "acknowledge", "time_out", "")
# Of the writes are followed at once by another one of the same document, and N gets the first one late.
OVERTAKEN = 0.3
OWN = 0.6  # of the kinds of faults may happen in a run
UNRATED = 0.05  # the rate of faults that have none of their own
FAULTY = 4.0  # a fault that is drawn as such strikes at so many times its rate
BOUND = {**BOUNDS, "clock skew": "skew", "stale router": "stale", "routing revert": ""}
WAY = (*STUTTERS, *ON_THE_WAY)
NOT_AT_RANDOM = frozenset({"abort", "give_up", "begin_another", "revert_routing"})
OVER = (Phase.CLEANUP, Phase.COMPLETE)
ENDED = (Phase.IDLE, Phase.COMPLETE, Phase.ABORTED)


def rated(rates: Rates) -> dict[str, float]:
    """The rate of each kind of fault, at whatever node; `UNRATED` for the rest.

    Two rates have no part here: the source fails as the others do, and clients give up late, or by `OUTCOMES`."""
    return {
        "failed delivery": rates.failures, "lost": rates.losses, "late": rates.lateness,
        "duplicated": rates.duplicates, "failed task": rates.task_failures, "crash": rates.crashes,
        "partition": rates.partitions, "clock skew": rates.skew, "stale router": rates.stale,
    }  # fmt: skip


def scope_of_runs(setup: Setup) -> Scope:
    """What may happen in a run: the scope of the setup, or all that this policy has room for."""
    return parse_scope(setup.scope or SCOPE + (REPLICAS if setup.policy.replicas else ""))


class Offer(NamedTuple):
    """Something that may happen. `about` is a choice of the implementation, or a request from outside."""

    action: str
    fault: str
    about: Choice | Step
    do: Callable[[], Any]


def _fault_of(step: Step) -> str:
    if step.action.endswith("_by_stale_router"):
        return "stale router"
    return "clock skew" if step.action.endswith("_by_slow_clock") else ""


class Walk:
    """One run. With `record`, `steps` gets each step by the specification's name."""

    def __init__(self, setup: Setup, number: int, record: bool = False) -> None:
        self.number, self.record = number, record
        self.random = setup.random(number)
        self.twin = Twin(scope_of_runs(setup), resolve(setup.policy, setup.without))
        self.shard = self.twin.shard
        self.network = self.shard.network
        self.rates = rated(setup.rates)
        scope = self.twin.scope
        bounded = {k: not bound or bool(getattr(scope, bound)) for k, bound in sorted(BOUND.items())}
        self.kinds = {kind: self.random.random() < OWN and may for kind, may in bounded.items()}
        self.aborts = self.random.random() < setup.rates.aborts
        self.counts = Counts(migrations=1)
        self.steps: list[Step] = []
        self.writes: list[Write] = []  # between DUAL and CLEANUP
        self.risky: set[int] = set()  # their `id`, as in `sample.count_answers`
        self.in_time: set[int] = set()
        self.promised: set[int] = set()
        self.early: dict[str, tuple[str, Copy]] = {}
        required = self.twin.mechanisms.replica_ack is ReplicaAck.REQUIRED
        others = [r for (group, _), r in sorted(self.shard.replicas.items()) if group and required]
        self.promising: list[Replica | None] = [None, *others]

    # -------------------------------------------------- steps

    def offers(self) -> list[Offer]:
        """What may happen now."""
        shard, twin = self.shard, self.twin
        found = [
            Offer(c.action, c.fault, c, partial(choices.step, c))
            for c in choices.enabled(shard)
            if twin._within(c)
        ]
        found += [Offer(step.action, _fault_of(step), step, do) for step, do in twin._outside()]
        return found

    def take(self, offer: Offer) -> None:
        """Let it happen, and look at what has become of the clients' writes."""
        if self.record and offer.action not in STUTTERS:
            about = offer.about
            self.steps.append(self.twin.label(about) if isinstance(about, Choice) else about)
        offer.do()
        shard = self.shard
        record = shard.record
        if offer.action.startswith("write"):
            write = next(reversed(shard.waiting))
            if record.phase in LIVE and record.phase not in OVER:
                self.writes.append(write)
            if record.phase in SEALED:
                self.risky.add(id(write))
        elif offer.action == "begin":
            self.counts.attempts += 1
            self.writes += [w for w in shard.waiting if w not in self.writes]
        elif offer.action == "seal":
            self.risky.update(map(id, shard.waiting))
        elif offer.action == "crash":
            self.counts.crashes += 1
        if self.network.answers:
            self._answered()
        self._look()

    def _answered(self) -> None:
        """A write that was acknowledged without N having it is at risk."""
        phase = self.shard.record.phase
        for write in self.network.answers:
            if write.acknowledged and phase in LIVE and phase not in OVER:
                self.in_time.add(id(write))
                self.promised.add(id(write.copy))
                target = self.shard.record.target
                if not any(write.done & bit for r, bit in write.route.sends if r.node.name == target):
                    self.risky.add(id(write))
        self.network.answers.clear()

    def _look(self) -> None:
        """What is missing at the owner now (and at R, where R must acknowledge), and what has vanished."""
        shard, early = self.shard, self.early
        for replica in self.promising:
            for key, kind in missing(shard, replica).items():
                acked = shard.histories[key].acked
                if acked is not None and (key not in early or early[key][1] is not acked):
                    early[key] = (kind, acked)
        if not self.counts.vanished:
            held = shard.owner.documents
            self.counts.vanished = int(any(
                h.shown is not None and served(held.get(k), h.shown) < h.shown.order
                for k, h in shard.histories.items()
            ))  # fmt: skip

    def first(self, wanted: Iterable[str]) -> bool:
        """Take the first of these actions that may happen now, and is no fault."""
        shard, twin = self.shard, self.twin
        first: dict[str, Choice] = {}
        for choice in choices.enabled(shard):
            if not choice.fault and choice.action not in first and twin._within(choice):
                first[choice.action] = choice
        for action in wanted:
            if action in first:
                self.choose(first[action])
                return True
            if action == "begin" and twin._may_begin():
                self.take(Offer(action, "", Step(action, {}), twin._begin))
                return True
        return False

    def on(self) -> bool:
        """One step that brings the coordinator on: its own, its messages', then what was accepted."""
        shard = self.shard
        mine = [
            Choice(choices.name_of(shard, c), shard, (c,))
            for c in mover.wants(shard)
            if mover.can_perform(shard, c)
        ]
        if mine:
            self.choose(min(mine, key=lambda c: WAY.index(c.action)))
            return True
        for message in self.network.under_way():
            if message.kind in (Kind.PAGE, Kind.DELTA) and (action := self._arrival(message)):
                self.choose(Choice(action, shard, (message,)))
                return True
        return self.first((*WAY, "apply"))

    def choose(self, choice: Choice) -> None:
        """Let a choice of the implementation happen."""
        self.take(Offer(choice.action, choice.fault, choice, lambda: choices.step(choice)))

    def _arrival(self, message: Message) -> str:
        """What becomes of a message if nothing goes wrong; empty if it can't arrive now."""
        if message.queued:
            return "apply"
        if message.replica.is_fenced(message):
            return "" if message.replica.node.cut else "refuse"
        return "accept" if self.network.can_arrive(message) else ""

    # -------------------------------------------------- what is drawn

    def run(self) -> Counts:
        """The whole run, to its end."""
        draw = self.random
        abort_at = draw.randrange(ACTS) if self.aborts else -1
        for act in range(ACTS):
            if act == abort_at:
                self._give_up()
            x = draw.random()
            if x < ON:
                self._go_on(draw.choice(PHASES))
            elif x < ON + CLIENT:
                self._client()
            else:
                self._anything()
        self._end()
        return self.counts

    def _go_on(self, phases: int) -> None:
        if phases == 0:
            for _ in range(self.random.randrange(1, 5)):
                self.on()
            return
        phase = self.shard.record.phase
        here = ROAD.index(phase) if phase in ROAD[:-1] else -1
        there = ROAD[min(here + phases, len(ROAD) - 1)]
        for _ in range(LONGEST):
            if self.shard.record.phase is there or not self.on():
                return

    def _give_up(self) -> None:
        """The attempt is aborted. Mostly N is wiped at once; what was sent may still land."""
        if self.first(("abort",)) and self.random.random() < 0.7:
            self.first(("wipe",))

    def _strikes(self, kind: str) -> bool:
        return self.kinds[kind] and self.random.random() < self.rates.get(kind, UNRATED)

    def _client(self) -> None:
        """A client writes, through some router; what becomes of the messages; what it is told."""
        draw = self.random
        offers = [o for o in self.offers() if o.action.startswith("write")]
        fault = next((k for k in ("stale router", "clock skew") if self._strikes(k)), "")
        mine = [o for o in offers if o.fault == fault] or [o for o in offers if not o.fault]
        if not mine:
            self._anything()
            return
        first = self._write(draw.choice(mine), overtaken := draw.random() < OVERTAKEN)
        if overtaken and first is not None and first.answered:
            doc = f"doc={self.twin.names.doc_of(first.copy)},"
            if again := [o for o in self.offers() if o.action == "write" and doc in str(o.about)]:
                self._write(draw.choice(again), False)

    def _write(self, offer: Offer, overtaken: bool) -> Write | None:
        """A client's write, what becomes of its messages, and what it is told; the owner alone has an overtaken one."""
        draw = self.random
        self.take(offer)
        write = next(reversed(self.shard.waiting), None)
        if write is None:
            return None
        sends = list(write.route.sends)
        draw.shuffle(sends)
        for replica, _ in sends:
            fate = self._fate()
            if overtaken:
                fate = ("accept", "apply") if replica.owns else ()
            for action in fate:
                self._message(action, write, replica)
        outcome = "time_out" if self._strikes("late") else draw.choice(OUTCOMES)
        if outcome == "acknowledge" and not write.answered and write.enough[write.done]:
            self.choose(Choice("acknowledge", self.shard, (write,)))
        elif outcome == "time_out" and not write.answered and write.pending and self.kinds["late"]:
            self.choose(Choice("time_out", self.shard, (write,), "late"))
        return write

    def _fate(self) -> tuple[str, ...]:
        for kind, action in (("failed delivery", "delivery_fails"), ("lost", "delivery_is_lost")):
            if self._strikes(kind):
                return (action,)
        accept = "accept_duplicate" if self._strikes("duplicated") else "accept"
        if self._strikes("failed task"):
            return (accept, "task_fails")
        return {"apply": (accept, "apply"), "accept": (accept,), "leave": ()}[self.random.choice(FATES)]

    def _message(self, action: str, write: Write, replica: Replica) -> None:
        """Something becomes of a write's message to a replica, if it can."""
        mine = (m for m in self.network.under_way() if m.write is write and m.replica is replica)
        message = next(mine, None)
        if message is None:
            return
        arrives = self._arrival(message)
        able = {"apply": arrives == "apply", "task_fails": arrives == "apply", "accept": arrives == "accept"}
        if able.get(action, arrives == "accept" if action == "accept_duplicate" else not message.queued):
            self.choose(Choice(action, self.shard, (message,)))

    def _anything(self) -> None:
        """Any step but those that clients and operators take: a fault, if one strikes, or another one."""
        draw = self.random
        kinds: dict[str, list[Offer]] = {}
        struck: dict[str, list[Offer]] = {}
        for offer in self.offers():
            if offer.action.startswith("write") or (offer.action in NOT_AT_RANDOM and not offer.fault):
                continue
            (struck if offer.fault else kinds).setdefault(offer.action, []).append(offer)
        able = [a for a, offers in sorted(struck.items()) if self.kinds[offers[0].fault]]
        if able:
            action = draw.choice(able)
            rate = self.rates.get(struck[action][0].fault, UNRATED)
            if draw.random() < min(1.0, FAULTY * rate):
                self.take(draw.choice(struck[action]))
                return
        if kinds:
            self.take(draw.choice(kinds[draw.choice(sorted(kinds))]))

    # -------------------------------------------------- the end

    def _end(self) -> None:
        """Nothing goes wrong any more."""
        for _ in range(4 * LONGEST):
            if not self.first(self._ending()):
                break
        else:
            self.counts.stuck = 1
        self._count()

    def _ending(self) -> Iterator[str]:
        yield from (*STUTTERS, "heal", *CARRIED, *ANSWERS)
        yield from (a for a in ON_THE_WAY if a != "begin" or self.shard.record.phase is Phase.IDLE)
        yield from ("repair", "repair_expired", "sweep")

    def _count(self) -> None:
        counts, shard = self.counts, self.shard
        record, costs = shard.record, shard.costs
        counts.finished = int(record.phase is Phase.COMPLETE)
        counts.aborted = int(record.phase is Phase.ABORTED)
        counts.stuck = int(bool(counts.stuck) or record.phase not in ENDED)
        count_answers(counts, self.writes, self.in_time, self.risky)
        count_unserved(counts, shard)
        count_losses(counts, shard, self.number, self.early, self.promised)
        counts.copied, counts.repaired_by_delta = costs.documents_copied, costs.documents_repaired_by_delta
        counts.repaired_by_anti_entropy = costs.documents_repaired_by_anti_entropy
        counts.stale_reads, counts.wrong_searches = shard.stale_reads, shard.wrong_searches
        counts.seen["SR"] |= counts.vanished


def migrate(setup: Setup, number: int) -> Counts:
    """One run; the same everywhere for the same setup and number."""
    return Walk(setup, number).run()
