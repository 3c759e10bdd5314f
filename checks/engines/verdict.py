"""Verdicts: what an engine says about one claim, and how it is printed.

Three values. `Holds`: nothing was left out. `Violated`: here is a behaviour that shows it. `Unknown`: a bound
was hit, or the run was ended, so nothing is claimed beyond what was covered. A bound is never `Holds`.

Engines return verdicts and never print. Exit codes follow TLC, which continuous integration knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path as File
from typing import TYPE_CHECKING, Any

from cutproof.model.language.protocol import Protocol, State

if TYPE_CHECKING:
    from cutproof.checks.traces.trace import Trace

HOLDS, UNKNOWN, SAFETY, LIVENESS = 0, 3, 12, 13

READABLE = 10**24  # a count of more digits is written as a power of ten

FORMS = ("always", "sometimes", "can_always", "cycle", "deadlock", "leads_to", "eventually")


@dataclass(frozen=True)
class Path:
    """A behaviour: `states[0]` is initial, `transitions[i]` leads from `states[i]` to `states[i + 1]`.

    A transition is its number in `Protocol.transitions` of the resolved protocol. `back` is said where the last state
    is that of this number, and goes on from there for ever; it may be its own, where nothing more need happen."""

    states: tuple[State, ...]
    transitions: tuple[int, ...]
    back: int | None = None

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.transitions)

    @property
    def loop(self) -> int | None:
        """Where the last state stood before, if the path ends by going once around a cycle."""
        if self.back is not None:
            return self.back
        first = self.states.index(self.states[-1])
        return first if first < len(self.states) - 1 else None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What all verdicts carry. `checked` is the protocol's name, `form` one of `FORMS`. `depth` counts steps:
    every state that can be reached in so many was found and judged; None where nobody counted.

    `protocol` is what was judged, and `settings` what its traces say of it (`traces.trace.from_path`): they make a
    `story` and a file of the verdict, and are no part of what it says."""

    checked: str
    property: str
    form: str
    harm: str = ""
    states: int = 0
    transitions: int = 0
    depth: int | None = 0
    seconds: float = 0.0
    protocol: Protocol | None = field(default=None, compare=False, repr=False)
    settings: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def trace(self) -> Trace:
        """The behaviour as a trace. Raises ValueError for a verdict without one."""
        from cutproof.checks.traces.counterexample import trace_of  # late: it imports this module

        return trace_of(self)

    def story(self) -> list[str]:
        """The behaviour as lines of text: each step, with what it changed. Raises ValueError as `trace` does."""
        from cutproof.checks.traces.counterexample import told

        return told(self.trace(), self.protocol)

    def save(self, path: str | File, *, overwrite: bool = False) -> None:
        """Write the behaviour as a trace, which `cutproof replay` takes. Raises ValueError as `trace` does, and
        TraceError where another file is there already (unless `overwrite`)."""
        from cutproof.checks.traces.trace import write

        write(self.trace(), path, overwrite=overwrite)


@dataclass(frozen=True, kw_only=True)
class Holds(Verdict):
    """The claim is true of every behaviour within the scope; a *sometimes* shows where it is reached."""

    witness: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Violated(Verdict):
    """The claim is false. `path` is a shortest behaviour that shows it; a *sometimes* that no behaviour
    reaches has none. `detail` says more where the path does not say all."""

    path: Path | None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Unknown(Verdict):
    """Nothing is claimed: why, and what was covered before the search ended. `frontier` counts the states
    that were found and judged, and not yet left."""

    reason: str
    frontier: int = 0

    @property
    def covered(self) -> str:
        if self.depth is None:
            return f"{_count(self.states, 'state')} found"
        whole = f"all within {_count(self.depth, 'step')}"
        return f"{_count(self.states, 'state')} judged, {whole}; {many(self.frontier)} not expanded"


def run_of(verdict: Verdict) -> Path | None:
    """The behaviour that shows it, where there is one."""
    if isinstance(verdict, Holds):
        return verdict.witness
    return verdict.path if isinstance(verdict, Violated) else None


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """One code for many verdicts: safety violated (12) beats liveness violated (13) beats unknown (3) beats
    holds (0). No verdict at all shows nothing, which is unknown."""
    codes = {code_of(v) for v in verdicts}
    return next((code for code in (SAFETY, LIVENESS, UNKNOWN, HOLDS) if code in codes), UNKNOWN)


def code_of(verdict: Verdict) -> int:
    """The exit code of one verdict; only a violated *always* is a violation of safety."""
    if isinstance(verdict, Violated):
        return SAFETY if verdict.form == "always" else LIVENESS
    return HOLDS if isinstance(verdict, Holds) else UNKNOWN


def word(verdict: Verdict) -> str:
    """The one word that the verdict is."""
    return type(verdict).__name__.lower()


def to_json(verdict: Verdict, trace: str | None = None) -> dict[str, Any]:
    """The facts for machines; `trace` is the name of the file that the path was written to."""
    return {
        "checked": verdict.checked,
        "verdict": word(verdict),
        "property": verdict.property,
        "form": verdict.form,
        "harm": verdict.harm,
        "states": verdict.states,
        "transitions": verdict.transitions,
        "depth": verdict.depth,
        "seconds": round(verdict.seconds, 3),
        "reason": verdict.reason if isinstance(verdict, Unknown) else getattr(verdict, "detail", ""),
        "trace": trace,
    }


def line(verdict: Verdict) -> str:
    """The verdict as one line of text."""
    claim = verdict.property if verdict.property == verdict.form else f"{verdict.form} {verdict.property}"
    claim += f" ({verdict.harm})" if verdict.harm else ""
    return f"{word(verdict):8}  {claim}{_why(verdict)}"


def _why(verdict: Verdict) -> str:
    if isinstance(verdict, Unknown):
        return f": {verdict.reason}; {verdict.covered}"
    if isinstance(verdict, Violated):
        if verdict.form == "sometimes":
            return f": not once in {_count(verdict.states, 'state')}"
        after = "" if verdict.path is None else f" after {_count(verdict.path.steps, 'step')}"
        return after + (f": {verdict.detail}" if verdict.detail else "")
    if isinstance(verdict, Holds) and verdict.witness:
        return f": first after {_count(verdict.witness.steps, 'step')}"
    counts = f"{_count(verdict.states, 'state')}, {_count(verdict.transitions, 'transition')}"
    return f": {counts}" + ("" if verdict.depth is None else f", depth {verdict.depth}")


def many(number: int) -> str:
    """A count as text: in full while it can be read, else its size. It may be larger than any float."""
    return f"{number:,}" if number < READABLE else f"{Decimal(number):.3e}"


def _count(number: int, what: str) -> str:
    return f"{many(number)} {what}{'' if number == 1 else 's'}"
