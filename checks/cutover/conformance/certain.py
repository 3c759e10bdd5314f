"""What a document must hold, where that is plain: no search for an order is needed then."""

from __future__ import annotations

from typing import Any

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, REFUSED
from cutproof.checks.drivers.histories.operation import Operation


def written(operation: Operation) -> str | None:
    """What a put, a put_if or a delete leaves behind."""
    if operation.kind == "delete":
        return None
    return str(operation.argument[1] if operation.kind == "put_if" else operation.argument)


class Certain:
    """What a document must hold, as long as its writes come one after the other and each is answered for certain. A
    read that shows just that needs no search for an order."""

    __slots__ = ("open", "sure", "value")

    def __init__(self, kind: str) -> None:
        self.open, self.sure = 0, True
        self.value: Any = {"add": 0, "append": []}.get(kind)

    def issued(self) -> None:
        """A write began."""
        self.sure &= self.open == 0
        self.open += 1

    def answered(self, operation: Operation) -> None:
        """A write was answered."""
        self.open -= 1
        if operation.outcome == REFUSED:
            return
        self.sure &= operation.outcome == ACKNOWLEDGED
        match operation.kind:
            case "add":
                self.value += operation.argument
            case "append":
                self.value = [*self.value, operation.argument]
            case _:
                self.value = written(operation)

    def explains(self, shown: Any) -> bool:
        """Whether it must be so that this is shown."""
        return self.sure and not self.open and bool(shown == self.value)
