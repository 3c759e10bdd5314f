"""The cluster: what a stranger drives.

    from cutproof.impl import Cluster
    cluster = Cluster(nodes=["old-0"], shards=3, seed=7)
    cluster.put("doc-1", {"title": "a"})
    migration = cluster.add_node("new-3")
    cluster.faults.fail("new-3", every=50)
    cluster.run_until(migration.finished)
    cluster.get("doc-1"), cluster.audit()

Everything is in memory and deterministic: the same seed and the same calls give the same states. Nothing happens by
itself; `step` does one thing of those that `enabled` lists, drawn by the seed or chosen by the caller.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import xxhash

from cutproof.impl import anti_entropy, choices, mover
from cutproof.impl.audit import Audit, audit
from cutproof.impl.choices import Choice
from cutproof.impl.clients import Read, Route, Search, Status, Write
from cutproof.impl.copies import Content, Copy
from cutproof.impl.documents import check_id, taken
from cutproof.impl.faults import Faults
from cutproof.impl.migration import Migration
from cutproof.impl.miroir import GATES, NotRepaired, check_policy
from cutproof.impl.network import Network
from cutproof.impl.node import Node
from cutproof.impl.record import LIVE, Phase
from cutproof.impl.routing import RF, SHARDS, assign, displaced, shard_of
from cutproof.impl.shard import Costs, Shard
from cutproof.impl.state import state_of
from cutproof.impl.table import Table
from cutproof.model.cutover.mechanisms import AntiEntropy
from cutproof.model.cutover.policy import Policy, resolve

STEPS = 10_000_000  # of a run that has no limit of its own
PASS = 2_000  # steps between two anti-entropy passes of the seeded scheduler


class Stuck(RuntimeError):
    """Nothing can happen, or not within the limit, and what was waited for has not come."""


class Unavailable(RuntimeError):
    """A read or a search was refused or can't be answered now; try again, or heal what is cut off."""


class Snapshot:
    """A cluster as it was, kept in memory. It can't be written to a file: reading one back would run what is in it."""

    __slots__ = ("_state",)

    def __init__(self, state: bytes) -> None:
        self._state = state

    def __reduce__(self) -> str:
        raise TypeError("a snapshot stays in memory: keep the seed and the calls, they give the same states")


