"""What a run in lock step is of, and what it may end in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.scopes import Scope
from cutproof.model.language.protocol import Claim


class Violated(AssertionError):
    """A property is false, in a run in which it should hold."""

    def __init__(self, claims: Iterable[Claim], path: Iterable[str]) -> None:
        self.claims = tuple(claims)
        self.path = tuple(path)
        names = ", ".join(c.property + (f" ({c.harm})" if c.harm else "") for c in self.claims)
        steps = [f"  {number}. {step}" for number, step in enumerate(self.path, 1)]
        super().__init__("\n".join([f"violated after {len(self.path)} steps: {names}", *steps]))


class Stuck(AssertionError):
    """A migration does not end although nothing goes wrong any more."""


@dataclass(frozen=True)
class Configuration:
    """What is run: a scope, a policy, and the removed safeguards; `watched` are (property, harm), empty for all."""

    name: str
    scope: Scope
    policy: Policy = field(default_factory=Policy)
    removed: tuple[str, ...] = ()
    watched: frozenset[tuple[str, str]] = frozenset()
    why: str = "a property is violated"
    ends: bool = True  # with every safeguard in place: a migration must end once faults stop

    @property
    def hardened(self) -> bool:
        """Every safeguard is in place: nothing may be found."""
        return not self.removed and not self.watched
