"""Replay: a trace is walked again on a specification, action by action.

The path is walked on the specification's own states, by the plain interpreter. What the trace recorded is
compared on the way:
- where the digest is the one in the trace, the first difference is a `Divergence` and ends the walk;
- where the specification has changed since, or the trace says by its indices that states were left out, only its
  actions count: differing states are noted;
- a trace of actions alone has nothing to compare, and a note says so.

That something is *out of reach* at the end (a *can always* that is violated) is explored, within limits; where they
do not suffice the replay is *not judged*.

A trace whose names mean nothing to the specification (an unknown action, a value outside a domain) is a
`TraceError`. `story.py` turns both into text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import LimitReached
from cutproof.checks.engines.plain.reach import states_until
from cutproof.checks.traces.itf import Place, Plain
from cutproof.checks.traces.outcome import (
    Change,
    Difference,
    Divergence,
    Replay,
    Walked,
    changes_of,
    flat,
    values_of,
)
from cutproof.checks.traces.pending import goes_on, never_true
from cutproof.checks.traces.trace import Step, Trace, plain
from cutproof.model.language import expressions as ex
from cutproof.model.language.expressions import Term
from cutproof.model.language.properties import TEMPORAL
from cutproof.model.language.protocol import Claim, Field, Protocol, Transition

__all__ = [
    "DOMAIN",
    "LIMITS",
    "Change",
    "Difference",
    "Divergence",
    "Replay",
    "Walked",
    "changes_of",
    "flat",
    "replay",
]

DOMAIN = "domain"  # the property of a trace after which an action leaves its domain
LIMITS = Limits(
    states=1_000_000
)  # of the exploration that a *can always* takes at the end; the same everywhere
CHANGED = "the specification has changed since (or the trace was edited); only the actions were replayed"
GAPS = "by their indices some states were left out, so the others were not compared; only the actions were replayed"
ALONE = "the file holds actions alone, so no states were compared"


def replay(trace: Trace, protocol: Protocol, name: str = "trace", limits: Limits = LIMITS) -> Replay:
    """Walk the trace on a resolved protocol, which the caller builds from `trace.meta`.

    `name` begins the messages of a TraceError: usually the file. `limits` are those of the exploration that a
    *can always* needs at the end. Raises ValueError for a protocol that is not resolved."""
    roots = [t.enabled for t in protocol.transitions] + [
        v for t in protocol.transitions for _, v in t.updates
    ]
    if any(
        term.op == "param" for term in ex.ordered([*roots, *(v for c in protocol.claims for v in c.terms())])
    ):
        raise ValueError(f"{protocol.name} has mechanisms without a value; resolve it before a replay")
    if trace.meta.protocol != protocol.name:
        Place(name).fail(f"is of the protocol {trace.meta.protocol!r}, not {protocol.name!r}")
    walk = _Walk(trace, protocol, Place(name, "$"), limits)
    divergence = walk.walk() or walk.end()
    return Replay(
        trace, protocol, tuple(walk.walked), tuple(walk.states), divergence, walk.checked, tuple(walk.notes),
        walk.unjudged, walk.parted,
    )  # fmt: skip


class _Walk:
    """One replay under way; `codes` is the specification's state, field -> integer."""

    def __init__(self, trace: Trace, protocol: Protocol, place: Place, limits: Limits) -> None:
        self.trace, self.protocol, self.place, self.limits = trace, protocol, place, limits
        self.changed = trace.meta.digest != protocol.digest or trace.gaps
        self.fields = {c.name: c for c in protocol.cells}
        self.needed = {c.name for c in protocol.cells if c.variable in protocol.varying}
        self.actions = {a.name: a for a in protocol.actions}
        self.transitions = {_key(t.action, t.arguments): t for t in protocol.transitions}
        self.codes = self._begins()
        self.before: list[dict[str, int]] = []
        self.walked: list[Walked] = []
        self.taken: list[Transition] = []
        self.states = [plain(protocol.decode(tuple(self.codes[f.name] for f in protocol.fields)))]
        self.notes = [GAPS if trace.gaps else CHANGED] if self.changed else []
        if not trace.states:
            self.notes = [ALONE] if not trace.meta.digest else [ALONE, *self.notes]
        self.claims = self._claims()
        self.form = trace.meta.form or (self.claims[0].form if self.claims else "")
        self.checked, self.unjudged = "the path can be walked", ""
        self.parted: int | None = None

    def _begins(self) -> dict[str, int]:
        """The initial state that the trace begins with, or from which its actions can be taken; else the first one."""
        first = self.protocol.named(self.protocol.initial)
        if not self.protocol.initial_choices:
            return first
        fits = self._begins_here if self.trace.states else self._can_be_taken
        return next(filter(fits, map(self.protocol.named, self.protocol.initials)), first)

    def _begins_here(self, codes: dict[str, int]) -> bool:
        recorded = self._recorded(0)
        shown = _plain({n: f for n, f in self.fields.items() if n in recorded}, codes)
        return all((type(v), v) == (type(recorded[n]), recorded[n]) for n, v in shown.items())

    def _can_be_taken(self, codes: dict[str, int]) -> bool:
        for step in self.trace.steps:
            names = self.actions[step.action].arguments if step.action in self.actions else ()
            key = _key(step.action, [(n, step.arguments.get(n)) for n in names])
            transition = self.transitions.get(key)
            if transition is None or not ex.evaluate(transition.enabled, codes, {}):
                return False
            codes = _after(transition, codes)
        return True

    def _claims(self) -> list[Claim]:
        meta, place = self.trace.meta, self.place.below(".#meta")
        if meta.property in ("", DOMAIN) or meta.form == "deadlock":
            return []
        found = [c for c in self.protocol.claims if c.property == meta.property]
        if not found:
            near = _near(meta.property, (c.property for c in self.protocol.claims))
            place.fail(f"no property {meta.property!r}{near}")
        if meta.harm and not any(c.harm == meta.harm for c in found):
            place.fail(
                f"{meta.property} has no harm {meta.harm!r}{_near(meta.harm, (c.harm for c in found))}"
            )
        return [c for c in found if meta.harm in ("", c.harm)]

    # -------------------------------------------------- the path

    def walk(self) -> Divergence | None:
        """Take every step; the first divergence, or None."""
        if differences := self._compare(0):
            return Divergence(0, None, "the initial states differ", differences=differences)
        for number, step in enumerate(self.trace.steps, 1):
            if divergence := self._take(number, step):
                return divergence
            if differences := self._compare(number):
                return Divergence(number, step, "the states after it differ", differences=differences)
        return None

    def _take(self, number: int, step: Step) -> Divergence | None:
        transition = self._transition(number, step)
        if transition is None:
            return self._stopped(number, step, "can never happen with these safeguards and this policy")
        done: dict[Term, int] = {}
        false = tuple(name for name, guard in transition.guards if not ex.evaluate(guard, self.codes, done))
        if false:
            return self._stopped(number, step, f"is not enabled: {', '.join(map(repr, false))} false", false)
        after = _after(transition, self.codes)
        for field in _outside(transition, after):
            reason = f"sets {field.name} to {after[field.name]}, which is outside {field.domain}"
            return self._stopped(number, step, reason)
        whole = plain(self.protocol.decode(tuple(after[f.name] for f in self.protocol.fields)))
        changes = changes_of(*(values_of(self.protocol, state) for state in (self.states[-1], whole)))
        self.walked.append(Walked(number, step, self.actions[step.action].sentence, changes))
        self.before.append(self.codes)
        self.taken.append(transition)
        self.codes = after
        self.states.append(whole)
        return None

    def _transition(self, number: int, step: Step) -> Transition | None:
        """The transition of a step; None where folding left none of that action and arguments."""
        place = self.place.below(f".states[{number}].#meta" if self.trace.states else f".steps[{number - 1}]")
        action = self.actions.get(step.action)
        if action is None:
            place.fail(f"no action {step.action!r}{_near(step.action, self.actions)}")
        if set(step.arguments) != set(action.arguments):
            place.fail(
                f"{action.name} takes ({', '.join(action.arguments)}), not ({', '.join(step.arguments)})"
            )
        for name, value in step.arguments.items():
            known = [plain(v) for v in self.protocol.indices[name]]
            if not any(type(v) is type(value) and v == value for v in known):
                place.fail(f"{action.name} has no {name} {value!r}; there are {', '.join(map(str, known))}")
        return self.transitions.get(_key(step.action, [(n, step.arguments[n]) for n in action.arguments]))

    def _stopped(self, number: int, step: Step, reason: str, false: tuple[str, ...] = ()) -> Divergence:
        done: dict[Term, int] = {}
        enabled = tuple(str(t) for t in self.protocol.transitions if ex.evaluate(t.enabled, self.codes, done))
        return Divergence(number, step, reason, false_guards=false, enabled=enabled)

    # -------------------------------------------------- the states

    def _compare(self, index: int) -> tuple[Difference, ...]:
        """How the recorded state differs; nothing (but a note, once) where the specification has changed."""
        if not self.trace.states:
            return ()
        place = self.place.below(f".states[{index}]")
        recorded = self._recorded(index)
        self._part(index, recorded)
        missing = [n for n in self.fields if n in self.needed and n not in recorded]
        if strangers := [n for n in recorded if n not in self.fields] + missing:
            if not self.changed:
                place.fail(f"{strangers[0][:80]} is {'unknown' if strangers[0] in recorded else 'missing'}")
            self._note("its variables are others now, so the states were not compared")
            return ()
        specified, differences = _plain(self.fields, self.codes), []
        for name, field in ((n, self.fields[n]) for n in self.fields if n in recorded):
            if not self.changed and not _inside(field, recorded[name]):
                place.fail(f"{name} is {recorded[name]!r}, which is not in {field.domain}")
            if (type(recorded[name]), recorded[name]) != (type(specified[name]), specified[name]):
                differences.append(Difference(name, recorded[name], specified[name]))
        if self.changed and differences and len(self.notes) == 1:
            self._note(f"its states differ, first after step {index}: {differences[0]}")
        return () if self.changed else tuple(differences)

    def _recorded(self, index: int) -> dict[str, Plain]:
        """What the trace has of a state, by the names of the fields."""
        state = self.trace.states[index]
        try:
            return dict(flat(self.protocol.unfold(state, plain)))
        except (ValueError, LookupError, TypeError) as error:
            if not self.changed:
                reason = str(error) if isinstance(error, ValueError) else "a variable is missing"
                self.place.below(f".states[{index}]").fail(reason)
        return dict(flat(state))

    def _part(self, index: int, recorded: Mapping[str, Plain]) -> None:
        specified = _plain(self.fields, self.codes)
        both = [name for name in recorded if name in specified]
        if self.parted is None and any(recorded[n] != specified[n] for n in both):
            self.parted = index

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def end(self) -> Divergence | None:
        """Whether the last state is what the trace says of it."""
        if not (self.trace.meta.property or self.form):
            return None
        what, true = self._out_of_reach() if self.form == "can_always" else self._last()
        if self.unjudged:
            self.checked += f"; whether {what} is not known: {self.unjudged}"
            return None
        self.checked += f", and after it {what}"
        return None if true else Divergence(len(self.walked), None, f"it is not so that {what}", ended=True)

    def _out_of_reach(self) -> tuple[str, bool]:
        """Whether from the last state, by steps that somebody owes, the property can never be true again."""
        name = self.trace.meta.property
        last = tuple(self.codes[f.name] for f in self.protocol.fields)
        for claim in self.claims:
            try:
                states, reached = states_until(self.protocol, last, claim.holds, self.limits)
            except LimitReached as reason:
                self.unjudged = str(reason)
                return f"{name} is out of reach", False
            if not reached:
                many = "1 state" if states == 1 else f"{states:,} states"
                return f"{name} is out of reach: {many}, by every step that is owed, and true in none", True
        return f"{name} is out of reach", False

    def _last(self) -> tuple[str, bool]:
        """What the form of the trace says of its last state, and whether that is so."""
        meta, now, form = self.trace.meta, self.codes, self.form
        if form == "cycle":
            seen = [*self.before, now]
            return "a state has come back, by a fair round where it is never true", never_true(
                self.protocol, self.claims, seen, self.taken
            )
        if form in TEMPORAL and self.claims:
            seen = [*self.before, now]
            return goes_on(self.protocol, self.claims[0], seen, self.taken, self.trace.loop)
        steps = [(t, _after(t, now)) for t in self.protocol.transitions if ex.evaluate(t.enabled, now, {})]
        if form == "deadlock":
            return "nothing can change", all(after == now for _, after in steps)
        if meta.property == DOMAIN:
            return "an action leaves its domain", any(_outside(t, after) for t, after in steps)
        holds = all(ex.evaluate(c.holds, now, {}) for c in self.claims)
        if form == "sometimes":
            return f"{meta.property} is true", holds
        return f"{meta.property} is false", not holds


def _after(transition: Transition, codes: dict[str, int]) -> dict[str, int]:
    done: dict[Term, int] = {}
    return {**codes, **{f.name: ex.evaluate(v, codes, done) for f, v in transition.updates}}


def _outside(transition: Transition, after: Mapping[str, int]) -> list[Field]:
    return [f for f, _ in transition.updates if not f.domain.low <= after[f.name] <= f.domain.high]


def _key(action: str, arguments: Iterable[tuple[str, Any]]) -> tuple[Any, ...]:
    return action, *((name, type(plain(value)), plain(value)) for name, value in arguments)


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, dict.fromkeys(known))
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _inside(field: Field, value: Plain) -> bool:
    values = (field.domain.decode(code) for code in range(field.domain.low, field.domain.high + 1))
    return any(type(plain(v)) is type(value) and plain(v) == value for v in values)


def _plain(fields: Mapping[str, Field], codes: Mapping[str, int]) -> dict[str, Plain]:
    return {name: plain(field.domain.decode(codes[name])) for name, field in fields.items()}
