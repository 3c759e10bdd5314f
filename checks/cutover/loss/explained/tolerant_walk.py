"""The tolerant walk: events of a log taken on the specification, where what can't happen is left out.

In a cluster a document shares its migration with hundreds of others, and its clients don't wait for each other. The
specification with one document is smaller, and events may be missing. So operations, messages and epochs are numbered
anew on the way, and a client that still waits when it writes again gets its answer or gives up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cutproof.checks.cutover.loss.explained.events import Event, Value
from cutproof.checks.cutover.reference.lockstep import specification
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import Scope
from cutproof.model.cutover.slot import MOVED, Phase
from cutproof.model.language.protocol import State

WRITES = ("write", "write_by_stale_router", "write_by_slow_clock")
ANSWERS = ("acknowledge", "fail", "time_out")
MESSAGES = (
    "accept", "accept_duplicate", "apply", "refuse", "task_fails", "delivery_fails", "delivery_is_lost",
)  # fmt: skip
ADRIFT = ("crash", "abort", "page_times_out", "rival_activates")
PAIR = ("delete_source", "restart", "cut_off", "heal")
DOCUMENT = ("read_page", "page_landed", "page_times_out", "scan", "repaired")
ATTEMPTS = 3  # that a scope has at most
ON = (  # bounds that an action needs
    ("losses", "delivery_is_lost"), ("failures", "delivery_fails"), ("failures", "copy_ends"),
    ("failing_tasks", "task_fails"), ("duplicates", "accept_duplicate"), ("stale", "write_by_stale_router"),
    ("late", "time_out"), ("late", "page_times_out"), ("strays", "page_times_out"), ("crashes", "crash"),
    ("zombies", "late_fence"), ("zombies", "late_wipe"), ("zombies", "late_delete"), ("restarts", "restart"),
    ("partitions", "cut_off"), ("skew", "write_by_slow_clock"), ("overlap", "begin_another"),
    ("policy_change", "change_policy"), ("repairs", "repair"), ("collect", "collect"),
    ("late", "page_is_doubled"), ("strays", "page_is_doubled"), ("failures", "page_is_doubled"),
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """A step that was taken: its name, the number of its event (-1 if it was put in), and what it is as an event."""

    label: str
    cause: int
    event: Event


@dataclass
class Walk:
    """Where a walk has come to; ranks, views, epochs and messages by what the events call them."""

    state: State
    steps: list[Taken] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    ranks: dict[int, int] = field(default_factory=dict)
    views: dict[int, int] = field(default_factory=dict)  # of the write of each rank
    epochs: dict[int, int] = field(default_factory=lambda: {0: 0})
    carried: dict[str, int] = field(default_factory=dict)  # page, stray, delta, repair: the message's number


class Ground:
    """The specification within one scope, to be walked again and again: what a state leads to is remembered."""

    def __init__(self, scope: Scope, mechanisms: Mechanisms, harm: str) -> None:
        self.scope = scope
        self.specification = specification(scope, mechanisms)
        protocol = self.specification.protocol
        self.at = {field.name: i for i, field in enumerate(protocol.fields)}
        self.start = protocol.start
        claims = enumerate(protocol.claims)
        self.mine = {i for i, c in claims if (c.property, c.harm) == ("no_lost_write", harm)}
        self._after: dict[State, dict[str, State]] = {}
        self._lost: dict[State, bool] = {}

    def after(self, state: State) -> dict[str, State]:
        """What each step that may happen leads to."""
        found = self._after.get(state)
        if found is None:
            found = self._after[state] = self.specification.successors(state)
        return found

    def lost(self, state: State) -> bool:
        """An acknowledged operation is lost, in the given way."""
        found = self._lost.get(state)
        if found is None:
            found = self._lost[state] = not self.mine.isdisjoint(self.specification.compiled.judge(state))
        return found

    def read(self, state: State, name: str) -> int:
        """A field of a state, as a number."""
        at = self.at.get(name)
        return self.start[name] if at is None else state[at]

    def phase(self, state: State) -> Phase:
        """The phase of the record."""
        return list(Phase)[self.read(state, "phase")]

    def moved(self, state: State) -> bool:
        """The target owns."""
        return self.phase(state) in MOVED

    # -------------------------------------------------- walking

    def walk(self, events: Sequence[Event], chosen: Iterable[int], fills: bool = True) -> Walk:
        """Take these of the events, as far as they can happen. `fills`: what they miss in between is put in."""
        walk = Walk(self.specification.protocol.initial)
        walk.states.append(walk.state)
        for i in chosen:
            for event in self._spelled(walk, events[i], fills):
                if fills and event.action in WRITES:
                    self._make_way(walk, event)
                self._take(walk, event, i)
        return walk

    def _spelled(self, walk: Walk, event: Event, fills: bool) -> list[Event]:
        """An event that the specification has no word for, in its words."""
        if not fills:
            return [event]
        number = event.arguments.get("number", 0)
        reads = Event("read_page", {"number": number}, event.epoch)
        if event.action == "page_is_doubled":
            # The one that comes again strays: the coordinator gave it up, and read the page once more.
            return [Event("page_times_out", {"number": event.arguments["again"]}, event.epoch), reads]
        if event.action == "copy_ends":
            page: dict[str, Value] = {"node": "N", "message": "page", "number": number}
            return [reads, Event("delivery_fails", page, event.epoch)]
        return [event]

    def _make_way(self, walk: Walk, event: Event) -> None:
        """A client that writes has its answer to its last write, or gave it up; what is deleted was written once."""
        if event.arguments["erases"] and not walk.ranks:
            self._take(walk, Event("write", {"rank": 0, "erases": False, "view": 0}, -1), -1)
        waits = self.read(walk.state, "waits[0]")
        if not waits:
            return
        rank = self.read(walk.state, "issued[0]")
        name = next(n for n, r in walk.ranks.items() if r == rank)
        for action in ANSWERS:
            if self._take(walk, Event(action, {"rank": name, "view": waits - 1}, -1), -1):
                return

    def _take(self, walk: Walk, event: Event, cause: int) -> bool:
        label = self._label(walk, event)
        after = self.after(walk.state).get(label)
        if after is None:
            return False
        self._remember(walk, event, walk.state, after)
        walk.state = after
        walk.states.append(after)
        walk.steps.append(Taken(label, cause, event))
        return True

    # -------------------------------------------------- names

    def _label(self, walk: Walk, event: Event) -> str:
        """What the event is called here and now; empty if it is nothing."""
        action, about = event.action, event.arguments
        epoch = self.read(walk.state, "epoch")
        if action in WRITES:
            return self._write(walk, event, epoch)
        if action in ANSWERS:
            rank = walk.ranks.get(int(about["rank"]), 0)
            view = "" if action == "time_out" else f", view={walk.views.get(rank)}"
            return f"{action}(doc=0, rank={rank}{view})"
        if action in MESSAGES:
            message = self._message(walk, event)
            return f"{action}(node={about['node']}, doc=0, message={message})" if message else ""
        if action in DOCUMENT:
            return f"{action}(doc=0)"
        if action in ("repair", "repair_expired"):
            return f"{action}(node={about['node']}, to={about['to']}, doc=0)"
        if action == "collect":
            return f"collect(node={about['node']}, doc=0)"
        if action in PAIR:
            return f"{action}(pair={about['pair']})"
        if action == "raise_fence":
            return f"raise_fence(node={about['node']}, epoch={epoch})"
        if action == "wipe":
            return f"wipe(epoch={epoch})"
        if action == "late_fence":
            return f"late_fence(pair={about['pair']}, epoch={self._epoch(walk, int(about['epoch']))})"
        if action == "late_wipe":
            return f"late_wipe(epoch={self._epoch(walk, int(about['epoch']))})"
        return f"{action}()"

    def _write(self, walk: Walk, event: Event, epoch: int) -> str:
        action, view = event.action, epoch
        if action == "write_by_stale_router":
            view = self._epoch(walk, int(event.arguments["view"]))
            action = action if view != epoch else "write"
        rank = self.read(walk.state, "issued[0]") + 1
        return f"{action}(doc=0, rank={rank}, erases={event.arguments['erases']}, view={view})"

    def _epoch(self, walk: Walk, epoch: int) -> int:
        """An epoch of the events: where it was left out, the last one before it."""
        return walk.epochs[max(e for e in walk.epochs if e <= epoch)]

    def _message(self, walk: Walk, event: Event) -> int | str:
        message = event.arguments["message"]
        if isinstance(message, int):
            return walk.ranks.get(message, 0)
        number = event.arguments["number"]
        return next((kind for kind, n in walk.carried.items() if n == number), "")

    def _remember(self, walk: Walk, event: Event, before: State, after: State) -> None:
        """How the events' names are to be read from now on."""
        action, about = event.action, event.arguments
        epoch = self.read(after, "epoch")
        if event.epoch >= 0 and (epoch != self.read(before, "epoch") or event.epoch not in walk.epochs):
            walk.epochs[event.epoch] = epoch
        if action in WRITES:
            rank = walk.ranks[int(about["rank"])] = self.read(after, "issued[0]")
            walk.views[rank] = self.read(after, "waits[0]") - 1
        elif action == "read_page":
            walk.carried["page"] = int(about["number"])
        elif action == "scan":
            walk.carried["delta"] = int(about["number"])
        elif action in ("repair", "repair_expired"):
            walk.carried["repair"] = int(about["number"])
        elif action in ADRIFT and self.scope.strays:
            self._drift(walk, before, int(about.get("number", 0)))

    def _drift(self, walk: Walk, before: State, number: int) -> None:
        """What the coordinator has forgotten strays, unless something strays already."""
        for kind in ("page", "delta"):
            nodes = ("N", "O") if self.scope.back else ("N",)
            if any(self._outstanding(before, n, kind) for n in nodes) and not any(
                self._outstanding(before, n, "stray") for n in nodes
            ):
                walk.carried["stray"] = number or walk.carried.get(kind, 0)
        for kind in ("page", "delta"):
            walk.carried.pop(kind, None)

    def _outstanding(self, state: State, node: str, kind: str) -> bool:
        net, task = f"net[{node},0,{kind}]", f"task[{node},0,{kind}]"
        return bool(self.read(state, net)) or self.read(state, task) == 1
