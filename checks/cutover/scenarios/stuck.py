"""Scenario 16: one write gets stuck, the drain runs out of time or waits, and the write lands late, here and there.

And scenario 19: the coordinators crash after each of their turns, one run for each.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from cutproof.checks.cutover.scenarios.checks import (
    ALL,
    figures_of,
    look,
    moved,
    nothing_lost,
    outcome_of,
    plain,
    told_apart,
    written,
)
from cutproof.checks.cutover.scenarios.outcome import Check, Outcome, merged
from cutproof.checks.cutover.scenarios.pace import Gate
from cutproof.checks.cutover.scenarios.run import Progress, Run
from cutproof.checks.cutover.scenarios.scenarios import Burst, Form, Scenario, When
from cutproof.checks.cutover.scenarios.traffic import Told
from cutproof.impl import Stuck, Write
from cutproof.impl.choices import Choice
from cutproof.impl.node import Message
from cutproof.impl.record import Phase

SHORT = 5  # steps until a drain is given up
MORE = 20  # writes after the abort


class Where(Enum):
    """What is stuck of the write: a task that a node has accepted, or the message on its way to it."""

    TASK_N = "task on N"
    TASK_O = "task on O"
    MESSAGE_N = "message to N"
    MESSAGE_O = "message to O"


class Lands(Enum):
    """When it lands."""

    SEALED = "while sealed"
    COMPLETE = "after completion"
    ABORTED = "after the abort, before the wipe"
    WIPED = "after the wipe"
    RETRIED = "after a retry has begun"
    AGAIN = "after the retry is complete"


@dataclass(frozen=True)
class Case:
    """One way of it. `timeout` is in steps, None waits for ever."""

    where: Where
    lands: Lands
    timeout: int | None = None

    def __str__(self) -> str:
        return f"{self.where.value} lands {self.lands.value}"


# A message that is under way does not keep the drain waiting, the fence will refuse it: with no time at all the drain
# is given up because of what else is in the queues.
CASES = (
    Case(Where.TASK_N, Lands.SEALED),
    Case(Where.TASK_N, Lands.ABORTED, SHORT),
    Case(Where.TASK_N, Lands.WIPED, SHORT),
    Case(Where.TASK_O, Lands.SEALED),
    Case(Where.TASK_O, Lands.ABORTED, SHORT),
    Case(Where.TASK_O, Lands.WIPED, SHORT),
    Case(Where.TASK_O, Lands.RETRIED, SHORT),
    Case(Where.MESSAGE_N, Lands.SEALED),
    Case(Where.MESSAGE_N, Lands.COMPLETE),
    Case(Where.MESSAGE_N, Lands.ABORTED, 0),
    Case(Where.MESSAGE_N, Lands.WIPED, 0),
    Case(Where.MESSAGE_N, Lands.RETRIED, 0),
    Case(Where.MESSAGE_N, Lands.AGAIN, 0),
    Case(Where.MESSAGE_O, Lands.COMPLETE),
    Case(Where.MESSAGE_O, Lands.ABORTED, 0),
    Case(Where.MESSAGE_O, Lands.RETRIED, 0),
    Case(Where.MESSAGE_O, Lands.AGAIN, 0),
)


def _choice(run: Run, message: Message) -> Choice | None:
    """What a node would make of the message now."""
    deeds = ("accept", "refuse", "apply")
    enabled = run.cluster.enabled(faults=False)
    return next((c for c in enabled if c.action in deeds and c.what == (message,)), None)


def _get_stuck(run: Run, where: Where) -> tuple[Write, Message]:
    """A write of which a part does not go on; the other node has applied it by now."""
    write = run.traffic.write(Told(Burst(1, When.COPIED)))
    to = run.scenario.targets[0] if where in (Where.TASK_N, Where.MESSAGE_N) else run.scenario.nodes[0]
    for message in run.cluster.network.under_way():
        if message.write is not write:
            continue
        if message.replica.node.name == to:
            run.stuck = message
        deeds = 2 if message is not run.stuck else where in (Where.TASK_N, Where.TASK_O)
        for _ in range(deeds):  # it is accepted, and applied
            choice = _choice(run, message)
            if choice is None or choice.action == "refuse":
                raise Stuck(f"{message} is not accepted")
            run.cluster.step(choice)
    if run.stuck is None:
        raise Stuck(f"nothing of {write} goes to {to}")
    return write, run.stuck


def _land(run: Run, message: Message) -> str:
    """It lands now; what became of it."""
    run.stuck = None
    done = "gone: the wipe had cleared it"
    while message in run.cluster.network.under_way():
        choice = _choice(run, message)
        if choice is None:
            return "could not land"
        run.cluster.step(choice)
        done = {"apply": "applied", "refuse": "refused by the fence"}.get(choice.action, "could not land")
    return done


def _abort_and_retry(run: Run, case: Case, message: Message, key: str) -> tuple[str, str]:
    """The drain is given up, then comes a retry that has time: why it was, and what became of the message."""
    shard, migration = run.shards[0], run.migrations[0]
    run.advance(Gate.ENDED)
    why = str(migration.states()[0])
    landed = ""
    if run.form is Form.MIXED:  # what is stuck is old by the time it lands
        run.traffic.rewrite(key)
    run.write(Told(Burst(MORE, When.COPIED)), MORE)
    run.flush()
    if case.lands is Lands.ABORTED:
        landed = _land(run, message)
    while shard.record.owes_wipe and run.turn(shard):
        pass
    if case.lands is Lands.WIPED:
        landed = _land(run, message)
    run.cluster.drain_timeout = None
    migration.retry()
    if case.lands is Lands.RETRIED:
        for _ in range(2):  # the fences; a copy waits for what the source has accepted
            run.turn(shard)
        landed = _land(run, message)
    run.advance(Gate.ENDED)
    if case.lands is Lands.AGAIN:
        landed = _land(run, message)
    return why, landed


def _play(run: Run, case: Case) -> tuple[str, str, list[Check]]:
    run.cluster.drain_timeout = case.timeout
    for told in run.told:
        run.burst(told)
    write, message = _get_stuck(run, case.where)
    key, landed, why = write.copy.key, "", ""
    if case.timeout is not None:
        why, landed = _abort_and_retry(run, case, message, key)
    else:
        run.advance(Gate.SEAL)
        waits = Gate.DRAIN_SOURCE if case.where is Where.TASK_O else Gate.DRAIN_TARGET
        if case.lands is Lands.SEALED:
            run.advance(waits)
            run.flush()
            early = case.where in (Where.TASK_N, Where.TASK_O) and run.turn(run.shards[0])
            landed = _land(run, message)
            run.advance(Gate.ENDED)
            why = "the drain did not wait" if early else ""
        else:
            run.advance(Gate.ENDED)
            landed = _land(run, message)
    run.flush()
    aborted = run.cluster.costs.migrations_aborted
    due = case.timeout is not None
    waited = "timed out" in why if due else not why
    return (
        landed,
        write.status.value,
        [
            Check("it landed late, was refused or cleared", landed not in ("", "could not land"), landed),
            Check("a drain out of time is given up, another one waits", aborted == due, f"{aborted} aborted"),
            Check("a drain waits, or says that it ran out of time", waited, why),
        ],
    )


def stuck(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """Every case in a run of its own; 0 lost in each, whether it aborts or waits."""
    parts: list[Outcome] = []
    rows: list[dict[str, Any]] = []
    for case in CASES:
        run = Run(scenario, form, seed, progress, without=without)
        run.fill()
        run.begin()
        landed, status = "", ""
        checks: list[Check] = []
        try:
            landed, status, checks = _play(run, case)
            ended = Check("the run comes to its end", True)
        except Stuck as why:
            ended = Check("the run comes to its end", False, f"{case}: {why}")
        seen = look(run)
        figures = figures_of(run, seen)
        checks = [
            ended, *checks, *nothing_lost(seen, figures), *told_apart(seen), *moved(run, seen),
            *written(run, figures),
        ]  # fmt: skip
        checks = [c if c.holds else c._replace(why=f"{case}: {c.why}") for c in checks]
        parts.append(outcome_of(run, seen, checks))
        rows.append(
            {
                "stuck": case.where.value,
                "lands": case.lands.value,
                "time-out": "none" if case.timeout is None else f"{case.timeout} steps",
                "aborted": figures.aborted,
                "it was": landed,
                "the client": status,
                "lost": figures.lost,
            }
        )
    return merged(scenario, form, seed, parts, [], rows)


# ------------------------------------------------------------------ 19: a crash at every step


def crashed(
    scenario: Scenario, form: Form, seed: int, progress: Progress | None, without: tuple[str, ...]
) -> Outcome:
    """A run for each turn of the coordinators, which crash right after it, until there is no such turn."""
    parts: list[Outcome] = []
    tried: Counter[Phase] = Counter()
    lost: Counter[Phase] = Counter()
    at = 0
    while True:
        at += 1
        run, _, part = plain(scenario, form, seed, progress, without, crash_at=at)
        if not run.crashed_in:
            break
        named = [c if c.holds else c._replace(why=f"crash {at}: {c.why}") for c in part.checks]
        parts.append(replace(part, checks=tuple(named)))
        tried.update(set(run.crashed_in))
        lost.update(dict.fromkeys(set(run.crashed_in), part.figures.lost))
    rows = [{"phase": p.value, "crashes": tried[p], "lost": lost[p]} for p in Phase if tried[p]]
    repaired = sum(p.figures.repaired_by_delta for p in parts)
    missing = ", ".join(sorted(p.value for p in ALL - set(tried)))
    checks = [
        Check("they crashed in every phase", not missing, f"not in {missing}"),
        Check("they crashed after every turn", len(parts) == at - 1 > 2 * len(ALL), f"{len(parts)} times"),
        Check("the delta repaired something", repaired > 0, "it did not"),
    ]
    return merged(scenario, form, seed, parts, checks, rows)
