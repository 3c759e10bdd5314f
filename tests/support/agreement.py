"""What two explorations of one protocol do not have in common: counts, states, verdicts, and paths step for step."""

from typing import Any

from cutproof.checks.engines.exploration import Exploration
from cutproof.checks.engines.verdict import Verdict


def told(verdict: Verdict) -> tuple[Any, ...]:
    """What a verdict says, but for the seconds."""
    path = getattr(verdict, "path", None) or getattr(verdict, "witness", None)
    more = (
        getattr(verdict, "detail", ""),
        getattr(verdict, "reason", ""),
        verdict.states,
        verdict.transitions,
    )
    return type(verdict).__name__, verdict.property, verdict.form, verdict.harm, path, *more, verdict.depth


def differences(one: Exploration, two: Exploration) -> list[str]:
    """What two explorations of a protocol do not have in common."""
    names = ["fired", "expanded", "depth", "ended", "coverage", "frontier", "reason"]
    names += ["degrees"] if one.edges else []  # the plain engine counts them where it keeps edges
    found = [name for name in names if getattr(one, name) != getattr(two, name)]
    if len(one.states) != len(two.states) or set(one.states) != set(two.states):
        found.append("states")
    found += [f"{a[:4]} / {b[:4]}" for a, b in zip(told_by(one), told_by(two), strict=False) if a != b]
    return found + ["verdicts"] * (len(one.verdicts) != len(two.verdicts))


def told_by(found: Exploration) -> list[tuple[Any, ...]]:
    """What each verdict says."""
    return [told(verdict) for verdict in found.verdicts]
