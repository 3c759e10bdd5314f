"""One sentence on a part of a history that no order explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, PENDING, REFUSED, UNEQUAL
from cutproof.checks.drivers.histories.lists import items_of
from cutproof.checks.drivers.histories.operation import COUNTER, GET, LIST, Operation, key_of


def reason_of(
    thing: str, everything: Sequence[Operation], part: Sequence[Operation], last: Operation, place: str
) -> str:
    """What is wrong with the answer `last`, as `part` of all operations on its key shows."""
    about = {COUNTER: _Counter, LIST: _List}.get(thing, _Register)
    return about(everything, part, last, place).reason()


class _Reason:
    def __init__(
        self, everything: Sequence[Operation], part: Sequence[Operation], last: Operation, place: str
    ) -> None:
        self.everything = [o for o in everything if o.invoked <= (last.returned or 0)]
        self.part, self.last, self.place = part, last, place
        self.key = last.key

    def at(self, o: Operation) -> str:
        return f" at {self.place} {o.step}" if o.step else ""

    def then(self, o: Operation) -> str:
        return f"at {self.place} {o.step} " if o.step else "later "

    @staticmethod
    def who(o: Operation) -> str:
        return o.who or "a client reads"

    def told(self, o: Operation) -> str:
        """What its client was told of it: "put #2 was acknowledged at step 9"."""
        said = {PENDING: "is pending", FAILED: "failed", UNEQUAL: "was answered unequal"}
        return f"{o} {said.get(o.outcome, f'was {o.outcome}')}{self.at(o)}"

    def refused_after(self, o: Operation) -> str:
        """A refused operation that was seen."""
        start = f"refused, yet it happened: {self.key}: {self.told(o)}"
        if o.returned is not None and self.last.returned is not None and o.returned > self.last.returned:
            return f"{start}, after a client had read it{self.at(self.last)}"
        return f"{start}, and {self.then(self.last)}{self.finds()}"

    def finds(self) -> str:
        raise NotImplementedError

    def reason(self) -> str:
        raise NotImplementedError


class _Register(_Reason):
    def value(self, o: Operation) -> Any:
        return o.result if o.kind == GET else o.argument[0]

    def writers(self, value: Any) -> list[Operation]:
        return [
            o
            for o in self.everything
            if o.kind != GET
            and o.outcome != UNEQUAL
            and o is not self.last
            and key_of(o.value) == key_of(value)
        ]

    def name(self, value: Any) -> str:
        """A value by the operation that wrote it."""
        if value is None:
            return "nothing"
        writers = self.writers(value)
        return str(max(writers, key=lambda o: (o.outcome != REFUSED, o.number))) if writers else brief(value)

    def finds(self) -> str:
        value = self.name(self.value(self.last))
        return f"{self.who(self.last)} {value}" if self.last.kind == GET else f"{self.last} finds {value}"

    def reason(self) -> str:
        last, value = self.last, self.value(self.last)
        if last.outcome == UNEQUAL:
            return (
                f"a mismatch without cause: {self.key}: {last} expected {self.name(value)} and was answered"
                f" unequal{self.at(last)}, when nothing else can have been there"
            )
        writers = self.writers(value)
        refused = [o for o in writers if o.outcome == REFUSED]
        if value is not None and not writers:
            who = self.who(last) if last.kind == GET else f"{last} finds"
            return f"{self.key}: {self.then(last)}{who} {brief(value)}, which nobody wrote to it"
        if value is not None and len(refused) == len(writers):
            return self.refused_after(refused[-1])
        return self._order(value) + (
            f" (or {refused[-1]}, refused{self.at(refused[-1])}, happened)" if refused else ""
        )

    def _order(self, value: Any) -> str:
        last, others = self.last, [o for o in self.part if o is not self.last]
        rivals = [o for o in others if o.kind == "put_if" and o.outcome == ACKNOWLEDGED]
        rivals = [o for o in rivals if key_of(o.argument[0]) == key_of(value)]
        if last.kind == "put_if" and rivals:
            return (
                f"two compare-and-sets of one value: {self.key}: {self.told(rivals[-1])}, and"
                f" {self.told(last)}, and both replaced {self.name(value)}"
            )
        promised = [
            o for o in others
            if o.kind != GET and o.outcome == ACKNOWLEDGED and key_of(o.value) != key_of(value)
            and (o.returned or 0) <= (last.returned or 0)
        ]  # fmt: skip
        if promised:
            first = max(promised, key=lambda o: (o.returned or 0, o.number))
            if value is None:
                kind = "lost acknowledged write"
            else:
                kind = "resurrected delete" if first.value is None else "lost update"
            return f"{kind}: {self.key}: {self.told(first)}, and {self.then(last)}{self.finds()}"
        seen = [o for o in others if o.shows and key_of(self.value(o)) != key_of(value)]
        if seen:
            before = max(seen, key=lambda o: (o.returned or 0, o.number))
            return (
                f"a read goes back: {self.key}: {self.name(self.value(before))} was read{self.at(before)}, and"
                f" {self.then(last)}{self.finds()}"
            )
        return f"no order explains it: {self.key}: {self.then(last)}{self.finds()}"


class _Counter(_Reason):
    def finds(self) -> str:
        return f"{self.who(self.last)} {self.last.result or 0}"

    def reason(self) -> str:
        last, shown = self.last, self.last.result or 0
        adds = [o for o in self.part if o.kind != GET]
        reads = [o for o in self.part if o.kind == GET and o is not last and (o.returned or 0) < last.invoked]
        before = reads[0] if reads and reads[0] is self.part[0] else None
        start = (before.result or 0) if before else 0
        since = f"it was {start}{self.at(before)}, " if before else ""
        sure = [o for o in adds if o.demanded and (o.returned or 0) < last.invoked]
        sure = [o for o in sure if before is None or o.invoked > (before.returned or 0)]
        refused = [o for o in self.everything if o.kind == "add" and o.outcome == REFUSED]
        least, most = start + sum(o.argument for o in sure), start + sum(o.argument for o in adds)
        ending = f"and {self.then(last)}{self.finds()}"
        if not any(o.kind == "add" for o in self.everything):
            return f"{self.key}: {self.then(last)}{self.finds()}, and nobody added to it"
        if all(o.argument >= 0 for o in adds):
            if before and shown < start:
                return f"a read goes back: {self.key}: {since}{ending}"
            if shown < least:
                return f"lost increment: {self.key}: {since}{self.amounts(sure)}, {ending}"
            if shown > most:
                for o in refused:
                    if shown - most == o.argument:
                        return self.refused_after(o)
                asked = f"{self.amounts(adds, 'asked for')}" if adds else "nothing was added"
                return f"increment counted twice: {self.key}: {since}{asked}, {ending}"
        return f"a sum that no order explains: {self.key}: {since}{self.amounts(adds, 'asked for')}, {ending}"

    def amounts(self, adds: Sequence[Operation], told: str = "acknowledged") -> str:
        if not adds:
            return f"nothing was {told}"
        if len(adds) == 1:
            return f"{adds[0]} of {adds[0].argument} was {told}" + (
                self.at(adds[0]) if told == ACKNOWLEDGED else ""
            )
        return f"{len(adds)} additions, of {sum(o.argument for o in adds)} in all, were {told}"


class _List(_Reason):
    def __init__(
        self, everything: Sequence[Operation], part: Sequence[Operation], last: Operation, place: str
    ) -> None:
        super().__init__(everything, part, last, place)
        appends = sorted((o for o in part if o.kind != GET), key=lambda o: o.demanded)
        self.appends = {key_of(o.argument): o for o in appends}
        self.items = items_of(last.result)

    def finds(self) -> str:
        return f"{self.who(self.last)} {elided(self.items, set(self.appends))}"

    def reason(self) -> str:
        last = self.last
        ending = f"and {self.then(last)}{self.finds()}"
        asked = Counter(key_of(o.argument) for o in self.everything if o.kind != GET)
        for item in self.items:
            if item not in asked:
                return (
                    f"{self.key}: {self.then(last)}{self.who(last)} the item {brief(item)},"
                    " which nobody appended to it"
                )
        counts = Counter(self.items)
        for item, o in self.appends.items():
            if item in counts and o.outcome == REFUSED:
                return self.refused_after(o)
            if counts[item] > asked[item]:
                return (
                    f"duplicate append: {self.key}: {o} was asked for once, and {self.then(last)}"
                    f"{self.who(last)} its item {counts[item]} times"
                )
        reads = [o for o in self.part if o.kind == GET and o is not last]
        for o in reads:
            other = items_of(o.result)
            if len(other) > len(self.items) and other[: len(self.items)] == self.items:
                return (
                    f"a read goes back: {self.key}: {elided(other, set(self.appends))} was read{self.at(o)},"
                    f" {ending}"
                )
        gone = [o for item, o in self.appends.items() if item not in counts and o.demanded]
        if gone:
            return f"lost append: {self.key}: {self.told(gone[-1])}, {ending}"
        if reads:
            before = elided(items_of(reads[-1].result), set(self.appends))
            return f"appends out of order: {self.key}: {before} was read{self.at(reads[-1])}, {ending}"
        order = ", then ".join(self.told(o) for o in self.appends.values())
        return f"appends out of order: {self.key}: {order}, {ending}"


def brief(value: Any) -> str:
    """A value, cut where it is long."""
    return plain(repr(value), 40)


def elided(items: Sequence[Any], kept: set[Any]) -> str:
    """A list with dots for what is not kept."""
    found: list[str] = []
    for item in items:
        if item in kept:
            found.append(brief(item))
        elif not found or found[-1] != "...":
            found.append("...")
    return f"[{', '.join(found)}]"
