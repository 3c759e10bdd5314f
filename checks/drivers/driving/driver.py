"""What a user writes to have a program driven, and how it is called.

    class Driver:                          # a fresh one is made for each run
        def prepare(self, node): ...       # a method for each action, arguments by name; faults too
        def state(self): ...               # some of the variables, as they are in the program now

`return False`, or `raise Refused`: the program refuses the action, and nothing changed. There may be

- `start(self, state)`: begin in this initial state, a dictionary of all variables;
- `stop(self)`: the run is over; it is called in any case;
- `anything(self, action, **arguments)`: the actions that have no method.

An action without a method is not driven: runs go without it. One that is called as one of these four has its method
under that name with a `_` behind it.
"""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn
from typing import Protocol as Interface

from cutproof.checks.common.refusals import near, one_line, plain
from cutproof.model.language.protocol import Protocol

OWN = ("start", "state", "stop", "anything")


class Refused(Exception):
    """The program refuses the action, and nothing changed."""


class DriverFailed(Exception):
    """The driver, or the program behind it, raised what it may not raise, or answered what is no answer. `told` are
    lines that say more."""

    def __init__(self, reason: str, told: Sequence[str] = ()) -> None:
        self.told = tuple(told)
        super().__init__(reason)


class Unfit(ValueError):
    """This cannot drive the protocol; one line says why."""


class Subject(Interface):
    """What is driven. `begin` may be called again and again: each time a run begins anew. All may raise DriverFailed.

    `driven` are the actions that it has; `starts` says that it can begin in any initial state, not only in its own."""

    name: str
    driven: frozenset[str]
    starts: bool

    def begin(self, state: Mapping[str, Any]) -> None:
        """A run begins, in this state if the subject `starts`."""

    def perform(self, action: str, arguments: Mapping[str, Any]) -> bool:
        """Do it; False if the program refuses."""

    def state(self) -> Mapping[str, Any]:
        """Some of the variables."""

    def end(self) -> None:
        """The run is over."""


def method_of(action: str) -> str:
    """The name of the method that does an action."""
    return f"{action}_" if action in OWN else action


class InProcess:
    """A driver in Python. `make` is its class, or makes one. Raises Unfit where it has no `state()`, no method for any
    action, or one that does not take the arguments."""

    def __init__(self, make: Callable[[], Any], protocol: Protocol) -> None:
        self.make, self.driver, self.file = make, None, ""
        self.name = getattr(make, "__name__", type(make).__name__)
        like = make if isinstance(make, type) else self._first()
        self.starts = callable(getattr(like, "start", None))
        self.file = _file_of(like if isinstance(like, type) else type(like))
        if not callable(getattr(like, "state", None)):
            raise Unfit(f"{self.name}: has no state(): write one that returns some of the variables")
        every = callable(getattr(like, "anything", None))
        names = dict.fromkeys(a.name for a in protocol.actions)
        self.methods = {n: method_of(n) for n in names if callable(getattr(like, method_of(n), None))}
        self.driven = frozenset(names if every else self.methods)
        if not self.driven:
            raise Unfit(f"{self.name}: has no method for any action; {protocol.name} has {', '.join(names)}")
        for t in protocol.transitions:
            if t.action in self.methods:
                self._takes(getattr(like, self.methods[t.action]), isinstance(like, type), t)

    def _first(self) -> Any:
        """One that is made to see what it has, where its class is not known."""
        try:
            made = self._called(self.make, "making one")
            if callable(stop := getattr(made, "stop", None)):
                self._called(stop, "stop()")
        except DriverFailed as error:
            raise Unfit(f"{self.name}: {error}") from None
        return made

    def _takes(self, method: Any, of_class: bool, transition: Any) -> None:
        try:
            signature = inspect.signature(method)
        except (TypeError, ValueError):  # something built in, which does not say what it takes
            return
        static = of_class and isinstance(
            inspect.getattr_static(self.make, method.__name__, None), staticmethod
        )
        mine = (None,) if of_class and not static and not inspect.ismethod(method) else ()
        names = [name for name, _ in transition.arguments]
        try:
            signature.bind(*mine, **dict(transition.arguments))
        except TypeError as error:
            wanted = ", ".join(["self", *names])
            raise Unfit(
                f"{self.name}.{method.__name__}: {error}; write def {method.__name__}({wanted})"
            ) from None

    # -------------------------------------------------- a run

    def begin(self, state: Mapping[str, Any]) -> None:
        self.driver = self._called(self.make, "a new one")
        if self.starts:
            self._called(self.driver.start, "start()", dict(state))  # type: ignore[attr-defined]

    def perform(self, action: str, arguments: Mapping[str, Any]) -> bool:
        try:
            if action in self.methods:
                return getattr(self.driver, self.methods[action])(**arguments) is not False
            return self.driver.anything(action, **arguments) is not False  # type: ignore[attr-defined]
        except Refused:
            return False
        except (Exception, SystemExit) as error:
            self._fail(error, f"{action}()")

    def state(self) -> Mapping[str, Any]:
        found = self._called(self.driver.state, "state()")  # type: ignore[attr-defined]
        if not isinstance(found, Mapping):
            raise DriverFailed(f"state() returned a {type(found).__name__}, not a dictionary by variable")
        return found

    def end(self) -> None:
        driver, self.driver = self.driver, None
        if callable(stop := getattr(driver, "stop", None)):
            self._called(stop, "stop()")

    def _called(self, function: Callable[..., Any], what: str, *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except (Exception, SystemExit) as error:
            self._fail(error, what)

    def _fail(self, error: BaseException, what: str) -> NoReturn:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        mine = [f for f in frames if f.filename == self.file] or frames
        place = f" ({os.path.basename(mine[-1].filename)}:{mine[-1].lineno})" if mine else ""
        said = plain(one_line(str(error)), 300)
        kind = type(error).__name__
        raise DriverFailed(f"{what} raised {kind}{f': {said}' if said else ''}{place}") from error


def _file_of(like: type) -> str:
    try:
        return inspect.getfile(like)
    except (TypeError, OSError):
        return getattr(inspect.getmodule(like), "__file__", "") or ""


def subject_of(driver: Callable[[], Any] | Subject, protocol: Protocol) -> Subject:
    """What is driven: a subject as it is, else the drivers that this class or function makes. Raises Unfit."""
    if isinstance(getattr(driver, "driven", None), frozenset):
        return driver  # type: ignore[return-value]
    return InProcess(driver, protocol)  # type: ignore[arg-type]


def hints(subject: Subject, protocol: Protocol) -> dict[str, str]:
    """The actions that are not driven, each with what may have been meant by a method of a like name, or nothing."""
    make = getattr(subject, "make", None)
    like = make if isinstance(make, type) else None
    known = {a.name for a in protocol.actions}
    public = [n for n in (dir(like) if like else ()) if not n.startswith("_") and n not in (*OWN, *known)]
    undriven = [a for a in dict.fromkeys(a.name for a in protocol.actions) if a not in subject.driven]
    return {name: near(name, public) for name in undriven}
