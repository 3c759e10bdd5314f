"""The ladder of `cutproof verify`: what is checked, as functions that return rows.

1. *scope*: the hardened protocol in each named scope, every property; and in *wide scopes* (`wide.py`), of 10^9 states
   and more.
2. *coverage*: that none of it is vacuous: every *sometimes*, every action and every kind of fault happened.
3. *fault pairs*: every two kinds of fault happen in one behaviour.
4. *counterexample*: each removed safeguard does the harm that it is there to prevent, by the stored trace.
5. *as written*: the seed's own design is violated.
6. *refinement* and 7. *lock step*: the reference implementation is held to the specification (`reference.py`).
8. *scenario* and 9. *loss*: what the reference implementation loses is counted (`loss.py`).
10. *proof*, 11. *necessity* and 12. *gate*: what holds in runs of any length, by Z3 (`proofs.py`).

A check that cannot fail shows nothing: a safeguard that can be removed without harm fails the fourth.
Rows are made by tasks, which run in processes of their own and come back in the declared order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path as File
from typing import Any

from cutproof.checks.engines.choose import compiled
from cutproof.checks.engines.exploration import INTERRUPTED, Exploration, Limits
from cutproof.checks.engines.fast.explore import explore as fast_explore
from cutproof.checks.engines.plain.explore import LimitReached, explore, with_both_faults
from cutproof.checks.engines.plain.search import Progress
from cutproof.checks.engines.verdict import (
    HOLDS,
    LIVENESS,
    SAFETY,
    UNKNOWN,
    Holds,
    Unknown,
    Verdict,
    Violated,
    code_of,
    word,
)
from cutproof.checks.ladder.tasks import Row, Task, Told
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.stored import FOLDER
from cutproof.checks.traces.trace import TraceError, read
from cutproof.model.cutover.coordinator import build, cutover
from cutproof.model.cutover.mechanisms import Cleanup
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.safeguards import AS_WRITTEN, HARDENED
from cutproof.model.cutover.scopes import SCOPES, Scope, parse_scope
from cutproof.model.language.protocol import Protocol

# Begun first, so that they do not end last; by the fast engine even where its loops are not compiled.
HEAVY = ("reads_and_faults", "kinds", "two_documents")
PAIR_LIMITS = Limits(states=50_000)

# The actions that no hardened run under the default policy takes: a scope, the safeguards without which they
# happen, and the policy under which they do.
OTHER_SETTINGS: dict[str, tuple[str, tuple[str, ...], Policy]] = {
    "proof_fails": ("writes=2", ("whole_documents",), Policy()),
    "clean_pass": ("replica", (), Policy(cleanup=Cleanup.AFTER_CLEAN_PASS, skip_delta_pass=True)),
    "rival_activates": ("attempts=2,overlap=1", ("one_migration_per_shard",), Policy()),
    "revert_routing": ("writes=1", ("roll_forward_only",), Policy()),
    "other_migration_ends": ("table=1", ("per_migration_tracking",), Policy()),
    "other_migration_hangs": ("table=1", ("per_migration_tracking",), Policy()),
}

# The bounds that switch a kind of fault on, and the safeguard that must be missing for it to happen at all.
FAULTS: dict[str, tuple[dict[str, int], tuple[str, ...]]] = {
    "stale router": ({}, ()),
    "clock skew": ({"writes": 2, "skew": 1}, ()),
    "zombie": ({"crashes": 1, "strays": 1, "zombies": 1, "attempts": 2, "aborts": 1}, ()),
    "routing revert": ({}, ("roll_forward_only",)),
    "other migration": ({"table": 1}, ("per_migration_tracking",)),
    "late": ({"late": 1}, ()), "duplicated": ({"duplicates": 1}, ()), "lost": ({"losses": 1}, ()),
    "failed task": ({"failing_tasks": 1}, ()), "failed delivery": ({"failures": 1}, ()),
    "crash": ({"crashes": 1}, ()), "restart": ({"restarts": 1}, ()), "partition": ({"partitions": 1}, ()),
    "overlap": ({"overlap": 1}, ()), "policy change": ({"policy_change": 1}, ()),
}  # fmt: skip


# ------------------------------------------------------------------ the checks, each row by a task


def _counts(v: Verdict | Exploration, seconds: float) -> dict[str, Any]:
    states = v.states if isinstance(v, Verdict) else v.distinct
    return {"states": states, "transitions": v.transitions, "depth": v.depth, "seconds": seconds}


def searched(protocol: Protocol, **options: Any) -> Exploration:
    """An exploration that was not interrupted; an interrupt goes on to whoever runs the ladder."""
    return whole(explore(protocol, **options))


def whole(found: Exploration) -> Exploration:
    """The exploration, unless it was interrupted."""
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def scope_rows(progress: Progress | None, name: str) -> list[Row]:
    """The hardened protocol in one scope: every property; *sometimes* is left to the next check."""
    start, scope = time.perf_counter(), parse_scope(name)
    if name in HEAVY or compiled():
        found = whole(fast_explore(build(scope), progress=progress, workers=1, witnesses=False))
    else:
        found = searched(build(scope), progress=progress)
    judged = [v for v in found.verdicts if v.form != "sometimes"]
    worst = min(judged, key=lambda v: (SAFETY, LIVENESS, UNKNOWN, HOLDS).index(code_of(v)))
    kinds = {t.fault for n, t in zip(found.fired, found.protocol.transitions, strict=True) if n and t.fault}
    facts = {
        "sometimes": {v.property: isinstance(v, Holds) for v in found.verdicts if v.form == "sometimes"},
        "actions": [a for a, times in found.coverage.items() if times],
        "faults": sorted(kinds),
    }
    counts = _counts(found, time.perf_counter() - start)
    return [row_of("scope", name, scope.describe(), worst, facts=facts, **counts)]


def row_of(check: str, name: str, scope: str, verdict: Verdict, **more: Any) -> Row:
    """The row of something that should hold."""
    row = Row(check, name, scope, word(verdict), code_of(verdict), **more)
    if isinstance(verdict, Holds):
        return row
    why = verdict.reason if isinstance(verdict, Unknown) else getattr(verdict, "detail", "") or verdict.form
    return replace(row, property=verdict.property, harm=verdict.harm, detail=why)


def other_settings_rows(progress: Progress | None) -> list[Row]:
    """The actions that no hardened run takes, each where something else lets it happen."""
    rows = []
    for action, (text, removed, policy) in OTHER_SETTINGS.items():
        start, scope = time.perf_counter(), parse_scope(text)
        found = searched(build(scope, policy, removed), cycles=False, progress=progress)
        times = found.coverage[action]
        kinds = {t.fault for t in found.protocol.transitions if t.action == action and t.fault and times}
        facts = {"actions": [action] if times else [], "faults": sorted(kinds), "policy": policy.changed()}
        happens = ("happens", HOLDS) if times else ("never", LIVENESS)
        counts = _counts(found, time.perf_counter() - start)
        rows.append(Row("other settings", action, text, *happens, removed, "happens", facts=facts, **counts))
    return rows


def fault_pairs_rows(progress: Told | None, limits: Limits = PAIR_LIMITS) -> list[Row]:
    """For each kind of fault, a behaviour with each kind after it in `FAULTS`: the first scope that has one."""
    named = sorted(((build(s), n) for n, s in SCOPES.items()), key=lambda pair: len(pair[0].transitions))
    found: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in FAULTS}
    unknown: set[str] = set()  # kinds with another that no search came to within the limits
    for number, (a, b) in enumerate(combinations(FAULTS, 2), 1):
        try:
            witness = _witness(a, b, named, limits)
        except LimitReached:
            unknown |= {a, b}
            continue
        if witness:
            found[a][b] = found[b][a] = witness
        if progress:
            progress(f"{number} of {len(FAULTS) * (len(FAULTS) - 1) // 2} pairs")
    return [_pairs_with(kind, found[kind], kind in unknown) for kind in FAULTS]


def _pairs_with(kind: str, found: dict[str, dict[str, Any]], unknown: bool) -> Row:
    where = ", ".join(dict.fromkeys(w["scope"] for w in found.values()))
    missing = [other for other in FAULTS if other != kind and other not in found]
    detail = f"with {len(found)} of {len(FAULTS) - 1} kinds"
    never = "not found within the limits, or never," if unknown else "never"
    detail += f"; {never} with {', '.join(missing)}" if missing else ""
    happens = ("happens", HOLDS) if not missing else ("unknown", UNKNOWN) if unknown else ("never", LIVENESS)
    deepest = max((w["steps"] for w in found.values()), default=0)
    return Row(
        "fault pairs",
        kind,
        where,
        *happens,
        (),
        "happens",
        detail=detail,
        depth=deepest,
        facts={"with": found},
    )


def _witness(a: str, b: str, named: Sequence[tuple[Protocol, str]], limits: Limits) -> dict[str, Any] | None:
    """A behaviour with both kinds: in a named scope, small ones first; else in one made for the two. Raises
    LimitReached where there may be one beyond the limits."""
    removed = (*FAULTS[a][1], *FAULTS[b][1])
    candidates = [] if removed else [(p, n) for p, n in named if {a, b} <= {t.fault for t in p.transitions}]
    bounds: dict[str, int] = {}
    for name, value in (*FAULTS[a][0].items(), *FAULTS[b][0].items()):
        bounds[name] = max(value, bounds.get(name, 0))
    own = ",".join(f"{name}={value}" for name, value in bounds.items()) or "writes=1"
    over: LimitReached | None = None
    for protocol, name in [*candidates, (None, own)]:
        try:
            path = with_both_faults(protocol or build(parse_scope(own), None, removed), a, b, limits)
        except LimitReached as reached:
            over = reached
            continue
        if path is not None:
            return {"scope": name, "removed": list(removed), "steps": path.steps}
    if over:
        raise over
    return None


def counterexample_rows(progress: Progress | None, index: int, full: bool, folder: str) -> list[Row]:
    """One counterexample: violated, by the very steps that are stored; with `full` also: not so with the safeguard."""
    from cutproof.checks.cutover.safeguards import necessity

    experiment, start = necessity.EXPERIMENTS[index], time.perf_counter()
    verdict = _settled(necessity.violated(experiment))
    name = f"{experiment.file}.itf.json"
    wrong, reason = SAFETY if verdict.form == "always" else LIVENESS, ""
    if isinstance(verdict, Unknown):
        wrong, reason = UNKNOWN, verdict.reason
    elif not isinstance(verdict, Violated):
        reason = "it can be removed without harm: a check that cannot fail"
    else:
        reason = _stored(necessity, experiment, verdict, File(folder) / name)
        if not reason and full and experiment.safeguard:
            kept = _settled(necessity.holds_with(experiment))
            if not isinstance(kept, Holds):
                wrong = code_of(kept)
                reason = f"with the safeguard it should hold, and is {word(kept)}"
    steps = verdict.path.steps if isinstance(verdict, Violated) and verdict.path else 0
    facts = {"steps": steps, "policy": experiment.policy.changed()}
    code = wrong if reason else HOLDS
    row = Row("counterexample", experiment.file, experiment.scope_name, word(verdict), code, experiment.removed,
              "violated", experiment.property, experiment.harm, reason, f"traces/{name}", facts=facts,
              **_counts(verdict, time.perf_counter() - start))  # fmt: skip
    return [row]


def _settled(verdict: Verdict) -> Verdict:
    if isinstance(verdict, Unknown) and verdict.reason == INTERRUPTED:
        raise KeyboardInterrupt
    return verdict


def _stored(necessity: Any, experiment: Any, verdict: Violated, file: File) -> str:
    """What is wrong with the stored trace of a counterexample, or nothing."""
    try:
        trace = read(file)
        result = replay(trace, necessity.protocol_of(experiment), file.name)
    except TraceError as error:
        return f"the stored trace is refused: {error}"
    if result.divergence:
        return f"the stored trace is not reproduced: {result.divergence.reason}"
    wanted = necessity.trace_of(experiment, verdict)
    if trace.steps != wanted.steps:
        return "the stored trace is not the shortest"
    same = all(getattr(trace.meta, k) == getattr(wanted.meta, k) for k in ("property", "form", "harm"))
    return "" if same else "the stored trace is of another property"


def as_written_rows(progress: Progress | None, name: str = "base") -> list[Row]:
    """The seed's design under the default policy: it should not hold."""
    start, scope, removed = time.perf_counter(), parse_scope(name), tuple(sorted(HARDENED - AS_WRITTEN))
    found = searched(build(scope, None, removed), cycles=False, stop_at_first=True, progress=progress)
    broken = [v for v in found.verdicts if isinstance(v, Violated) and v.form == "always"]
    about = {"removed": removed, "expected": "violated", **_counts(found, time.perf_counter() - start)}
    row = row_of("as written", name, scope.describe(), (broken or found.verdicts)[0], **about)
    why = "" if broken else "the seed's design should be violated"
    return [replace(row, code=HOLDS if broken else SAFETY, detail=why)]


