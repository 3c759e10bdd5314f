"""Every guard dropped, one at a time: does any property notice?

    python -m cutproof.checks.cutover.safeguards.guards  # some minutes; prints a line for each guard

A guard that nothing notices is not wrong: another guard may say the same, or it keeps only useless steps
away. But a protocol in which few guards are noticed would be one whose properties see little.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.mechanisms import Mechanisms
from cutproof.model.cutover.scopes import SCOPES, SMALL_SCOPES
from cutproof.model.language.protocol import Protocol

# From small to large: the first in which a guard is noticed is enough.
WHERE = (
    "two_migrations", "zombie", "base", "replica", "reads", "crash", "abort", "deletes", "leftovers", "two_repairs",
    "collection", "two_documents", "kinds",
)  # fmt: skip
LIMITS = Limits(states=120_000)


@dataclass(frozen=True)
class Dropped:
    """A guard, and what noticed that it was gone: the scope, the property and the harm, or nothing."""

    action: str
    guard: str
    scope: str = ""
    property: str = ""
    harm: str = ""


@cache
def _hardened(scope: str) -> Protocol:
    return cutover({**SCOPES, **SMALL_SCOPES}[scope]).resolve(Mechanisms())


def guards(scopes: Sequence[str] = WHERE) -> list[tuple[str, str]]:
    """Every action and named guard that there is in some scope, in the order of the protocol."""
    found: dict[tuple[str, str], None] = {}
    for scope in scopes:
        for transition in _hardened(scope).transitions:
            found.update(dict.fromkeys((transition.action, name) for name, _ in transition.guards))
    return list(found)


def drop(action: str, name: str, scopes: Sequence[str] = WHERE, limits: Limits = LIMITS) -> Dropped:
    """Drop one guard and explore, scope after scope, until some property notices."""
    for scope in scopes:
        try:
            protocol = _hardened(scope).without_guard(action, name)
        except ValueError:
            continue
        found = explore(protocol, limits=limits, stop_at_first=True, cycles=False)
        for verdict in found.verdicts:
            if isinstance(verdict, Violated) and verdict.form != "sometimes":
                return Dropped(action, name, scope, verdict.property, verdict.harm)
    return Dropped(action, name)


def drop_all(scopes: Sequence[str] = WHERE) -> Iterator[Dropped]:
    """Every guard dropped, one after the other, in the order of the protocol."""
    for action, name in guards(scopes):
        yield drop(action, name, scopes)


def main() -> int:
    """Drop each guard, and print by which property it is noticed."""
    noticed = total = 0
    for dropped in drop_all():
        total, noticed = total + 1, noticed + bool(dropped.scope)
        by = f"{dropped.property} {dropped.harm} in {dropped.scope}" if dropped.scope else "nothing"
        print(f"{dropped.action}: {dropped.guard!r} is noticed by {by}", flush=True)
    print(f"{noticed} of {total} guards are noticed by a property")
    return 0


if __name__ == "__main__":
    sys.exit(main())
