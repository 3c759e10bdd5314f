"""What clients do to a system, what they are told, and the judgement of what they see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from cutproof.checks.cutover.conformance.certain import Certain, written
from cutproof.checks.cutover.conformance.steps import CLIENTS, Step
from cutproof.checks.drivers.adapter import (
    ACKNOWLEDGED,
    COMPARED,
    PENDING,
    REFUSED,
    STATUSES,
    Adapter,
    Read,
    Unavailable,
    Value,
)
from cutproof.checks.drivers.finding import AdapterFailed
from cutproof.checks.drivers.histories.judge import Undecided, Unexplained, judge
from cutproof.checks.drivers.histories.operation import Operation
from cutproof.checks.drivers.system import System

KINDS = {
    "doc": "put",
    "counter": "add",
    "list": "append",
}  # how a document is written, by the name of its key
NOBODY = "value-0"  # a value that is never written
READS_FROM = 1_000_000  # the numbers of reads, which no schedule names, begin here
LARGEST = 40  # a counter is added 1, 2, 4, ... up to two to this
HOLDS, FINDS = "its owner holds", "a search finds"


def kind_of(key: str) -> str:
    """How the document of a key is written: "put", "add" or "append"."""
    return KINDS.get(key.partition("-")[0], "put")


class Clients(System):
    """A system, and all that its clients asked and were told: a history for each key."""

    brief = False  # whether it is enough to know that something is wrong: what it was takes longer to say

    def __init__(self, adapter: type[Adapter], unsupported: set[str]) -> None:
        super().__init__(adapter, unsupported)
        self.history: dict[str, list[Operation]] = {}
        self.asked: dict[Operation, Callable[[], Any]] = {}  # what is pending
        self.certain: dict[str, Certain] = {}
        self.known: dict[str, str | None] = {}  # what a document held when clients last knew
        self.added: Counter[str] = Counter()
        self.number = self.reads = 0

    def noted(self, what: str) -> str:
        """Count what is done, where the migration stands now; returns where that is."""
        raise NotImplementedError

    # -------------------------------------------------- writes

    def write(self, step: Step) -> Operation | None:
        """A client writes. The operation; None where the system has no such thing."""
        what, key, number = step.do, step.key, self.number + 1
        self.answers()
        argument = self._argument(step, number)
        given = argument if what == "put_if" else () if argument is None else (argument,)
        self.log.append(said := f"{what} #{number} of {key}{_by(step.client)}{self._if(what, argument)}")
        phase = self.noted(what)
        self.system.client = step.client
        operation = Operation(number, step.client, what, key, argument, self.moment + 1)
        has, answer = self._try(what, getattr(self.system, what), key, *given)
        if not has:
            self.log.pop()
            return None
        self.number, self.log[-1] = number, f"{said}: {PENDING}"
        self.added[key] += what == "add"
        self.counts[what] += 1
        self.history.setdefault(key, []).append(operation)
        self._certain(key).issued()
        self.asked[operation] = answer if callable(answer) else lambda: answer
        self.issued(operation, phase)
        self.answers()
        return operation

    def issued(self, operation: Operation, phase: str) -> None:
        """An operation was issued while the migration stood there."""

    def _argument(self, step: Step, number: int) -> Any:
        match step.do:
            case "put":
                return f"value-{number}"
            case "put_if":
                return (self.known.get(step.key) if step.matches else NOBODY, f"value-{number}")
            case "add":
                return 2 ** min(self.added[step.key], LARGEST)
            case "append":
                return f"item-{number}"
            case _:
                return None

    def _if(self, what: str, argument: Any) -> str:
        return f" if it holds {self.named(argument[0])}" if what == "put_if" else ""

    def answers(self) -> None:
        """Ask what has become of what is pending."""
        if not self.asked:
            return
        for operation, ask in list(self.asked.items()):
            if operation.kind == "get":
                self._shown(operation, ask)
            else:
                self._answered(operation, ask)

    def _answered(self, operation: Operation, ask: Callable[[], Any]) -> None:
        has, status = self._try("answers to what was pending", ask)
        if not has or status == PENDING:
            return
        allowed = COMPARED if operation.kind == "put_if" else STATUSES
        if not isinstance(status, str) or status not in allowed:
            self._fail(f"the adapter failed: it answered {status!r} to {_name(operation)}; {', '.join(allowed)} are "
                       "the answers", AdapterFailed)  # fmt: skip
        del self.asked[operation]
        self._tell(operation, str(status))
        operation.outcome, operation.returned, operation.step = status, self.moment, self.now
        self.counts[status] += 1
        self._certain(operation.key).answered(operation)
        if status == ACKNOWLEDGED and operation.kind in ("put", "put_if", "delete"):
            self.known[operation.key] = written(operation)
        self.ended(operation)
        if status != ACKNOWLEDGED or operation.kind == "put_if":
            self._judge(operation.key)

    def ended(self, operation: Operation) -> None:
        """An operation was answered."""

    def searched(self, phase: str) -> None:
        """A search was answered that was asked while the migration stood there."""

    def _tell(self, operation: Operation, said: str) -> None:
        """The last line of the log says what came of an operation."""
        last = self.log[-1]
        if last.startswith(_name(operation)) and last.endswith(f": {PENDING}"):
            self.log[-1] = last.removesuffix(PENDING) + said
        else:
            self.log[-1] += f"; {_name(operation)} is {said}"

    # -------------------------------------------------- reads

    def get(self, step: Step) -> Operation | None:
        """A client reads, and what it is shown is judged. The operation; None where there is no such thing."""
        self.answers()
        self.log.append(f"get {step.key}{_by(step.client)}")
        phase = self.noted("get")
        self.system.client = step.client
        operation = self._read(step.client, step.key, self.moment + 1)
        try:
            has, value = self._try("get", self.system.get, step.key)
        except Unavailable:
            return self._unavailable(operation)
        if not has:
            self.log.pop()
            return None
        self.history.setdefault(step.key, []).append(operation)
        self.issued(operation, phase)
        if callable(value):
            self.asked[operation] = value
            self.log[-1] += f": {PENDING}"
            self._shown(operation, value)
        else:
            self._show(operation, value)
        return operation

    def _read(self, client: str, key: str, begun: int) -> Operation:
        """A read; its number is of no write."""
        self.reads += 1
        return Operation(READS_FROM + self.reads, client, "get", key, None, begun)

    def _unavailable(self, operation: Operation) -> Operation:
        self.counts["unavailable"] += 1
        operation.outcome, operation.returned = REFUSED, self.moment
        self._tell_read(operation, "unavailable")
        return operation

    def _shown(self, operation: Operation, ask: Callable[[], Any]) -> None:
        """What a read that took its time came to."""
        try:
            has, read = self._try("answers to a pending read", ask)
        except Unavailable:
            del self.asked[operation]
            self._unavailable(operation)
            return
        if not has or read is None:
            return
        del self.asked[operation]
        if not isinstance(read, Read):
            self._fail(f"the adapter failed: a read that was pending came to {_short(read)}; it must be a Read, or "
                       "None while it is pending", AdapterFailed)  # fmt: skip
        self._show(operation, read.value)

    def _show(self, operation: Operation, value: Any) -> None:
        value = self.checked("get", operation.key, value)
        operation.outcome, operation.returned, operation.result = ACKNOWLEDGED, self.moment, value
        operation.step = self.now
        self.ended(operation)
        self._tell_read(operation, self.named(value))
        self.counts["get"] += 1
        if kind_of(operation.key) == "put":
            self.known[operation.key] = None if value is None else str(value)
        if not self._certain(operation.key).explains(value):
            self._judge(operation.key)

    def _tell_read(self, operation: Operation, said: str) -> None:
        line = f"get {operation.key}{_by(operation.client)}"
        if self.log[-1] in (line, f"{line}: {PENDING}"):
            self.log[-1] = f"{line}: {said}"
        else:
            self.log[-1] += f"; the get of {operation.key} shows {said}"

    def scan(self, step: Step) -> bool | None:
        """A client searches everything; each document that it finds, or not, is judged. Whether it was answered; None
        where the system has no such thing."""
        self.answers()
        self.log.append(f"scan{_by(step.client)}")
        phase = self.noted("scan")
        self.system.client, begun = step.client, self.moment + 1
        try:
            has, found = self._try("scan", self.system.scan)
        except Unavailable:
            self.counts["unavailable"] += 1
            self.log[-1] += ": unavailable"
            return False
        if not has:
            self.log.pop()
            return None
        pairs = self._pairs(found)
        self.counts["scan"] += 1
        self.searched(phase)
        self.log[-1] += ": " + (", ".join(f"{key} {self.named(value)}" for key, value in pairs) or "nothing")
        twice = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        if twice:
            self._fail(f"found twice: {twice[0]}: at step {self.now} a search finds it more than once")
        self.seen(dict(pairs), FINDS, begun)
        return True

    def seen(self, shown: dict[str, Value | None], who: str, begun: int, among: Sequence[str] = ()) -> None:
        """Judge documents that were shown otherwise than by `get`. Those that are written and missing are nothing,
        unless `among` says which are meant."""
        for key in sorted({*shown, *(among or self.history)}):
            if among and key not in among:
                continue
            value = shown.get(key)
            operation = self._read("", key, begun)
            operation.returned, operation.outcome, operation.result = self.moment, ACKNOWLEDGED, value
            operation.step, operation.who = self.now, who
            self.history.setdefault(key, []).append(operation)
            if not self._certain(key).explains(value):
                self._judge(key)

    def _pairs(self, found: Any) -> list[tuple[str, Value]]:
        try:
            pairs = [(key, value) for key, value in found]
        except (TypeError, ValueError):
            pairs = [(None, None)]
        if not all(isinstance(key, str) for key, _ in pairs):
            self._fail(f"the adapter failed: scan returned {_short(found)}; it must be pairs of key and value",
                       AdapterFailed)  # fmt: skip
        return [(key, self.checked("scan", key, value)) for key, value in pairs]

    def checked(self, what: str, key: str, value: Any) -> Any:
        """A value that was shown, if such a document can hold it; fails for what is none."""
        if value is None:
            return None
        kind = kind_of(key)
        if kind == "put" and isinstance(value, str):
            return value
        if kind == "add" and isinstance(value, int) and not isinstance(value, bool):
            return value
        if kind == "append" and isinstance(value, list | tuple) and all(isinstance(i, str) for i in value):
            return list(value)
        wanted = {"put": "a text", "add": "a number", "append": "a list of texts"}[kind]
        self._fail(f"the adapter failed: {what} showed {_short(value)} for {key}; it must be {wanted}, or None",
                   AdapterFailed)  # fmt: skip
        return None

    # -------------------------------------------------- judging

    def _certain(self, key: str) -> Certain:
        found = self.certain.get(key)
        if found is None:
            found = self.certain[key] = Certain(kind_of(key))
        return found

    def _judge(self, key: str) -> None:
        verdict = judge(self.history[key], versioned=self.system.versioned, brief=self.brief)
        if isinstance(verdict, Unexplained):
            self._fail(verdict.reason or f"{key}: no order explains it")
        self.counts["not decided"] += isinstance(verdict, Undecided)

    def named(self, value: Any) -> str:
        """A value as the schedule speaks of it: by the number of its write."""
        if value is None:
            return "nothing"
        if isinstance(value, list):
            return "[" + ", ".join(_numbered(item, "item-") for item in value) + "]"
        return _numbered(value, "value-") if isinstance(value, str) else str(value)


def _numbered(value: str, prefix: str) -> str:
    number = value.removeprefix(prefix)
    return f"#{number}" if number != value and number.isdigit() else _short(value)


def _name(operation: Operation) -> str:
    return f"{operation.kind} #{operation.number}"


def _short(value: Any) -> str:
    try:
        said = repr(value)
    except Exception:
        said = f"a {type(value).__name__}"
    return said if len(said) <= 60 else said[:57] + "..."


def _by(client: str) -> str:
    return "" if client in ("", CLIENTS[0]) else f" by {client}"