# ------------------------------------------------------------------ what the rows say together


def coverage_rows(rows: Sequence[Row]) -> list[Row]:
    """Whether every *sometimes*, every action and every kind of fault happened in some row, and in which. Where the
    answer of some row is not known, what was not seen may have happened there: that is unknown too."""
    protocol, found = cutover(Scope()), []
    unknown = [f"{r.check} {r.name}" for r in rows if r.code == UNKNOWN]
    for prop in [p for p in protocol.properties if p.form == "sometimes"]:
        places = [r.name for r in rows if r.facts.get("sometimes", {}).get(prop.name)]
        found.append(_covered(f"sometimes {prop.name}", {prop.name: places}, unknown, prop.name))
    for what in ("actions", "faults"):
        names = [a.name for a in protocol.actions] if what == "actions" else list(FAULTS)
        places_of = {name: [r.name for r in rows if name in r.facts.get(what, ())] for name in names}
        found.append(_covered(f"every {what[:-1]}", places_of, unknown))
    return found


def _covered(name: str, places: dict[str, list[str]], unknown: Sequence[str], prop: str = "") -> Row:
    never = [what for what, where in places.items() if not where]
    rows = list(dict.fromkeys(place for where in places.values() for place in where))
    detail = "" if prop else f"{len(places)} in {len(rows)} rows"
    happens = ("happens", HOLDS)
    if never:
        happens = ("unknown", UNKNOWN) if unknown else ("never", LIVENESS)
        detail = f"{'not seen' if unknown else 'never'}: {', '.join(never)}"
    if never and unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        detail += f"; it may be in {unknown[0]}{more}, which {'are' if more else 'is'} unknown"
    where = ", ".join(rows) if prop else ""
    return Row("coverage", name, where, *happens, (), "happens", prop, detail=detail, facts={"in": places})


