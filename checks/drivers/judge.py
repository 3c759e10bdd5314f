"""What a client was promised, and what clients then see: the judge of any system that stores documents by key.

Every value is written once, so a read tells which operation it shows; a read of nothing may show any delete, or the
beginning. For each document the judge keeps which operation must come before which, and asks of every read whether
what it shows can still be the latest. What surely took effect (it was acknowledged, or a client has seen it) before
the read began must not come after what is shown. What is pending, or failed, may or may not have happened.

*a comes before b* if a was over when b was issued, or if a surely had taken effect when a client saw b. When an
operation that failed is over is a matter of reading, and both are offered:

- `versioned`, the default: it is over when its client hears of the failure. It may take effect later, but a write that
  was issued afterwards has the higher version and wins, whatever arrives when. That is what `protocol.md` demands: a
  system without it loses updates to its own late messages.
- without it: it is never over until it is seen, and may overwrite what was acknowledged meanwhile. That is how Jepsen
  treats `:info`, and right for a register that knows no versions.

Operations that overlap may come in either order, in both readings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, PENDING, REFUSED


@dataclass(eq=False)
class Operation:
    """One put or delete. `issued`, `answered` and `shown` (first) are moments; `step` is where it was answered."""

    number: int
    key: str
    value: str | None
    issued: int
    status: str = PENDING
    answered: int | None = None
    shown: int | None = None
    step: int = 0
    shown_at: int = 0  # the step of `shown`
    after: list[Operation] = field(default_factory=list)  # what was seen to come after it

    def __str__(self) -> str:
        if self.number == 0:
            return "nothing"
        return f"{'delete' if self.value is None else 'put'} #{self.number}"

    def over(self, versioned: bool) -> int | None:
        """The moment after which what is issued comes after it; None if there is none yet."""
        ended = self.status == ACKNOWLEDGED or (versioned and self.status == FAILED)
        return min((m for m in (self.answered if ended else None, self.shown) if m is not None), default=None)

    def certain(self, moment: int) -> bool:
        """It has surely taken effect by then."""
        told = self.status == ACKNOWLEDGED and self.answered is not None and self.answered < moment
        return told or (self.shown is not None and self.shown < moment)


class Judge:
    """Remembers the operations on one document, and judges what is read."""

    def __init__(self, key: str, versioned: bool = True) -> None:
        self.key, self.versioned = key, versioned
        self.operations = [Operation(0, key, None, -1, ACKNOWLEDGED, -1)]  # the beginning

    def issue(self, number: int, value: str | None, moment: int) -> Operation:
        """A client issues an operation."""
        operation = Operation(number, self.key, value, moment)
        self.operations.append(operation)
        return operation

    def answer(self, operation: Operation, status: str, moment: int, step: int) -> str:
        """A client is answered. Returns what is wrong with that, or nothing."""
        operation.status, operation.answered, operation.step = status, moment, step
        if status == REFUSED and operation.shown is not None:
            return f"{self._say(operation)}, after a client had read it at step {operation.shown_at}"
        return ""

    def read(self, value: str | None, moment: int, step: int, who: str = "a client reads") -> str:
        """What is wrong with reading this value, or nothing. `moment` is when the read began."""
        writers = [o for o in self.operations if o.value == value]
        if not writers:
            return f"{self.key}: at step {step} {who} {value!r}, which nobody wrote to it"
        candidates = [o for o in writers if o.status != REFUSED]
        certain = [o for o in self.operations if o.certain(moment)]
        allowed = [o for o in candidates if self._contradiction(o, certain) is None]
        if not allowed:
            return self._wrong(writers, certain, step, who)
        if len(allowed) == 1:
            found = allowed[0]
            if found.shown is None:
                found.shown, found.shown_at = moment, step
            for earlier in certain:
                if earlier is not found and found not in earlier.after:
                    earlier.after.append(found)
        return ""

    def final(self) -> Operation | None:
        """The operation whose value must be there in the end, where that is determined; None where it is not."""
        known = [o for o in self.operations if o.status != REFUSED]
        ordered = all(a.answered is not None and a.answered < b.issued for a, b in pairwise(known))
        return known[-1] if ordered and all(o.status == ACKNOWLEDGED for o in known) else None

    def _contradiction(self, shown: Operation, certain: list[Operation]) -> Operation | None:
        """The latest of what surely took effect, and comes after what is shown."""
        later = self._later(shown)
        return next((o for o in reversed(certain) if o is not shown and o in later), None)

    def _later(self, start: Operation) -> set[Operation]:
        """Everything that comes after an operation."""
        found: set[Operation] = set()
        open_ = [start]
        while open_:
            one = open_.pop()
            over = one.over(self.versioned)
            issued = [] if over is None else [o for o in self.operations if o.issued > over]
            for other in (*issued, *one.after):
                if other not in found:
                    found.add(other)
                    open_.append(other)
        return found

    def _wrong(self, writers: list[Operation], certain: list[Operation], step: int, who: str) -> str:
        """The sentence for a read that nothing allows."""
        refused = [o for o in writers if o.status == REFUSED]
        if len(refused) == len(writers):
            shown = refused[-1]
            return (
                f"refused, yet it happened: {self._say(shown)}, and at step {step} {who} {self._name(shown)}"
            )
        shown = next(o for o in reversed(writers) if o.status != REFUSED)
        promised = self._contradiction(shown, certain)
        assert promised is not None
        if promised.status != ACKNOWLEDGED:
            kind = "a read goes back"
        elif shown.value is None:
            kind = "lost acknowledged write"
        else:
            kind = "resurrected delete" if promised.value is None else "lost update"
        perhaps = f" (or {refused[-1]}, refused at step {refused[-1].step}, happened)" if refused else ""
        return f"{kind}: {self._say(promised)}, and at step {step} {who} {self._name(shown)}{perhaps}"

    @staticmethod
    def _name(operation: Operation) -> str:
        return "nothing" if operation.value is None else str(operation)

    def _say(self, operation: Operation) -> str:
        if operation.status in (ACKNOWLEDGED, REFUSED):
            return f"{self.key}: {operation} was {operation.status} at step {operation.step}"
        return f"{self.key}: {operation} was read at step {operation.shown_at}"
