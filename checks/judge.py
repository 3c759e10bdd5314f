"""What a client was promised, and what it is then shown: the judge of any system that stores documents by key.

Operations on a document are numbered in the order in which clients issue them, and every value is written once, so a
read tells which operation it shows. An operation is *acknowledged*, *refused* (nothing of it was or will be applied),
*unknown* (it failed or timed out: it may have happened, or may yet) or *pending* (the client still waits).

Two readings of an unknown operation are possible, and both are offered:
- `versioned` (the default, and what `protocol.md` demands): the operation that was issued later wins, whatever arrives
  when. An unknown write may be shown, but never over a later acknowledged one.
- without it, the one of linearizable registers: an unknown operation may take effect at any later time, even over an
  acknowledged one (Jepsen's `:info`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ACKNOWLEDGED, REFUSED, UNKNOWN, PENDING = "acknowledged", "refused", "unknown", "pending"
OUTCOMES = (ACKNOWLEDGED, REFUSED, UNKNOWN, PENDING)


@dataclass
class Operation:
    """One put or delete. Times are the numbers of steps of the schedule; `answered` is None while nothing is known."""

    number: int
    key: str
    deletes: bool
    issued: int
    outcome: str = PENDING
    answered: int | None = None

    @property
    def value(self) -> dict[str, Any] | None:
        """What it writes: None for a delete."""
        return None if self.deletes else {"written_by": self.number}

    def __str__(self) -> str:
        return f"{'delete' if self.deletes else 'put'} #{self.number}"


class Judge:
    """Remembers the operations on one document, and judges what is read."""

    def __init__(self, key: str, versioned: bool = True) -> None:
        self.key, self.versioned = key, versioned
        self.operations: list[Operation] = []
        self.seen: tuple[Operation, int] | None = None  # the latest that was shown, and when

    def issue(self, number: int, deletes: bool, now: int) -> Operation:
        """A client issues an operation."""
        operation = Operation(number, self.key, deletes, now)
        self.operations.append(operation)
        return operation

    def promised(self) -> Operation | None:
        """The last operation that was acknowledged, by the order of issue."""
        return next((o for o in reversed(self.operations) if o.outcome == ACKNOWLEDGED), None)

    def read(self, value: Mapping[str, Any] | None, now: int, where: str = "a read") -> str:
        """What is wrong with reading this value; empty if nothing is. `now` is when the read began."""
        found = self._writers(value)
        if value is not None and not found:
            return f"{self.key}: {where} at step {now} shows {dict(value)!r}, which nobody wrote"
        allowed = [o for o in found if o is None or o.outcome != REFUSED]
        if not allowed:
            return f"{self.key}: {found[-1]} was refused, and {where} at step {now} shows it"
        promised = self.promised()
        fresh = [o for o in allowed if not self._is_superseded(o, promised)]
        if not fresh:
            assert promised is not None
            shown = allowed[-1] or "nothing"
            return (
                f"{self.key}: {promised} was acknowledged at step {promised.answered}, "
                f"and {where} at step {now} shows {shown}"
            )
        if self.seen is not None and self.versioned:
            before, when = self.seen
            fresh = [o for o in fresh if o is not None and o.number >= before.number]
            if not fresh:
                shown = allowed[-1] or "nothing"
                return (
                    f"{self.key}: {before} was shown at step {when}, and {where} at step {now} shows {shown}"
                )
        # Of several deletes that all look alike, the first that may be shown is the least that is known.
        if fresh[0] is not None:
            self.seen = (fresh[0], now)
        return ""

    def _writers(self, value: Mapping[str, Any] | None) -> list[Operation | None]:
        """The operations that leave this value; None is the beginning, before anybody wrote."""
        if value is None:
            return [None, *(o for o in self.operations if o.deletes)]
        return [o for o in self.operations if o.value == dict(value)]

    def _is_superseded(self, shown: Operation | None, promised: Operation | None) -> bool:
        if promised is None or shown is promised:
            return False
        if shown is None:
            return True
        if self.versioned:
            return shown.number < promised.number
        # Only what had been answered before a later acknowledged one was issued is surely over.
        later = (o for o in self.operations if o.outcome == ACKNOWLEDGED)
        known = shown.outcome == ACKNOWLEDGED
        return known and any(shown.answered is not None and shown.answered < o.issued for o in later)