# ------------------------------------------------------------------ the whole of it


def tasks(full: bool = False, folder: File = FOLDER) -> list[Task]:
    """Every task of the ladder, in the order in which its rows are told."""
    from cutproof.checks.cutover.safeguards import necessity
    from cutproof.checks.ladder import loss as verify_loss
    from cutproof.checks.ladder import proofs as verify_proof
    from cutproof.checks.ladder import reference as verify_impl
    from cutproof.checks.ladder import wide

    experiments = [(e.file, i) for i, e in enumerate(necessity.EXPERIMENTS)]
    return [
        *scope_tasks(SCOPES),
        *wide.tasks(full),
        Task("other settings", other_settings_rows, rung="other settings"),
        Task("fault pairs", fault_pairs_rows, heavy=True, rung="fault pairs"),
        *(
            Task(name, counterexample_rows, (index, full, str(folder)), rung="counterexample")
            for name, index in experiments
        ),
        Task("as written", as_written_rows, rung="as written"),
        *verify_impl.tasks(full),
        *verify_loss.tasks(full),
        *verify_proof.tasks(full),
    ]


def scope_tasks(names: Iterable[str]) -> list[Task]:
    """The tasks that explore these named scopes; the large ones are begun first."""
    return [Task(name, scope_rows, (name,), name in HEAVY, rung="scope") for name in names]
