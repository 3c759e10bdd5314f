"""Under which other settings a removed safeguard is seen to matter, where an exploration without it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cutproof.checks.cutover.safeguards.necessity import FOR_EVER, NECESSARY, Experiment

FEW = 3  # safeguards that are each worth a line
WIDTH = 120  # columns of a line


def smallest(safeguard: str) -> Experiment | None:
    """The experiment that shows it necessary with the fewest policy values changed and companions removed."""
    mine = (e for e in (*NECESSARY, *FOR_EVER) if e.safeguard == safeguard)
    return min(mine, key=lambda e: len(e.policy.changed()) + len(e.companions), default=None)


def command(experiment: Experiment) -> str:
    """The exploration in which its harm is seen."""
    policy = ",".join(f"{k}={str(v).lower()}" for k, v in experiment.policy.changed().items())
    parts = [f"--scope {experiment.scope_name}", f"--without {','.join(experiment.removed)}"]
    parts.append(f"--policy {policy}" if policy else "")
    return " ".join(["cutproof explore", *filter(None, parts)])


def commands(removed: Iterable[str], scope: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, str]:
    """By safeguard, the exploration that shows it to matter, unless it is the one of this scope and policy. Names
    that are of no safeguard are passed over."""
    known = (e for e in map(smallest, removed) if e is not None)
    return {
        e.safeguard: command(e)
        for e in known
        if (e.scope.bounds(), e.policy.changed()) != (dict(scope), dict(policy))
    }


def hints(found: Mapping[str, str]) -> list[str]:
    """Such commands as lines to say where everything holds: one each, as far as they are few."""
    if len(found) > FEW:
        return [
            f"each of the {len(found)} removed safeguards matters under some setting: `cutproof safeguards NAME`"
        ]
    return [part for name, line in found.items() for part in _in_lines(f"{name} matters under: {line}")]


def _in_lines(text: str) -> list[str]:
    """A line that ends with a command, as two where it is long; a shell takes them together."""
    first, option, policy = text.partition(" --policy ")
    return [f"{first} \\", f"    --policy {policy}"] if option and len(text) > WIDTH else [text]