class Cluster:
    """Some nodes, in one replica group (a list of names) or several (a list of lists), and the shards on them.

    `rf` replicas of each shard in each group (Miroir's 2, or 1 where a group has one node); `policy` is what the
    operator sets, judged by `gate` ("sound", "seed" or None) when a migration begins, and when it is changed while one
    lives; `without` removes safeguards by name; `pages` cuts a shard's key space for copying; `drain_timeout` is in
    steps, None waits for ever; `passes` are the steps between two anti-entropy passes. Raises ValueError for what
    can't be."""

    def __init__(
        self,
        nodes: Sequence[str] | Sequence[Sequence[str]],
        shards: int = SHARDS,
        rf: int | None = None,
        seed: int = 0,
        *,
        policy: Policy | None = None,
        without: Iterable[str] = (),
        gate: str | None = "sound",
        pages: int = 16,
        drain_timeout: int | None = None,
        collects: bool = False,
        passes: int = PASS,
    ) -> None:
        groups = _groups(nodes)
        self.rf = rf if rf is not None else min(RF, *(len(g) for g in groups))
        if shards < 1 or pages < 1 or passes < 1:
            raise ValueError(f"shards={shards}, pages={pages}, passes={passes}: each is 1 or more")
        if not 1 <= self.rf <= min(len(g) for g in groups):
            raise ValueError(
                f"rf={self.rf} with {min(len(g) for g in groups)} nodes in a group; add nodes, or lower it"
            )
        if gate is not None and gate not in GATES:
            raise ValueError(f"gate={gate!r}: there are {', '.join(map(repr, GATES))} and None")
        self.policy = _fitting(policy, self.rf * len(groups) > 1)
        self.without = tuple(without)
        self.mechanisms = resolve(self.policy, self.without)
        self.gate = gate
        self.drain_timeout = drain_timeout
        self.now = 0.0  # seconds, for what expires
        self.network = Network(seed)
        self.nodes = {name: Node(name) for group in groups for name in group}
        self.groups = [list(group) for group in groups]
        table = None if self.mechanisms.delta_always else Table(self.mechanisms)
        for number in range(shards):
            members = tuple(assign(number, group, self.rf) for group in groups)
            self.network.shards.append(
                Shard(number, self.network, members, self.nodes, self.mechanisms, pages, collects, table)
            )
        self.migrations: list[Migration] = []
        self.views: dict[str, dict[int, Route]] = {}  # routers that know an older record, by name
        self.slow: set[str] = set()  # routers whose clock is slow
        self.passes = self.next_pass = passes
        self.moving: list[Shard] = []  # shards whose coordinator may have something to do

    @property
    def shards(self) -> list[Shard]:
        """The shards, by number."""
        return self.network.shards

    @property
    def faults(self) -> Faults:
        """What can be made to go wrong."""
        return Faults(self)

    def shard(self, key: str) -> Shard:
        """The shard of a document."""
        shards = self.network.shards
        return shards[shard_of(key, len(shards)) if len(shards) > 1 else 0]

    # -------------------------------------------------- clients

    def submit(
        self,
        key: str,
        content: Content | None,
        *,
        ttl: float | None = None,
        router: str = "",
        partial: bool = False,
    ) -> Write:
        """Send a write (a delete where `content` is None) and don't wait: step the cluster until it is `answered`.

        `ttl` in seconds; `partial` merges into what is there. Raises ReservedField or InvalidDocument."""
        check_id(key)
        if ttl is not None and ttl < 0:
            raise ValueError(f"ttl={ttl}: a document expires after 0 seconds or more")
        if content is not None:
            content = taken(content)
        shard = self.shard(key)
        route = self.views[router].get(shard.number) if router in self.views else None
        expires = None if ttl is None else self.now + ttl
        return shard.submit(key, content, expires, route, router in self.slow, partial)

    def put(self, key: str, content: Content, *, ttl: float | None = None, router: str = "") -> Write:
        """Write a whole document, and step until the client has its answer: see `Write.status`."""
        return self._answered(self.submit(key, content, ttl=ttl, router=router))

    def update(self, key: str, patch: Content, *, router: str = "") -> Write:
        """Merge some fields into a document, and step until the client has its answer."""
        return self._answered(self.submit(key, patch, router=router, partial=True))

    def delete(self, key: str, *, router: str = "") -> Write:
        """Delete a document, and step until the client has its answer."""
        return self._answered(self.submit(key, None, router=router))

    def _answered(self, write: Write) -> Write:
        try:
            self.run_until(lambda: write.answered)
        except Stuck:
            shard = self.network.shards[write.copy.history.shard]
            if write.status is Status.HELD:
                shard.give_up(write)
            else:
                shard.time_out(write)
        return write

    def get(self, key: str, *, router: str = "") -> dict[str, Any] | None:
        """What a client reads: the document, or None. Raises Unavailable where the node can't answer, or refuses."""
        shard = self.shard(check_id(key))
        route = self.views[router].get(shard.number) if router in self.views else None
        read: Read = shard.read(key, route)
        if not shard.can_answer(read):
            self._settle_request(
                lambda: shard.can_answer(read) or not shard.admits(read.route.serving, read.route.epoch)
            )
        if not shard.can_answer(read):
            shard.refuse_read(read)
            raise Unavailable(f"{key} can't be read from {read.route.serving.node.name} now")
        shard.answer_read(read)
        copy = read.answer
        if copy is None or copy.content is None or anti_entropy.expired(copy, self.now):
            return None
        return taken(copy.content)

    def search(
        self, matches: Callable[[dict[str, Any]], bool] = lambda document: True
    ) -> dict[str, dict[str, Any]]:
        """All documents that match, by id. Raises Unavailable where one shard fails: it never silently omits."""
        found: dict[str, Copy] = {}
        for shard in self.shards:
            search: Search = shard.search()
            while search.status is Status.WAITING:
                mine = [c for c in choices.requests(shard) if c.what[:1] == (search,)]
                if not mine or mine[0].action == "refuse_search":
                    shard.fail_search(search)
                    raise Unavailable(f"shard {shard.number} can't be searched now")
                choices.step(mine[0])
            found |= search.found
        live = {
            k: taken(c.content or {})
            for k, c in sorted(found.items())
            if not anti_entropy.expired(c, self.now)
        }
        return {key: document for key, document in live.items() if matches(document)}

    def _settle_request(self, done: Callable[[], bool]) -> None:
        """A target that is not open yet soon is: wait for it, as long as something can happen."""
        try:
            self.run_until(done)
        except Stuck:
            return

    # -------------------------------------------------- operators

    def add_node(self, name: str, group: int = 0) -> Migration:
        """A node joins a group: the shards that rendezvous hashing gives it move there.

        Raises UnsafeCutover where the gate refuses the policy, InvalidTransition while a shard that it should get moves
        already, NotRepaired where one's record has another policy that counts on repairs, and no pass was clean since
        (its replicas are fenced for that from now on), ValueError where the node or the group can't be."""
        if name in self.nodes:
            raise ValueError(f"node {name!r} is there already; choose another name, or move shards to it")
        self._check_group(group)
        moves = {
            s.number: out
            for s in self.shards
            if (out := displaced(s.number, s.record.members[group], name)) is not None
        }
        return self._begin(name, group, moves)

    def move(self, shards: Iterable[int], to: str, group: int = 0) -> Migration:
        """Move these shards from their owners to a node, which joins if it is new. Raises as `add_node`."""
        self._check_group(group)
        numbers = sorted(set(shards))
        if not all(0 <= n < len(self.shards) for n in numbers):
            raise ValueError(f"there are shards 0 to {len(self.shards) - 1}, not {numbers}")
        return self._begin(to, group, {n: self.shards[n].record.members[group][0] for n in numbers})

    def _check_group(self, group: int) -> None:
        if not 0 <= group < len(self.groups):
            raise ValueError(f"no replica group {group}: there are {len(self.groups)}, counted from 0")

    def _begin(self, target: str, group: int, moves: dict[int, str]) -> Migration:
        """Check everything, then begin: what is refused leaves nothing behind but, where repairs are owed, fences."""
        if self.gate is not None:
            check_policy(self.policy, GATES[self.gate])
        if not target:
            raise ValueError("a node has a name; give the target one")
        for number, source in moves.items():
            try:
                mover.check_begin(shard := self.shards[number], target, group, source, self.mechanisms)
            except NotRepaired:
                shard.plans_another = True
                self.moving = list(dict.fromkeys([*self.moving, shard]))
                raise
        if target not in self.nodes:
            self.nodes[target] = Node(target)
            self.groups[group].append(target)
        self._record_policy(self.shards[number] for number in moves)
        migration = Migration(self, len(self.migrations), target, group, moves)
        self.migrations.append(migration)
        migration.begin()
        return migration

    def change_policy(self, policy: Policy) -> None:
        """Set what migrations begin under from now on; one that lives, or is retried, keeps the copy in its record.

        The gate judges the policy when one begins, and now if one lives: then raises UnsafeCutover where it refuses,
        and nothing changes. Raises ValueError for a policy that can't be. Without the safeguard `policy_is_recorded`
        the record keeps no copy of its own: every shard feels the change at once."""
        policy = _fitting(policy, self.policy.replicas)
        if self.gate is not None and any(s.record.live for s in self.shards):
            check_policy(policy, GATES[self.gate])
        self.policy, self.mechanisms = policy, resolve(policy, self.without)
        if not self.mechanisms.policy_is_recorded:
            self._record_policy(self.shards)

    def _record_policy(self, shards: Iterable[Shard]) -> None:
        for shard in shards:
            shard.change(shard.record, mechanisms=self.mechanisms)

    def advance(self, seconds: float) -> None:
        """Let the clock go on; it matters only to what expires."""
        if seconds < 0:
            raise ValueError(f"seconds={seconds}: the clock only goes forward")
        self.now += seconds

    def repair(self) -> int:
        """An anti-entropy pass over all shards: sends what it finds, and returns how much that was."""
        sent = 0
        for shard in self.shards:
            for found in list(anti_entropy.find(shard, self.now)):
                anti_entropy.send(shard, found)
                sent += 1
            if anti_entropy.may_end_clean(shard) and not anti_entropy.under_way(shard):
                anti_entropy.end_clean(shard)
        return sent

    def differences(self) -> list[anti_entropy.Repair]:
        """What a pass finds now, whether it repairs or only alerts."""
        return [found for shard in self.shards for found in anti_entropy.report(shard)]

    # -------------------------------------------------- stepping

    def enabled(self, faults: bool = True) -> list[Choice]:
        """Everything that may happen next, in an order that depends on nothing but the state."""
        return [c for s in self.shards for c in choices.enabled(s, self.now) if faults or not c.fault]

    def step(self, choice: Choice | None = None) -> bool:
        """Do one thing: the given choice, or one drawn by the seed. False if nothing can happen.

        Raises ValueError for a choice that can't happen now.

        The seed draws deliveries, tasks, answers, what coordinators want, and anti-entropy passes that repair. It does
        not draw faults, sweeps of expired documents or the collection of tombstones, and no client gives up: choose
        those, or ask for them by name."""
        if choice is not None:
            if choice not in choices.enabled(choice.shard, self.now):
                raise ValueError(f"{choice} can't happen now; enabled() lists what can")
            choices.step(choice)
            return True
        network = self.network
        total = len(network.pool) + len(self.moving)
        if total and int(network.random.random() * total) < len(network.pool):
            network.tick()
            return True
        network.steps += 1
        if network.steps >= self.next_pass:
            self.next_pass = network.steps + self.passes
            if any(s.record.mechanisms.anti_entropy is not AntiEntropy.OFF for s in self.shards):
                self.repair()
        # A pass that ends clean sends nothing, and lets the coordinator go on.
        return self.turn() or bool(network.pool) or self.repair() > 0 or self.turn()

    def turn(self) -> bool:
        """One of the coordinators, drawn by the seed, does one of the things that it wants done; False if none could.

        With `network.tick`, which lets one thing that is under way go on, a caller can pace the two by itself."""
        moving = self.moving
        start = int(self.network.random.random() * len(moving)) if moving else 0
        return any(self._turn(shard) for shard in moving[start:] + moving[:start])

    def _turn(self, shard: Shard) -> bool:
        """The coordinator of a shard does one of the things that it wants done; whether it could."""
        if not (mover.is_busy(shard) or mover.owes_fences(shard)):
            self.moving.remove(shard)
            return False
        timeout = self.drain_timeout
        draining = shard.record.phase in (Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET)
        if timeout is not None and draining and self.network.steps - shard.sealed_at > timeout:
            shard.timed_out = True
            mover.abort(shard)
            return True
        commands = mover.wants(shard)
        start = int(self.network.random.random() * len(commands)) if commands else 0
        return any(mover.perform(shard, c) for c in commands[start:] + commands[:start])

    def run(self, steps: int) -> int:
        """Step so many times, or until nothing can happen; returns how many."""
        return next((n for n in range(steps) if not self.step()), steps)

    def run_until(self, condition: Callable[[], object], limit: int = STEPS) -> int:
        """Step until the condition is true; returns how many steps it took. Raises Stuck."""
        for n in range(limit):
            if condition():
                return n
            if not self.step():
                raise Stuck(self._why())
        if condition():
            return limit
        raise Stuck(f"not within {limit:,} steps: {self._why()}")

    def settle(self) -> int:
        """Step until nothing is under way and no coordinator goes on, or nothing can happen; returns how many."""
        steps = 0
        while (self.network.pool or self.moving) and self.step():
            steps += 1
        return steps

    def _why(self) -> str:
        cut = [n.name for n in self.nodes.values() if n.cut]
        phases = sorted({s.record.phase.value for s in self.shards if s.record.phase in LIVE})
        parts = [f"cut off: {', '.join(cut)}"] if cut else []
        parts += [f"migrations are in {', '.join(phases)}"] if phases else ["no migration lives"]
        return "nothing can happen; " + "; ".join(parts)

    # -------------------------------------------------- looking

    def audit(self) -> Audit:
        """What became of every acknowledged operation, counted where clients read, and whether they are served."""
        return audit(self.shards, self.now)

    @property
    def costs(self) -> Costs:
        """The cost of safety: writes held, refused and failed, steps sealed, documents copied and repaired."""
        return sum((s.costs for s in self.shards), Costs())

    def fingerprint(self) -> int:
        """64 bits of everything that matters for what happens next, the scheduler's draws apart (xxh3)."""
        changed = [
            (s.number, s.record.mechanisms) for s in self.shards if s.record.mechanisms != s.mechanisms
        ]
        ahead = [self.mechanisms] if any(s.mechanisms != self.mechanisms for s in self.shards[:1]) else []
        return xxhash.xxh3_64_intdigest(repr((*map(state_of, self.shards), *changed, *ahead)).encode())

    def snapshot(self) -> Snapshot:
        """The cluster as it is, for `restore`."""
        return Snapshot(pickle.dumps(self.__dict__, protocol=pickle.HIGHEST_PROTOCOL))

    def restore(self, snapshot: Snapshot) -> None:
        """Be what the snapshot was taken of. Handles that were given out before belong to what was; take new ones from
        `migrations`. Raises TypeError for anything but a snapshot."""
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"restore takes what snapshot() gave, not {type(snapshot).__name__}")
        self.__dict__ = pickle.loads(snapshot._state)
        for migration in self.migrations:
            migration.cluster = self


def _groups(nodes: Sequence[str] | Sequence[Sequence[str]]) -> list[list[str]]:
    if isinstance(nodes, str) or not nodes:
        raise ValueError("nodes is a list of names, or a list of such lists, one a replica group")
    plain = all(isinstance(n, str) for n in nodes)
    groups: list[list[str]] = [list(nodes)] if plain else [list(g) for g in nodes]  # type: ignore[arg-type]
    names = [n for g in groups for n in g]
    if len(set(names)) < len(names) or not all(groups) or not all(isinstance(n, str) and n for n in names):
        raise ValueError(f"nodes={nodes!r}: each group has nodes, and each node has a name of its own")
    return groups


def _fitting(policy: Policy | None, replicas: bool) -> Policy:
    """The policy with the fact of the topology in it."""
    return replace(policy or Policy(), replicas=replicas)
