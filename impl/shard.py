"""One shard: its durable record and sequencer, its replicas, the routes to them, and its clients' requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cutproof.impl.clients import Read, Route, Search, Status, Write, route_of
from cutproof.impl.coordinator import Coordinator, PageFailed
from cutproof.impl.copies import Content, Copy, History, is_put, order_of
from cutproof.impl.documents import merge
from cutproof.impl.network import WAITING, Network, falls_short, served
from cutproof.impl.node import Kind, Message, Node, Replica, Rules, page_of
from cutproof.impl.record import SEALED, Phase, Record, RecordStore, Sequencer, Stage
from cutproof.impl.table import Table
from cutproof.model.cutover.mechanisms import Mechanisms

WRITE, DUAL = Kind.WRITE, Stage.DUAL  # looked up for every write: see `network.WAITING`


@dataclass(slots=True)
class Costs:
    """The cost of safety, counted. Steps are the scheduler's, documents are copies that were sent."""

    writes: int = 0
    acknowledged: int = 0
    failed: int = 0  # the outcome is unknown, time-outs included
    refused: int = 0  # nothing of it was applied
    held: int = 0  # writes that had to wait for a sealed shard
    sealed_steps: int = 0
    pages_sent: int = 0
    documents_copied: int = 0
    documents_repaired_by_delta: int = 0
    documents_repaired_by_anti_entropy: int = 0
    reads_refused: int = 0
    searches_failed: int = 0
    migrations_aborted: int = 0

    def __add__(self, other: Costs) -> Costs:
        return Costs(*(getattr(self, n) + getattr(other, n) for n in self.__slots__))

    def __str__(self) -> str:
        counted = [(n.replace("_", " "), getattr(self, n)) for n in self.__slots__]
        return ", ".join(f"{number:,} {name}" for name, number in counted if number)


