"""A drawing of a trace, by its protocol: `of_trace`. `Maker` makes the parts of it, for a run that is under way too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.traces import story
from cutproof.checks.traces.itf import Plain, TraceError
from cutproof.checks.traces.outcome import changes_of, values_of
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import Trace, plain
from cutproof.checks.views.choices import Choices, encoded
from cutproof.checks.views.drawing import Drawing, Lane, Step
from cutproof.checks.views.inevitable import MOST
from cutproof.checks.views.messages import arrows_of
from cutproof.checks.views.verdicts import verdict_of
from cutproof.model.language.picture import Now, Picture, default_picture
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import Run, Taken, index_names, placed, written

States = Sequence[Mapping[str, Plain]]


def of_trace(trace: Trace, protocol: Protocol, name: str = "trace", most: int = MOST) -> Drawing:
    """The drawing of a trace on its protocol. `most` bounds the search for the step after which the end was inevitable.

    Raises TraceError where the trace means nothing to the protocol."""
    states, notes = _states_of(trace, protocol, name)
    run = story.run_of(protocol, states, trace.steps[: len(states) - 1])
    maker, missing = Maker(protocol), list(notes)
    coded = None
    try:
        coded = [encoded(protocol, state) for state in states]
    except ValueError as error:
        missing.append(f"what else could have been done is not known: {error}")
    steps = maker.steps(run, states, coded)
    verdict = verdict_of(trace, run, coded, most)
    lasts = {lane: shown for step in steps for lane, shown in step.standing.items()}
    named = tuple(
        (lane.name, "; ".join(f"{n}: {text}" if n else text for n, text in lasts.get(i, ()) if text))
        for i, lane in enumerate(maker.lanes)
    )
    drawing = Drawing(
        title=_title(trace, protocol), why=trace.meta.why, lanes=maker.lanes, steps=tuple(steps),
        arrows=arrows_of(run, maker.numbers, [values_of(protocol, s) for s in states]),
        verdict=verdict, about=about(trace), missing=tuple(missing), loop=trace.loop,
        calls=maker.choices.calls if coded else (), guards=maker.choices.guards if coded else (),
    )  # fmt: skip
    return in_use(_with_lasts(drawing, named))


def about(trace: Trace) -> tuple[tuple[str, str], ...]:
    """What was run, by name."""
    meta = trace.meta
    settings = [", ".join(f"{k}={v}" for k, v in values.items()) for values in (meta.scope, meta.policy)]
    parts = {
        "protocol": meta.protocol, "without": ", ".join(meta.safeguards_removed), "scope": settings[0],
        "policy": settings[1], "seed": "" if meta.seed is None else str(meta.seed),
    }  # fmt: skip
    return tuple((name, text) for name, text in parts.items() if text)


class Maker:
    """The parts of a drawing, for one protocol: its lanes, what is shown of them, and what can be done in a state."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.picture: Picture = protocol.picture if protocol.picture.lanes else default_picture(protocol)
        self._lanes = list(self.picture.lanes_of(protocol))
        self.lanes = tuple(Lane(name, self.picture.titles.get(name, "")) for name, _, _ in self._lanes)
        self.numbers = {lane.name: number for number, lane in enumerate(self.lanes)}
        self.choices = Choices(protocol)
        self._hidden = {v for v, words in protocol.words.variables.items() if words == ""}

    def place(self, taken: Taken) -> int:
        """The number of the lane that takes a step; -1 where it is nobody in particular."""
        declared = self.picture.at.get(taken.action)
        if declared is not None:
            name = declared(taken) if callable(declared) else declared.format(**taken.arguments)
            return self.numbers.get(name, -1)
        arguments = taken.arguments.items()
        for number, (_, where, _) in enumerate(self._lanes):
            if where and all((k, v) in arguments for k, v in where.items()):
                return number
        changed = {v for v in taken.after if taken.before.get(v) != taken.after[v]}
        for number, (_, where, shown) in enumerate(self._lanes):
            if not where and not callable(shown) and changed & set(shown):
                return number
        return next((i for i, (_, where, _) in enumerate(self._lanes) if not where), -1)

    def standing(self, state: Mapping[str, Plain]) -> dict[int, tuple[tuple[str, str], ...]]:
        """By lane, what is shown of it in a state: names and texts."""
        found = {}
        for number, (_, where, shown) in enumerate(self._lanes):
            if callable(shown):
                texts = list(shown(Now(self.protocol, state, where)).items())
            else:
                texts = [pair for variable in shown for pair in self._fields(variable, where, state)]
            found[number] = tuple((name, text) for name, text in texts if text)
        return found

    def _fields(
        self, variable: str, where: Mapping[str, Any], state: Mapping[str, Plain]
    ) -> list[tuple[str, str]]:
        """The fields of a variable that a lane has, with their values in words."""
        names, words = index_names(self.protocol, variable), self.protocol.words
        if variable in self._hidden or variable not in state:
            return []
        value, rest = state[variable], list[str]()
        cells: list[tuple[tuple[str, ...], Plain]] = [((), value)]
        for name in names:
            if name in where:
                cells = [(key, inner[where[name]]) for key, inner in cells]
            else:
                rest.append(name)
                cells = [((*key, f"{name} {k}"), v) for key, inner in cells for k, v in inner.items()]
        return [(", ".join((variable, *key)), words.value(variable, value)) for key, value in cells]

    def steps(self, run: Run, states: States, coded: Sequence[tuple[int, ...]] | None) -> list[Step]:
        """The steps of a run, the beginning first; each with what differs from the one before."""
        faults = {a.name: a.fault or "choice" * a.choice for a in self.protocol.actions}
        shown = set(self.protocol.varying)
        flat: dict[str, Plain] = {}
        standing: dict[int, Any] = {}
        choices: dict[int, int] = {}
        found = list[Step]()
        for number, state in enumerate(states):
            now = {n: v for n, v in values_of(self.protocol, state).items() if n.partition("[")[0] in shown}
            stands = self.standing(state)
            can = self.choices.at(coded[number]) if coded else {}
            parts: dict[str, Any] = {
                "state": {n: written(v) for n, v in now.items() if number == 0 or flat.get(n) != v},
                "standing": {lane: text for lane, text in stands.items() if standing.get(lane) != text},
                "choices": {call: guard for call, guard in can.items() if choices.get(call) != guard},
            }
            if number:
                taken = run.steps[number - 1]
                changes = changes_of(*(values_of(self.protocol, s) for s in states[number - 1 : number + 1]))
                parts |= {
                    "call": called(taken),
                    "sentence": sentence(taken), "lane": self.place(taken), "fault": faults.get(taken.action, ""),
                    "changes": tuple(filter(None, story.changed_words(taken, changes))),
                }  # fmt: skip
            found.append(Step(**parts))
            flat, standing, choices = now, stands, can
        return found


