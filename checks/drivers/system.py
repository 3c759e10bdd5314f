"""A system under judgement: calls to its adapter, and what is to be said when one of them goes wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.adapter import Adapter, NotSupported, Unavailable
from cutproof.checks.drivers.finding import AdapterFailed, NotConforming

# What may be unavailable: reads have no answer then, and a migration does not begin.
MAY_BE_UNAVAILABLE = (
    "get", "scan", "answers to a pending read", "begin_migration", "move", "split", "merge",
)  # fmt: skip
LONGEST = 1_000  # characters of what an adapter's error says


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its message cannot be shown"


class System:
    """An adapter, and the log of what was done to it. `moment` counts the calls; `found` is what was."""

    def __init__(self, adapter: type[Adapter], unsupported: set[str]) -> None:
        self.unsupported = unsupported
        self.log: list[str] = []
        self.counts: Counter[str] = Counter()
        self.moment = 0
        self.found: NotConforming | None = None
        self.system = self._call("the adapter", adapter)

    def _call(self, what: str, function: Callable[..., Any], *arguments: Any) -> Any:
        self.moment += 1
        try:
            return function(*arguments)
        except NotSupported:
            raise
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a system may not end the program that judges it
            if isinstance(error, Unavailable) and what in MAY_BE_UNAVAILABLE:
                raise
            why = getattr(
                error, "reason", None
            )  # of a program beyond a pipe, whose last lines are told apart
            raised = f"{what}: {why}" if why else f"{what} raised {type(error).__name__}: {_text(error)}"
            self._fail(f"the adapter failed: {plain(raised, LONGEST)}", AdapterFailed, error)

    def _fail(self, reason: str, kind: type[NotConforming] = NotConforming, cause: Any = None) -> None:
        self.found = kind(reason, self.log)
        raise self.found from cause

    def _try(self, what: str, function: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
        """Call what the system may not have: whether it has it, and what it returned."""
        try:
            return True, self._call(what, function, *arguments)
        except NotSupported:
            self.unsupported.add(what)
            return False, None

    def observed(self) -> Mapping[str, Mapping[str, Any]]:
        """What the system shows of itself; fails for what is not as `Adapter.observe` says."""
        shown = self._try("observe", self.system.observe)[1]
        shown = {} if shown is None else shown
        fine = isinstance(shown, Mapping) and all(isinstance(v, Mapping) for v in shown.values())
        if not fine or not all(isinstance(v, Mapping) for v in shown.get("nodes", {}).values()):
            self._fail('the adapter failed: observe must return a dict of any of "documents", "owner" and "nodes", '
                       "dicts themselves", AdapterFailed)  # fmt: skip
        return shown

    @property
    def now(self) -> int:
        """The number of the step that is under way."""
        return len(self.log)
