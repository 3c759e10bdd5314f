"""What an exploration counted, in the terms of TLC: states generated, distinct and left on the queue; out-degrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.symmetry import interchangeable, why_not
from cutproof.checks.engines.verdict import many
from cutproof.model.language.protocol import Protocol, label


@dataclass(frozen=True)
class Symmetry:
    """What a search was reduced by: indices and their interchangeable values; and why not by others."""

    reduced: tuple[tuple[str, tuple[str, ...]], ...]
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Run:
    """How an exploration was made. `symmetry` is None where it was not asked to reduce."""

    engine: str
    workers: int = 1
    symmetry: Symmetry | None = None


def symmetry_of(protocol: Protocol) -> Symmetry:
    """By which indices of a protocol a search can be reduced, and why not by the others."""
    found = [(one.index, tuple(map(label, one.values))) for one in interchangeable(protocol)]
    reasons = [(index, why_not(protocol, index)) for index in protocol.indices]
    return Symmetry(tuple(found), tuple((index, reason) for index, reason in reasons if reason))


@dataclass(frozen=True)
class Degrees:
    """How many transitions the expanded states fired. Of 95 percent of them, no more than `percentile_95`."""

    minimum: int
    average: float
    maximum: int
    percentile_95: int


def degrees_of(counts: Sequence[int]) -> Degrees | None:
    """Of so many states for each out-degree from 0; None if there are none."""
    total = sum(counts)
    if not total:
        return None
    percentile = next(n for n, below in enumerate(accumulate(counts)) if 20 * below >= 19 * total)
    there = [degree for degree, count in enumerate(counts) if count]
    average = sum(degree * count for degree, count in enumerate(counts)) / total
    return Degrees(there[0], round(average, 3), there[-1], percentile)


def text(found: Exploration, run: Run) -> list[str]:
    """The counts as lines of text."""
    fired = ", ".join(f"{name} {many(times)}" for name, times in found.coverage.items() if times)
    lines = [f"fired: {fired}"] if fired else []
    generated = f"{many(_generated(found))} states generated, " if found.fired_counted else ""
    depth = "depth not counted" if found.depth is None else f"depth {found.depth}"
    lines.append(f"{generated}{many(found.distinct)} distinct, {many(found.frontier)} left on queue, {depth}")
    if degrees := degrees_of(found.degrees):
        lines.append(
            f"out-degree: minimum {degrees.minimum}, average {degrees.average:.2f}, maximum {degrees.maximum}, "
            f"95th percentile {degrees.percentile_95}"
        )
    threads = f" on {run.workers} thread{'s' * (run.workers > 1)}" if run.engine == "fast" else ""
    lines.append(f"{run.engine} engine{threads}: {found.seconds:.2f} s, {many(round(found.rate))} states/s")
    if found.ended:
        within = "" if found.depth is None else f"; every state within {_steps(found.depth)} was found"
        lines.append(f"ended early: {found.ended}{within}")
    return lines + (_symmetry(run.symmetry) if run.symmetry else [])


def _generated(found: Exploration) -> int:
    return found.transitions + len(found.protocol.initials)


def _steps(number: int) -> str:
    return f"{number} step{'s' * (number != 1)}"


def _symmetry(symmetry: Symmetry) -> list[str]:
    if symmetry.reduced:
        found = "; ".join(f"{index} {', '.join(values)}" for index, values in symmetry.reduced)
        return [f"reduced by symmetry ({found}): states that differ by an exchange of these are counted once"]
    lines = ["not reduced by symmetry, since no index is interchangeable:"]
    return lines + [f"    {index}: {reason}" for index, reason in symmetry.others]


def facts(found: Exploration, run: Run) -> dict[str, Any]:
    """The counts for machines."""
    degrees, symmetry = degrees_of(found.degrees), run.symmetry
    return {
        "generated": _generated(found) if found.fired_counted else None,
        "distinct": found.distinct,
        "queue": found.frontier,
        "depth": found.depth,
        "ended": found.ended,
        "degrees": vars(degrees) if degrees else None,
        "engine": run.engine,
        "workers": run.workers,
        "symmetry": symmetry and {"reduced": symmetry.reduced, "why_not": dict(symmetry.others)},
        "seconds": round(found.seconds, 3),
        "states_per_second": round(found.rate),
    }
