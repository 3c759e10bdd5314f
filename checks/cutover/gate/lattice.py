"""Every policy at once: the mechanisms are part of the state, so one search decides the whole lattice.

    python -m cutproof.checks.cutover.gate.lattice          # the counts
    python -m cutproof.checks.cutover.gate.lattice --write  # ... and docs/policies.csv: every policy and property

A state carries the mechanisms with which its run began, as fields that no transition changes. What policies have in
common is computed once. The table is drawn by decision diagrams (`wide.py`, in seconds); the fast engine decides the
same here, and has a shortest trace for each property that a policy violates. The scopes are those of
the census (`census.py`): `gate`, and `gate_alone` where RF * RG = 1; the census explores each policy on its own, with
the plain engine, and must agree.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path as File

from cutproof.checks.common.workers import exit_code_of
from cutproof.checks.cutover.evidence import replaced
from cutproof.checks.cutover.gate import census
from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.fast.explore import default_workers
from cutproof.checks.engines.fast.liveness import Passes, at_once, first_level
from cutproof.checks.engines.fast.search import VectorSearch
from cutproof.checks.engines.fast.shortest_paths import Goal, paths
from cutproof.checks.engines.verdict import Path
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.policy import Policy, policies, resolve, seed_gate, sound_gate
from cutproof.model.cutover.properties import LIVELY, no_permanent_loss
from cutproof.model.cutover.scopes import SMALL_SCOPES, Scope
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Claim, Protocol, State

HEALS = "heals"  # a claim beside those of the protocol: what was missing at the owner came back
TABLE = File("docs/policies.csv")
JUDGED = ("always", "can_always")


@dataclass(frozen=True)
class Decided:
    """One policy: by the name of each property that it violates, the fewest steps to a state that shows it."""

    policy: Policy
    steps: dict[str, int]
    heals: bool

    @property
    def strict(self) -> bool:
        """Every *always* property and every *can always* holds."""
        return not self.steps

    @property
    def eventual(self) -> bool:
        """No reachable state has lost for good, the migration can finish, and clients can be served."""
        return not {p.name for p in (no_permanent_loss, *LIVELY)} & self.steps.keys()


@dataclass(frozen=True)
class Run:
    """One search over many records of mechanisms. `found` has, by the number of a record and the claim, the path."""

    protocol: Protocol
    claims: tuple[Claim, ...]
    records: tuple[Mechanisms, ...]
    states: int
    transitions: int
    found: dict[tuple[int, int], Path | int]


Progress = Callable[[int, int, int, int, float], None]


def decide(
    alone: bool, workers: int | None = None, traces: bool = True, progress: Progress | None = None
) -> Run:
    """All policies with one copy of each document (`alone`), or with replicas, as `search` decides them."""
    return search(*scope_of(alone), workers, traces, progress)


def scope_of(alone: bool) -> tuple[Scope, tuple[Mechanisms, ...]]:
    """The scope in which policies with one copy of each document (`alone`), or with replicas, are decided, and what
    all of them come down to."""
    records = tuple(dict.fromkeys(resolve(p) for p in policies() if p.replicas is not alone))
    return SMALL_SCOPES["gate_alone" if alone else "gate"], records


def search(
    scope: Scope,
    records: tuple[Mechanisms, ...],
    workers: int | None = None,
    traces: bool = True,
    progress: Progress | None = None,
) -> Run:
    """Every one of these records in one scope, in one search. Without `traces`, `found` has numbers of steps. Raises
    RuntimeError if the search was ended."""
    symbolic = cutover(scope)
    protocol, starts = symbolic.resolve_all(records)
    healed = ex.disjunction(*(f.term for f in symbolic.view.healed))
    claims = (*(c for c in protocol.claims if c.form in JUDGED), Claim(HEALS, "sometimes", "", healed))
    engine = VectorSearch(
        protocol, claims, Limits(), workers=workers or default_workers(), progress=progress, starts=starts,
        apart=[f.name for f in protocol.fields if f.variable.startswith("mechanisms.")],
    )  # fmt: skip
    try:
        engine.run()
        if engine.ended:
            raise RuntimeError(engine.ended)
        return _found(engine, protocol, claims, records, starts, traces)
    finally:
        engine.close()


def _found(search: VectorSearch, protocol: Protocol, claims: tuple[Claim, ...], records: tuple[Mechanisms, ...],
           starts: Sequence[State], traces: bool) -> Run:  # fmt: skip
    goals: dict[tuple[int, int], Goal] = {(c, o): goal for (c, o), goal in search.first.items() if c >= 0}
    places = [i for i, c in enumerate(claims) if c.form == "can_always"]
    many = at_once(search)
    for some in (places[low : low + many] for low in range(0, len(places), many)):
        for claim, lost in zip(some, Passes(search, some, lambda: None).reach(), strict=True):
            goals.update({(claim, origin): goal for origin, goal in first_level(search, lost).items()})
    number = {int(search.origins(search.row_of(start))[0]): i for i, start in enumerate(starts)}
    named = {(number[origin], claim): goal for (claim, origin), goal in goals.items()}
    if traces:
        ways = paths(search, named, shared=lambda name: name[1])
        found: dict[tuple[int, int], Path | int] = dict(ways)
    else:
        found = {name: depth for name, (depth, _) in named.items()}
    return Run(protocol, claims, records, search.states, int(search.engine.fired.sum()), found)


def lattice(runs: Sequence[Run]) -> list[Decided]:
    """Every policy, in the order of `policies()`, from the runs with replicas and without."""
    by_record: dict[tuple[bool, Mechanisms], dict[str, int]] = {}
    for alone, run in zip((False, True), runs, strict=True):
        for record in run.records:
            by_record[alone, record] = {}
        for (number, claim), way in run.found.items():
            steps, name = way if isinstance(way, int) else way.steps, run.claims[claim].property
            so_far = by_record[alone, run.records[number]]
            so_far[name] = min(steps, so_far.get(name, steps))
    decided = []
    for policy in policies():
        mine = by_record[not policy.replicas, resolve(policy)]
        decided.append(Decided(policy, {n: s for n, s in mine.items() if n != HEALS}, HEALS in mine))
    return decided


def table(found: Sequence[Decided]) -> str:
    """One line a policy: its values, what it is worth, what the gates say, and for each property the fewest steps to a
    violation, or nothing where it holds. Comma-separated, with a head."""
    names = sorted({name for d in found for name in d.steps})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [*(f.name for f in fields(Policy)), "strict", "eventual", "heals", "seed_gate", "sound_gate", *names]
    )
    for d in found:
        values = [getattr(d.policy, f.name) for f in fields(Policy)]
        gates = ["refuses" if gate(d.policy) else "accepts" for gate in (seed_gate, sound_gate)]
        words = [_word(v) for v in (*values, d.strict, d.eventual, d.heals)]
        writer.writerow([*words, *gates, *(d.steps.get(name, "") for name in names)])
    return out.getvalue()


def _word(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value).lower()


def text(found: Sequence[Decided]) -> str:
    """The counts, as a part of a document."""
    accepted = [d for d in found if seed_gate(d.policy) is None]
    rows = (
        ("all valid policies", len(found)),
        ("safe, strictly", sum(d.strict for d in found)),
        ("safe, eventually", sum(d.eventual for d in found)),
        ("accepted by the seed's gate", len(accepted)),
        ("- and unsafe, strictly", sum(not d.strict for d in accepted)),
        ("- and unsafe, eventually", sum(not d.eventual for d in accepted)),
        ("refused by the seed's gate, and safe", sum(d.strict for d in found if seed_gate(d.policy))),
        (
            "on which the sound gate and the search differ",
            sum(d.strict is (sound_gate(d.policy) is not None) for d in found),
        ),
    )
    by_property = Counter(name for d in found for name in d.steps)
    lines = [
        "| every policy, decided in one search | policies |",
        "|---|---|",
        *(f"| {a} | {n:,} |" for a, n in rows),
    ]
    lines += [
        "",
        "| property | policies that violate it | fewest steps, at least | at most |",
        "|---|---|---|---|",
    ]
    for name, number in sorted(by_property.items()):
        steps = [d.steps[name] for d in found if name in d.steps]
        lines.append(f"| {name} | {number:,} | {min(steps)} | {max(steps)} |")
    return "\n".join(lines)


def differ(found: Sequence[Decided], judged: Sequence[census.Judged]) -> list[str]:
    """Where the census says something else, in a line for each policy."""
    lines = []
    for d, j in zip(found, judged, strict=True):
        if (set(d.steps), d.heals) != (set(j.violated), j.heals):
            lines.append(
                f"{d.policy.changed()}: {sorted(d.steps)} {d.heals}; the census {sorted(j.violated)} {j.heals}"
            )
    return lines


def main(arguments: list[str]) -> int:
    """Judge the whole lattice of policies; print the table, or write it. Exit code 2 for wrong usage."""
    if arguments not in ([], ["--write"]):
        print("usage: python -m cutproof.checks.cutover.gate.lattice [--write]", file=sys.stderr)
        return 2
    from cutproof.checks.cutover.gate import wide  # it imports this module

    start, runs = time.perf_counter(), list[Run]()
    for alone in (False, True):
        runs.append(wide.search(*scope_of(alone)))
        run = runs[-1]
        print(
            f"{len(run.records)} records of mechanisms, {run.states:,} states, {run.transitions:,} transitions, "
            f"{len(run.found):,} violations or healings, after {time.perf_counter() - start:.1f} s",
            file=sys.stderr, flush=True,
        )  # fmt: skip
    found = lattice(runs)
    part = text(found)
    print(part)
    if arguments:
        TABLE.write_text(table(found), encoding="utf-8")
        page = File("docs/findings.md")
        page.write_text(replaced(page.read_text(encoding="utf-8"), "lattice", part), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