def called(taken: Taken) -> str:
    """A step with its arguments: `accept(node=O, doc=0)`."""
    return f"{taken.action}({', '.join(f'{k}={v}' for k, v in taken.arguments.items())})"


def sentence(taken: Taken) -> str:
    """What a step did; where only its action has a sentence, with the arguments after it."""
    general, where = story.sentence(taken), placed(taken.arguments)
    if taken.protocol.words.step(taken) or not general or not where:
        return general
    return f"{general.rstrip('.')} ({where})."


def _states_of(trace: Trace, protocol: Protocol, name: str) -> tuple[States, list[str]]:
    """The states of a run, every variable of each; and what is to be said of them."""
    result = replay(trace, protocol, name, Limits(states=1))
    stopped = result.divergence
    if stopped is None or stopped.ended:
        return result.states, list(result.notes)
    if not trace.states or result.notes:
        where = f"step {stopped.number}, {stopped.step}," if stopped.step else "the beginning"
        raise TraceError(f"{name}: cannot be drawn on this protocol: {where} {stopped.reason}")
    note = f"the protocol does not take this run: step {stopped.number} {stopped.reason}"
    return [{**plain(protocol.decode(protocol.initial)), **state} for state in trace.states], [note]


def _title(trace: Trace, protocol: Protocol) -> str:
    meta = trace.meta
    what = protocol.words.harms.get(meta.harm, meta.harm)
    if not what and meta.form == "deadlock":
        what = "nothing can be done any more"
    elif not what:
        named = f"\u201c{meta.property.replace('_', ' ')}\u201d"
        ends = {"": "a run", "sometimes": f"a run to {named}"}
        what = ends.get(meta.form, f"{named} is violated") if meta.property else "a run"
    removed = f" without {', '.join(meta.safeguards_removed[:2])}" if meta.safeguards_removed else ""
    more = " and more" if len(meta.safeguards_removed) > 2 else ""
    return f"{what[0].upper()}{what[1:]}{removed}{more}"


def _with_lasts(drawing: Drawing, named: tuple[tuple[str, str], ...]) -> Drawing:
    verdict = msgspec.structs.replace(drawing.verdict, lasts=named)
    return msgspec.structs.replace(drawing, verdict=verdict)


def in_use(drawing: Drawing) -> Drawing:
    """Without the lanes in which nothing is shown and nothing happens; numbers are those that are left."""
    used = {s.lane for s in drawing.steps} | {
        lane for s in drawing.steps for lane, text in s.standing.items() if text
    }
    used |= {end for a in drawing.arrows for end in (a.source, a.target)} | {s.lane for s in drawing.spans}
    kept = [number for number in range(len(drawing.lanes)) if number in used]
    new = {old: number for number, old in enumerate(kept)} | {-1: -1}
    replace = msgspec.structs.replace
    steps = tuple(
        replace(s, lane=new[s.lane], standing={new[n]: text for n, text in s.standing.items() if n in new})
        for s in drawing.steps
    )
    verdict = replace(
        drawing.verdict, lasts=tuple(last for n, last in enumerate(drawing.verdict.lasts) if n in new)
    )
    return replace(
        drawing, steps=steps, verdict=verdict, lanes=tuple(drawing.lanes[n] for n in kept),
        arrows=tuple(replace(a, source=new[a.source], target=new[a.target]) for a in drawing.arrows),
        spans=tuple(replace(s, lane=new[s.lane]) for s in drawing.spans),
    )  # fmt: skip