class Shard:
    """See the module. `members` are the nodes of each replica group; `pages` cuts the key space for copying."""

    def __init__(
        self,
        number: int,
        network: Network,
        members: tuple[tuple[str, ...], ...],
        nodes: dict[str, Node],
        mechanisms: Mechanisms,
        pages: int,
        collects: bool = False,
        table: Table | None = None,
    ) -> None:
        self.number = number
        self.network = network
        self.nodes = nodes
        self.rules = Rules(mechanisms)
        self.mechanisms = mechanisms
        self.pages = pages
        self.collects = collects
        self.table = table
        self.store_of_record = RecordStore(Record(Phase.IDLE, 0, members, mechanisms=mechanisms))
        self.sequencer = Sequencer(mechanisms.sequencer_durable)
        self.replicas: dict[tuple[int, str], Replica] = {}
        self.places: dict[str, Replica] = {}  # what `at` found, until the record is another
        self.histories: dict[str, History] = {}
        self.waiting: dict[Write, None] = {}
        self.held: list[Write] = []
        self.requests: dict[Write, tuple[str, Content | None, float | None, bool]] = {}
        self.reads: list[Read] = []
        self.searches: list[Search] = []
        self.costs = Costs()
        self.sealed_at = 0
        self.timed_out = False  # the last attempt was given up because it drained for too long
        self.sent: list[Any] = []  # fences, wipes and deletions that may still land
        self.rival: Record | None = None  # of an earlier migration that goes on under a record of its own
        self.switched_off = False  # anti-entropy, by somebody who asked nobody
        self.plans_another = False  # an operator waits to begin under another policy: the replicas are fenced
        self.changed = False  # the next one begins without anti-entropy
        self.stale_reads = 0
        self.wrong_searches = 0
        self.routes: dict[int, Route] = {}
        for group, names in enumerate(members):
            for name in names:
                self.add_replica(group, name)
        self.coordinator = Coordinator(pages)
        self._enter(self.record)

    # -------------------------------------------------- the record

    @property
    def record(self) -> Record:
        """The durable record, as it is now."""
        return self.store_of_record.value

    def add_replica(self, group: int, name: str) -> Replica:
        """Room for the shard on a node; what is there already stays."""
        node = self.nodes[name]
        replica = node.replicas.get((group, self.number))
        if replica is None:
            replica = Replica(node, group, self.number, self.rules, self.pages)
            node.replicas[group, self.number] = replica
        self.replicas[group, name] = replica
        self.places.clear()
        return replica

    def at(self, name: str) -> Replica:
        """The replica on a node, in the group in which the shard moves, or else in its own group."""
        found = self.places.get(name)
        if found is None:
            record = self.record
            found = self.replicas.get((record.group, name))
            if found is None or name not in (record.source, record.target, *record.members[record.group]):
                found = next(r for (_, n), r in self.replicas.items() if n == name)
            self.places[name] = found
        return found

    def change(self, expected: Record, **changes: Any) -> bool:
        """Change the record by compare-and-set; False if it was not the expected one any more."""
        new = expected.with_(**changes)
        if not self.store_of_record.compare_and_set(expected, new):
            return False
        self._enter(new, expected)
        return True

    def _enter(self, record: Record, before: Record | None = None) -> None:
        """What follows from a record: the current route, who is visible, and which writers may go on."""
        self.places.clear()
        if before is None or (record.epoch, record.members) != (before.epoch, before.members):
            self.route = route_of(record, self.replicas)
            self.routes[record.epoch] = self.route
            for replica in self.replicas.values():
                replica.owns = False
            self.owner = self.replicas[0, record.owner]
            self.owner.owns = True
        if before is not None and record.phase is Phase.ACTIVATE and before.phase is not Phase.ACTIVATE:
            for copy in self.owner.documents.values():
                shown = copy.history.shown
                if shown is None or served(copy, shown) > shown.order:
                    copy.history.shown = copy
        was_sealed = before is not None and before.phase in SEALED
        if record.phase in SEALED and not was_sealed:
            self.sealed_at = self.network.steps
        elif was_sealed and record.phase not in SEALED:
            self.costs.sealed_steps += self.network.steps - self.sealed_at
        if self.held and not self.route.held:
            self.release()

    # -------------------------------------------------- writes

    def history(self, key: str) -> History:
        """What is remembered of a document."""
        found = self.histories.get(key)
        if found is None:
            found = self.histories[key] = History(key, self.number)
        return found

    def submit(
        self,
        key: str,
        content: Content | None,
        expires: float | None = None,
        route: Route | None = None,
        slow: bool = False,
        partial: bool = False,
    ) -> Write:
        """A router dispatches a client's write: a version is drawn, and it goes to every target of the route.

        `content` None deletes; `partial` merges into what the owner holds. `slow`: the router's clock is slow. The
        write is held while the shard is sealed, and a partial one while another write of the document waits."""
        if route is None:
            route = self.route
        history = self.histories.get(key)
        if history is None:
            history = self.histories[key] = History(key, self.number)
        self.costs.writes += 1
        if route.held or (partial and history.waiting):
            return self._hold(key, content, expires, route, partial)
        if partial and self.mechanisms.whole_documents:
            content = self._merged(key, content)
        order = history.issued = (history.issued | 1) + 1
        epoch = self.store_of_record.value.epoch
        copy = Copy(key, self.sequencer.draw(epoch, slow), content, order, history, expires)
        history.operations.append(copy)
        write = Write(copy, route)
        self._dispatch(write, route, history)
        return write

    def _dispatch(self, write: Write, route: Route, history: History) -> None:
        if route.stage is DUAL and not self.mechanisms.dual_until_seal and self._copied(route):
            route = write.route = route_of(self.record, self.replicas, alone=True)
            write.enough, write.alone = route.enough, True
        history.waiting += 1
        self.waiting[write] = None
        copies, epoch, pool = (write.copy,), route.epoch, self.network.pool
        write.pending = route.written
        for replica, bit in route.sends:
            pool.append(Message(WRITE, replica, copies, epoch, write, bit))

    def _copied(self, route: Route) -> bool:
        """Every page of this shard has landed, and the epoch is still DUAL."""
        record = self.record
        return record.phase is Phase.COPY and record.cursor >= self.pages and record.epoch == route.epoch

    def _merged(self, key: str, patch: Content | None) -> Content | None:
        stored = self.owner.documents.get(key)
        if patch is None or stored is None or stored.content is None:
            return patch
        return merge(stored.content, patch)

    def _hold(
        self, key: str, content: Content | None, expires: float | None, route: Route, partial: bool
    ) -> Write:
        write = Write(Copy(key, (0, 0, 0), content, 0, self.history(key), expires), route)
        write.status = Status.HELD
        self.costs.held += 1
        self.requests[write] = (key, content, expires, partial)
        self.held.append(write)
        return write

    def release(self) -> None:
        """Writers that were held go on, by the route as it is now, in the order in which they came."""
        held, self.held = self.held, []
        for write in held:
            key, content, expires, partial = self.requests[write]
            history = self.history(key)
            if self.route.held or (partial and history.waiting):
                self.held.append(write)
                continue
            del self.requests[write]
            if partial and self.mechanisms.whole_documents:
                content = self._merged(key, content)
            order = history.issued = (history.issued | 1) + 1
            write.copy = Copy(key, self.sequencer.draw(self.record.epoch), content, order, history, expires)
            history.operations.append(write.copy)
            write.route, write.enough, write.status = self.route, self.route.enough, Status.WAITING
            self._dispatch(write, self.route, history)

    def give_up(self, write: Write) -> None:
        """A write that was held is refused: it was never sent."""
        self.held.remove(write)
        del self.requests[write]
        write.status = Status.REFUSED
        self.costs.refused += 1
        self.network.answers.append(write)

    def answer(self, write: Write) -> None:
        """The client gets its acknowledgement or its error, if one can be given."""
        if write.status is not WAITING:
            return
        if write.enough[write.done]:
            self.acknowledge(write)
        elif write.pending == 0:
            self.fail(write)

    def acknowledge(self, write: Write) -> None:
        """It succeeded where it must: the client is told so."""
        copy = write.copy
        history = copy.history
        if history.acked is None or copy.order > history.acked.order:
            history.acked = copy
        self.costs.acknowledged += 1
        self._answered(write, Status.ACKNOWLEDGED)

    def fail(self, write: Write) -> None:
        """Every target has answered, not as it must."""
        clean = write.refusals == write.route.written
        if clean:
            self.costs.refused += 1
        else:
            self.costs.failed += 1
        self._answered(write, Status.REFUSED if clean else Status.FAILED)

    def time_out(self, write: Write) -> None:
        """The client gives up waiting; what is under way may land after anything."""
        self.costs.failed += 1
        self._answered(write, Status.TIMED_OUT)

    def _answered(self, write: Write, status: Status) -> None:
        write.status = status
        if write.due:
            write.due = False
            self.network.pool.remove(write)
        del self.waiting[write]
        history = write.copy.history
        history.waiting -= 1
        self.network.answers.append(write)
        if self.held and not history.waiting and not self.route.held:
            self.release()

    # -------------------------------------------------- what nodes apply

    def store(self, replica: Replica, kind: Kind, copy: Copy) -> None:
        """A node applies one copy; superseded and duplicate ones change nothing."""
        key, history = copy.key, copy.history
        stored = replica.documents.get(key)
        if not replica.would_land(kind, copy, stored):
            return
        becomes = replica.becomes(copy, stored) if kind is Kind.WRITE else copy
        if kind is not Kind.WRITE and copy.content is None and not self.mechanisms.tombstones:
            becomes = None
        if replica.owns:
            self.becomes_visible(copy, stored)
        if becomes is None:
            replica.documents.pop(key, None)
        else:
            replica.documents[key] = becomes
        acked, missing = history.acked, replica.fields_missing
        if kind is not Kind.WRITE:
            lacks = key in self.replicas[self.record.group, self.record.source].fields_missing
            (missing.add if lacks else missing.discard)(key)
        elif not self.mechanisms.whole_documents and order_of(stored) < order_of(acked) < copy.order:
            missing.add(key)  # merged into a copy that lacks what was acknowledged

    def becomes_visible(self, copy: Copy, stored: Copy | None) -> None:
        """The owner stores a copy: whoever reads now sees it."""
        history, order = copy.history, copy.order
        acked = history.acked
        if acked is not None and order >= acked.order > served(stored, history.shown):
            history.healed = True
        if history.shown is None or order > history.shown.order:
            history.shown = copy

    def coordinator_hears_of_failure(self, message: Message) -> None:
        """A page of the coordinator was refused, or failed."""
        reaction = self.coordinator.react(self.record, PageFailed(message.kind, message.page))
        if reaction is not None:
            self.coordinator.awaits = reaction.awaits
            self.change(self.record, **reaction.changes)

    # -------------------------------------------------- reads

    def read(self, key: str, route: Route | None = None) -> Read:
        """A client reads; what was acknowledged by now is the floor of the answer."""
        history = self.histories.get(key)
        found = Read(key, route or self.route, 0 if history is None else order_of(history.acked))
        self.reads.append(found)
        return found

    def admits(self, replica: Replica, epoch: int) -> bool:
        """The request's epoch is not below the node's fence."""
        return epoch >= replica.fence or not self.mechanisms.fence_epoch

    def can_answer(self, read: Read) -> bool:
        """The node admits the read, is open to clients and can be reached."""
        return self.would_admit(read.route.serving, read.route.epoch)

    def answer_read(self, read: Read) -> None:
        """The node answers with what it has applied."""
        history = self.histories.get(read.key)
        stored = read.route.serving.documents.get(read.key)
        read.answer, read.status = stored, Status.ACKNOWLEDGED
        self.reads.remove(read)
        if history is not None and falls_short(stored, history, read.floor):
            self.stale_reads += 1

    def refuse_read(self, read: Read) -> None:
        """The node refuses a read of an epoch below its fence."""
        read.status = Status.REFUSED
        self.reads.remove(read)
        self.costs.reads_refused += 1

    # -------------------------------------------------- searches

    def search(self, route: Route | None = None) -> Search:
        """A client searches all documents of the shard: on the owner that the route names, or, if nodes do not filter
        by owned shards, on every node of the home group."""
        route = route or self.route
        nodes = self.searched(route)
        floors = {key: order_of(h.acked) for key, h in self.histories.items()}
        found = Search(route.epoch, nodes, floors)
        self.searches.append(found)
        return found

    def searched(self, route: Route) -> list[Replica]:
        """The replicas that a search by this route asks."""
        if self.mechanisms.search_filters_owned:
            return [route.serving]
        return [r for (group, _), r in self.replicas.items() if group == 0]

    def would_admit(self, replica: Replica, epoch: int) -> bool:
        """The node admits a request of this epoch, is open to clients and can be reached."""
        return self.admits(replica, epoch) and replica.is_open(epoch) and not replica.node.cut

    def admit_search(self, search: Search, replica: Replica) -> None:
        """From now on it runs on this node to its end."""
        search.places[replica] = 0

    def step_search(self, search: Search, replica: Replica) -> None:
        """It looks at the next page of a node."""
        page = search.places[replica]
        filtered = self.mechanisms.search_filters_owned
        there = {c.key: c for c in replica.page(page)}
        for key in sorted(self.keys_of(page)):
            copy, history, floor = there.get(key), self.histories[key], search.floors.get(key, 0)
            low = falls_short(copy, history, floor)
            if is_put(copy):
                self.wrong_searches += key in search.found or low
                search.found[key] = copy  # type: ignore[assignment]
            elif low and filtered and not self._was_deleted(history, floor):
                self.wrong_searches += 1
        if page + 1 < self.pages:
            search.places[replica] = page + 1
            return
        del search.places[replica]
        if not search.places:
            search.status = Status.ACKNOWLEDGED
            self.searches.remove(search)

    def keys_of(self, page: int) -> list[str]:
        """Every key of a page of which anything is remembered."""
        return [key for key in self.histories if page_of(key, self.pages) == page]

    @staticmethod
    def _was_deleted(history: History, order: int) -> bool:
        return any(c.order == order and c.content is None for c in history.operations)

    def fail_search(self, search: Search) -> None:
        """A node refuses it, or stops: it fails whole, and never silently omits."""
        search.status = Status.REFUSED
        self.searches.remove(search)
        self.costs.searches_failed += 1
