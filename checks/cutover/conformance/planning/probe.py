"""What a system has, and what its migrations look like where nothing disturbs them: looked at before it is judged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from cutproof.checks.cutover.conformance.clients import kind_of
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.steps import CLIENTS, NODES, SHARDS, WRITES, Step
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAULTS, IDLE, Adapter
from cutproof.checks.drivers.finding import AdapterFailed, NotConforming

DOCUMENTS = 3  # of each kind
MANY = 400  # steps of one probe
BEGINNINGS = 3  # quiet migrations that are looked at, by other seeds


@dataclass
class Probe:
    """What was seen. `phases`: of quiet migrations, without idle, in the order in which they came, each with how many
    moments between two steps it had; `quiet`: the steps of the longest; `work`: the steps that one write makes."""

    operations: list[str] = field(default_factory=list)  # of clients, that it has
    writes: list[str] = field(default_factory=list)  # "put", "add", "append": those that were acknowledged
    faults: list[str] = field(default_factory=list)
    migrations: list[str] = field(default_factory=list)  # "begin_migration", "move", "split", "merge"
    phases: dict[str, int] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)  # those of the phases that every quiet migration had
    quiet: int = 0
    work: int = 0
    unsupported: set[str] = field(default_factory=set)

    def documents(self, most: int = DOCUMENTS) -> list[str]:
        """The documents that schedules are about: of each kind that the system has."""
        known = self.writes or [kind for kind in ("put", "add", "append") if kind in self.operations]
        words = {"put": ("doc", most), "add": ("counter", 1), "append": ("list", 1)}
        return [f"{word}-{n}" for kind in known for word, count in [words[kind]] for n in range(count)]

    @property
    def boundaries(self) -> list[tuple[int, int]]:
        """Every moment of a quiet migration: (how many phases on, how many steps of it)."""
        return [(p, s) for p, steps in enumerate(self.phases.values()) for s in range(steps)]


def probe(adapter: type[Adapter], shards: int = SHARDS) -> Probe:
    """Look at a system. What it finds wrong on the way is for the runs to find again."""
    found = Probe()
    for seed in range(BEGINNINGS):
        run, failed = None, False
        try:
            run = Run(adapter, seed, shards, found.unsupported)
            _look(run, found, seed)
        except NotConforming as error:
            failed = isinstance(error, AdapterFailed)
        if run is not None:
            with suppress(NotConforming):
                run.stop()
        if failed:  # perhaps it hangs: the first run will tell
            break
    found.operations = [what for what in (*WRITES, "get", "scan") if what not in found.unsupported]
    found.faults = _faults(adapter, shards, found)
    return found


def _look(run: Run, found: Probe, seed: int) -> None:
    for what in WRITES:
        key = {"add": "counter-0", "append": "list-0"}.get(what, "doc-0")
        run.advance(MANY)
        operation = run.write(Step(what, key=key, client=CLIENTS[0]))  # type: ignore[arg-type]
        taken = run.advance(MANY)
        acknowledged = operation is not None and operation.outcome == ACKNOWLEDGED
        if acknowledged and what not in found.writes and what in ("put", "add", "append"):
            found.writes.append(what)
            found.work = max(found.work, taken)
    for _ in range(3):  # some may have no answer
        run.get(Step("get", key="doc-0", client=CLIENTS[0]))
        run.scan(Step("scan", client=CLIENTS[0]))
    for key in found.documents():
        run.write(Step(kind_of(key), key=key, client=CLIENTS[0]))  # type: ignore[arg-type]
    run.advance(MANY)
    _quiet(run, found)
    if not seed:
        _shapes(run, found)


def _quiet(run: Run, found: Probe) -> None:
    """A migration that nothing disturbs, step by step."""
    run.begin(Step("begin_migration", hop=1))
    if "begin_migration" not in run.unsupported and "begin_migration" not in found.migrations:
        found.migrations.append("begin_migration")
    seen: dict[str, int] = {}
    taken = 0
    while (phase := run.look()) != IDLE and taken < MANY:
        seen[phase] = seen.get(phase, 0) + 1
        if not run.advance(1):
            break
        taken += 1
    found.quiet = max(found.quiet, taken)
    found.always = set(seen) if not found.phases else found.always & set(seen)
    for phase, steps in seen.items():
        found.phases[phase] = max(found.phases.get(phase, 0), steps)


def _shapes(run: Run, found: Probe) -> None:
    """Whether shards can be moved one by one, split and merged."""
    run.advance(MANY)
    for what, shards in (("move", (0,)), ("split", (0,)), ("merge", (0, 1))):
        with suppress(NotConforming):
            run.do(Step(what, shards=shards))  # type: ignore[arg-type]
            run.advance(MANY)
        if (
            what not in run.unsupported
            and run.counts[what if what != "move" else "begun"]
            and run.look() == IDLE
        ):
            found.migrations.append(what)
        if what == "move":
            with suppress(NotConforming):  # the other follows, so that both can be merged
                run.do(Step("move", shards=(1,)))
                run.advance(MANY)


def _faults(adapter: type[Adapter], shards: int, found: Probe) -> list[str]:
    """The faults that a system has: each is tried once, during a migration, on a system that is thrown away. One that
    fails is had: a run will report it."""
    has = list(FAULTS)
    with suppress(NotConforming):
        run = Run(adapter, 0, shards, found.unsupported)
        with suppress(NotConforming):
            run.begin(Step("begin_migration"))
        for fault in FAULTS:
            with suppress(NotConforming):
                run._try(fault, run.system.inject, fault, NODES[0])
            if fault in found.unsupported:
                has.remove(fault)
        run.stop()
    return has
