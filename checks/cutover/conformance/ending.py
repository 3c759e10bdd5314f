"""How a run ends: faults stop, the migration must end while clients write, everything is read, and clients are served.

What is done for that is no part of the schedule: whoever performs it again ends it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.checks.cutover.conformance import oracle
from cutproof.checks.cutover.conformance.clients import HOLDS, kind_of
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.steps import CLIENTS, NODES, Step
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, IDLE, PENDING
from cutproof.checks.drivers.finding import DiffersFromOracle, NotServed
from cutproof.checks.drivers.histories.operation import Operation

PATIENCE = 5_000  # steps within which a migration must end once nothing goes wrong and nobody writes
UNDER_LOAD, TIMES = 300, 20  # ... and while they write: so many steps, or so many times those of a quiet one
LOSES = ("lose", "cut", "restart")  # faults after which nobody may know of a request any more
TRIES = 8  # how often a client asks at the end before it says that it is not served
TURNS = 40  # steps between two tries, at most


def end(run: Run, probe: Probe, beside: bool = False) -> None:
    """End a run, and judge how it ends. `beside`: the reference performs the same schedule, and what it acknowledges
    is counted."""
    schedule, run.ending = len(run.steps), True
    try:
        run.heal()
        _ends_under_load(run, probe)
        _ends(run)
        _answered(run)
        _read_all(run)
        if beside:
            oracle.count_beside(run)
        _served(run, probe)
    finally:
        del run.steps[schedule:]


# ------------------------------------------------------------------ the migration ends


def _ends_under_load(run: Run, probe: Probe) -> None:
    """While the migration goes on clients do as well. One waits for its answer before it writes again, and a write
    comes in four times the steps that it makes where nothing moves: a move writes twice, and half of the time is
    left."""
    if run.look() == IDLE or not run.moving or "advance" in run.unsupported or not probe.writes:
        return
    if not run.system.ends_under_load:
        return
    pace, last = max(1, 4 * probe.work), max(UNDER_LOAD, TIMES * probe.quiet)
    log, writes, taken = len(run.log), 0, 0
    asked: Operation | None = None
    try:
        while taken < last and run.look() != IDLE:
            if taken % pace == 0 and (asked is None or asked not in run.asked):
                step = _next_write(probe, writes)
                run.loaded |= set() if step.key in run.history else {step.key}
                writes += 1
                asked = run.write(step)
            taken += 1
            if not run.advance(1) and asked not in run.asked:
                break
    finally:
        _told_as_one(
            run, log, f"clients go on writing: {writes} write{'' if writes == 1 else 's'} in {taken} steps"
        )
    run.counts["written at the end"] += writes
    if run.look() != IDLE and taken >= last:
        run.advance(PATIENCE)
        if run.look() == IDLE:
            often = "each step" if pace == 1 else f"each {pace} steps"
            run._fail(f"the migration does not end while clients go on writing, a document for {often}: {last} steps "
                      f"were not enough, where a quiet one takes {probe.quiet}; it ends when they stop",
                      NotServed)  # fmt: skip


def _told_as_one(run: Run, log: int, said: str) -> None:
    """All lines from one on become one."""
    if len(run.log) > log:
        run.log[log:] = [said]
    for operations in run.history.values():
        for operation in operations:
            operation.step = min(operation.step, log + 1)


def _next_write(probe: Probe, number: int) -> Step:
    """To new documents and to these again, turn by turn, in no order of their names. The schedule's own documents are
    left as they are, or what went wrong with them would be written over."""
    kind = probe.writes[0]
    word = {"put": "doc", "add": "counter", "append": "list"}[kind]
    turn = number if number % 2 else number // 4 * 2 + 1
    return Step(kind, key=f"{word}-{turn * 37 % 89 + 10}", client=CLIENTS[0])  # type: ignore[arg-type]


def _ends(run: Run) -> None:
    run.advance(PATIENCE)
    if "advance" in run.unsupported or (phase := run.look()) == IDLE:
        return
    run._fail(f"the migration does not end: it is in {phase}, and nothing goes wrong any more, {PATIENCE:,} steps "
              "later", NotServed)  # fmt: skip


def _answered(run: Run) -> None:
    """Who waits is answered, unless what was lost on its way may have been the question or the answer."""
    run.counts["never answered"] += len(run.asked)
    if run.asked and not any(run.injected[fault] for fault in LOSES):
        waits = next(iter(run.asked))
        what = f"the get of {waits.key}" if waits.kind == "get" else f"{waits} of {waits.key}"
        run._fail(f"a client waits for ever: nothing goes wrong any more, nothing moves, and {what} by {waits.client} "
                  "is never answered", NotServed)  # fmt: skip


# ------------------------------------------------------------------ what is there in the end


def _read_all(run: Run) -> None:
    log, read = len(run.log), 0
    for key in sorted(run.history):
        for client in CLIENTS[: 1 + (len(run.history[key]) % 2)]:
            _tried(run, Step("get", key=key, client=client), run.get)
            read += 1
            # What shows nothing wrong is one line together, or the schedule of a wrong one is lost in them.
            run.log[log:] = [f"{read} read{'s show' if read > 1 else ' shows'} nothing wrong"]
    if "scan" not in run.unsupported:
        run.scan(Step("scan", client=CLIENTS[0]))
    shown = run.observed()
    run.shown |= set(shown)
    if documents := shown.get("documents"):
        values: dict[str, Any] = {
            k: run.checked("observe", k, v) for k, v in documents.items() if k in run.history
        }
        if values:
            run.seen(values, HOLDS, run.moment, sorted(values))
    _compare_owners(run, shown.get("owner", {}))


def _compare_owners(run: Run, owner: Mapping[str, Any]) -> None:
    """Without faults every document is where the migrations took it. With several moves of a part nobody says which
    document is in which shard, so only moves of everything are compared."""
    for key in run.history:
        if key in owner:
            run.counts["moved"] += owner[key] != NODES[0]
    whole = len(set(run.expected)) == 1 and all(
        step.do not in ("split", "merge", "move") for step in run.steps
    )
    if not whole or run.injected:
        return
    expected = NODES[run.expected[0]]
    for key in sorted(run.history):
        if key in owner and owner[key] != expected:
            run._fail(f"{key}: nothing went wrong, and its owner is {owner[key]}; the oracle's is {expected}",
                      DiffersFromOracle)  # fmt: skip


# ------------------------------------------------------------------ clients are served again


def _served(run: Run, probe: Probe) -> None:
    """A last write and a last read of each document succeed; of those that were written at the end one will do."""
    schedules = [key for key in sorted(run.history) if key not in run.loaded]
    for number, key in enumerate([*schedules, *sorted(run.loaded)[:1]]):
        client, log = CLIENTS[number % len(CLIENTS)], len(run.log)
        if (kind := kind_of(key)) in probe.writes:
            _tried(run, Step(kind, key=key, client=client), run.write)  # type: ignore[arg-type]
        _tried(run, Step("get", key=key, client=client), run.get)
        del run.log[log:]


def _tried(run: Run, step: Step, ask: Any) -> None:
    log, operation = len(run.log), None
    for _ in range(TRIES):
        operation = ask(step)
        if operation is None:
            return
        for _ in range(TURNS):
            if operation not in run.asked or not run.advance(1):
                break
        run.answers()
        if operation.outcome == ACKNOWLEDGED:
            operation.step = log + 1
            run.log[log:] = [f"{operation} of {step.key}: {ACKNOWLEDGED}"] if step.do != "get" else []
            return
        if operation.outcome == PENDING and not run.advance(PATIENCE):
            break
        run.advance(TURNS)
    assert operation is not None
    del run.log[log:]
    what = f"a last {step.do} of {step.key}"
    outcome = "without an answer" if operation.outcome == PENDING or step.do == "get" else operation.outcome
    run.log.append(f"{what} by {step.client}: {outcome}")
    run._fail(f"clients are not served again: nothing goes wrong any more, nothing moves, and {what} is {outcome}, "
              f"after {TRIES} tries" if operation.outcome != PENDING else
              f"clients are not served again: nothing goes wrong any more, nothing moves, and {what} gets no answer",
              NotServed)  # fmt: skip
