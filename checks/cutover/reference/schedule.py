"""Schedules: one run of both systems in lock step, as a chooser sees it, and the composite moves that drive it.

A walk that chooses uniformly reaches a drain once in some hundred runs; what is lost there is found only by a chooser
that can say "go on to the drain". Every composite move is a sequence of ordinary steps, taken one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from cutproof.checks.cutover.reference.configuration import Configuration, Stuck, Violated
from cutproof.checks.cutover.reference.lockstep import Disagreement, LockStep
from cutproof.checks.traces.trace import Trace
from cutproof.impl.audit import entries
from cutproof.impl.record import Phase
from cutproof.model.cutover.mechanisms import ReplicaAck
from cutproof.model.language.protocol import Claim

__all__ = ["Configuration", "Schedule", "Stuck", "Violated"]

ROAD = (
    Phase.DUAL, Phase.COPY, Phase.SEAL, Phase.DRAIN_SOURCE, Phase.DRAIN_TARGET, Phase.DELTA, Phase.ACTIVATE,
    Phase.GRACE, Phase.CLEANUP, Phase.COMPLETE,
)  # fmt: skip

# What the coordinator does, the preferred first: fences are raised only where nothing else can be done.
ON_THE_WAY = (
    "complete", "delete_source", "start_cleanup", "start_grace", "activate", "prove", "repaired", "scan",
    "target_drained", "source_drained", "start_drain", "seal", "page_landed", "read_page", "start_copy", "clean_pass",
    "proof_fails", "begin", "wipe", "raise_fence",
)  # fmt: skip
ANSWERS = (
    "acknowledge",
    "fail",
    "answer_read",
    "refuse_read",
    "step_search",
    "admit_search",
    "refuse_search",
)
CARRIED = ("apply", "accept", "refuse")
LONGEST = 400  # steps of one composite move
FEW = 8  # steps to the next page


def chosen_write(writes: list[str], pick: int) -> str:
    """One of these writes: every second time through a router that knows the record as it is."""
    current = [name for name in writes if name.startswith("write(")] if pick % 2 else []
    mine = current or writes
    return mine[pick // 2 % len(mine)]


class Schedule:
    """One run. `faults` are the kinds that may happen; `trace` is set where something was found."""

    def __init__(self, configuration: Configuration, faults: Iterable[str] | None = None) -> None:
        self.configuration = configuration
        self.pair = LockStep(configuration.scope, configuration.policy, configuration.removed)
        self.kinds = {t.action: t.fault for t in self.pair.protocol.transitions}
        self.faults = set(self.kinds.values()) if faults is None else {"", *faults}
        self.phases: set[str] = set()
        self.happened: set[str] = set()
        self.trace: Trace | None = None
        self.offers()

    @property
    def phase(self) -> Phase:
        """Where the migration stands."""
        return self.pair.twin.shard.record.phase

    @property
    def steps(self) -> int:
        """How many steps have been taken."""
        return len(self.pair.path)

    # -------------------------------------------------- single steps

    def offers(self) -> dict[str, list[str]]:
        """What may happen next, by action, sorted; kinds of faults that are switched off are left out."""
        offered: dict[str, list[str]] = {}
        try:
            for name, move in self.pair.enabled().items():
                if self.kinds[move.step.action] in self.faults:
                    offered.setdefault(move.step.action, []).append(name)
        except Disagreement as found:
            self._keep(str(found).partition("\n")[0])
            raise
        for names in offered.values():
            names.sort()
        self.offered = offered
        return offered

    def take(self, name: str) -> None:
        """Take a step; both must agree, and every property that is watched must hold."""
        fault = self.kinds[name.partition("(")[0]]
        try:
            self.pair.take(name)
        except Disagreement as found:
            self._keep(str(found).partition("\n")[0])
            raise
        self.phases.add(self.phase.value)
        if fault:
            self.happened.add(fault)
        self._judge()
        self.offers()

    def _judge(self) -> None:
        configuration, false = self.configuration, self.pair.violated()
        self._audit(false)
        watched = configuration.watched
        found = [c for c in false if not watched or (c.property, c.harm) in watched]
        if found:
            first = found[0]
            self._keep(configuration.why, property=first.property, harm=first.harm, form=first.form)
            raise Violated(found, self.pair.path)

    def _audit(self, false: list[Claim]) -> None:
        """The implementation's own audit counts what the specification's property says."""
        counted = {entry.kind for entry in entries(self.pair.twin.shard) if entry.kind}
        stated = {c.harm for c in false if c.property == "no_lost_write"}
        required = self.configuration.policy.replica_ack is ReplicaAck.REQUIRED  # then R is looked at too
        if counted - stated or (stated - counted and not required):
            self._keep("the audit and the property part")
            raise AssertionError(f"the audit counts {sorted(counted)}, the property says {sorted(stated)}")

    def _keep(self, why: str, **meta: str) -> None:
        self.trace = self.pair.trace(why, **meta)

    # -------------------------------------------------- composite moves

    def go_on(self, phases: int) -> None:
        """Drive the coordinator on by so many phases, with what it needs: clients' messages stay where they are.

        By no phase: by one step."""
        if phases == 0:
            self._first(self.way())
            return
        here = ROAD.index(self.phase) if self.phase in ROAD[:-1] else -1
        there = ROAD[min(here + phases, len(ROAD) - 1)]
        for _ in range(LONGEST):
            if self.phase is there or not self._first(self.way()):
                return

    def give_up(self, again: bool) -> None:
        """The attempt is aborted and the target is wiped; `again`: a fence of it lands late, and a second wipe."""
        for action in ("abort", "late_fence", "wipe", "late_wipe") if again else ("abort", "wipe"):
            for name in self.offered.get(action, ())[:1]:
                self.take(name)

    def page_is_late(self) -> None:
        """The coordinator gives up waiting for a page that is still under way."""
        for _ in range(FEW):
            if late := self.offered.get("page_times_out"):
                self.take(late[0])
                return
            if not self._first(self.way()):
                return

    def way(self) -> Iterable[str]:
        """What brings the coordinator on, the preferred first: its own steps, its messages, then what was accepted."""
        offered = self.offered
        for action in ON_THE_WAY:
            yield from offered.get(action, ())
        for action in CARRIED:
            yield from (n for n in offered.get(action, ()) if "message=page" in n or "message=delta" in n)
        yield from offered.get("apply", ())

    def deliver(self, node: str, doc: int, rank: int, fate: str = "+") -> None:
        """A client's write arrives at a node: it is applied there (+), only accepted (.), or the delivery fails (-)."""
        about = f"(node={node}, doc={doc}, message={rank})"
        for action in {"+": ("accept", "apply"), ".": ("accept",), "-": ("delivery_fails",)}[fate]:
            if f"{action}{about}" in self.offered.get(action, ()):
                self.take(f"{action}{about}")

    def writes(self) -> list[str]:
        """The writes that clients may issue now, through any router."""
        return [
            n for action, names in sorted(self.offered.items()) if action.startswith("write") for n in names
        ]

    def client(self, write: str, nodes: str, outcome: str) -> None:
        """A client writes. `nodes` says what becomes of it at once, `O+N-` for instance: see `deliver`. Then the client
        gets its answer (`outcome` is "acknowledge"), or gives up waiting ("time_out"), or goes on waiting ("")."""
        self.take(write)
        doc, rank = (int(write.partition(f"{key}=")[2].partition(",")[0]) for key in ("doc", "rank"))
        for node, fate in zip(nodes[::2], nodes[1::2], strict=True):
            self.deliver(node, doc, rank, fate)
        for name in [n for n in self.offered.get(outcome, ()) if f"(doc={doc}, rank={rank}" in n][:1]:
            self.take(name)

    def mishaps(self) -> list[list[str]]:
        """The faults that may strike now, by action; requests of stale routers and slow clocks are not among them."""
        requests = ("write", "read", "search")
        return [
            names for a, names in sorted(self.offered.items()) if self.kinds[a] and not a.startswith(requests)
        ]

    def reads(self) -> list[str]:
        """The reads and searches that clients may issue now, through any router."""
        kinds = ("read", "read_by_stale_router", "search", "search_by_stale_router")
        return [name for action in kinds for name in self.offered.get(action, ())]

    def reader(self, read: str) -> None:
        """A client reads or searches, and is answered as far as that is possible now."""
        self.take(read)
        for _ in range(LONGEST):
            if not self._first(n for a in ANSWERS[2:] for n in self.offered.get(a, ())):
                return

    def scene(
        self,
        phases: int,
        steps: int,
        strikes: str,
        write: int,
        nodes: str,
        outcome: str,
        reads: bool,
        pick: int,
    ) -> None:
        """The migration goes on by so many phases and steps; a client may write, a fault may strike before or after;
        others may read, through every router there is."""
        if phases:
            self.go_on(phases)
        for _ in range(steps):
            self.go_on(0)
        if strikes == "before":
            self.mishap(pick)
        if write and (writes := self.writes()):
            self.client(chosen_write(writes, write), nodes, outcome)
        if strikes == "after":
            self.mishap(pick)
        for request in self.reads() if reads else ():
            if request in self.offered.get(request.partition("(")[0], ()):
                self.reader(request)

    def mishap(self, pick: int) -> None:
        """A fault, if one may strike, each action as likely as the others: many deliveries may fail, and one crash."""
        if mishaps := self.mishaps():
            names = mishaps[pick % len(mishaps)]
            self.take(names[pick // len(mishaps) % len(names)])

    def next_attempt(self, pick: int) -> None:
        """An attempt ends, the next begins, and a client writes. A command of the one before lands late, or this one
        is given up before anybody has heard of it."""
        ended = (Phase.IDLE, Phase.COMPLETE, Phase.ABORTED)
        if self.phase not in ended:
            self.go_on(len(ROAD))
        if self.phase not in ended:
            return
        self.go_on(1)
        if writes := self.writes():
            self.client(writes[0], "O+N+R+", "acknowledge")
        if late := [n for a in ("late_delete", "late_wipe", "late_fence") for n in self.offered.get(a, ())]:
            self.take(late[pick % len(late)])
        else:
            self.give_up(again=True)

    def clean(self, phases: int, fences: int, ends: bool) -> None:
        """A tombstone that may be collected is, after a clean pass if there can be one. Both wait: the migration goes
        on by so many phases, so many fences are raised, and perhaps the attempt is given up."""
        if phases:
            self.go_on(phases)
        for _ in range(fences):
            self._first(self.offered.get("raise_fence", ()))
        if ends:
            self.give_up(again=False)
        for action in ("clean_pass", "collect"):
            for name in self.offered.get(action, ())[:1]:
                self.take(name)

    def overtaken(self, pick: int, first: str, then: str) -> None:
        """A client gives up waiting for a write and writes the document again; the second is acknowledged."""
        if writes := self.writes():
            name = chosen_write(writes, pick)
            self.client(name, first, "time_out")
            again = [n for n in self.writes() if f"(doc={name.partition('doc=')[2].partition(',')[0]}," in n]
            if again:
                self.client(chosen_write(again, pick // 2), then, "acknowledge")

    def wander(self, seed: int, steps: int) -> None:
        """So many steps, each drawn from all that may happen and would change something."""
        draw = Random(seed)
        for _ in range(steps):
            names = sorted(n for n, state in self.pair.after.items() if state != self.pair.state)
            offered = [n for n in names if n in self.offered.get(n.partition("(")[0], ())]
            if not offered:
                return
            self.take(draw.choice(offered))

    def settle(self) -> None:
        """Everything that is under way arrives, and everybody who waits is answered."""
        for _ in range(LONGEST):
            if not self._first(self.arrivals()):
                return

    def arrivals(self) -> Iterable[str]:
        """What is under way and may arrive, and answers that can be given."""
        return (n for a in (*CARRIED, *ANSWERS) for n in self.offered.get(a, ()))

    def end(self) -> None:
        """Nothing goes wrong any more: what is under way arrives and the migration must end. Raises Stuck.

        From every state a good end can be reached, if all is in order; this is one way there."""
        self.faults = {""}
        self.offers()
        for _ in range(LONGEST):
            actions = ("heal", *CARRIED, *ANSWERS, *(a for a in ON_THE_WAY if a != "begin"))
            if not self._first(n for a in actions for n in self.offered.get(a, ())):
                break
        if self.phase not in (Phase.IDLE, Phase.COMPLETE, Phase.ABORTED):
            claim = next(c for c in self.pair.protocol.claims if c.form == "can_always")
            self._keep(f"the migration stays in {self.phase.value}", property=claim.property, form=claim.form)
            raise Stuck(f"the migration stays in {self.phase.value} although nothing goes wrong any more")

    def first(self, names: Iterable[str]) -> str | None:
        """The first of these steps that changes anything."""
        return next((n for n in names if self.pair.after[n] != self.pair.state), None)

    def _first(self, names: Iterable[str]) -> bool:
        name = self.first(names)
        if name is not None:
            self.take(name)
        return name is not None
