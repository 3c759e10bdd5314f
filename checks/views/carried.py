"""A drawing that a trace carries, so that its file alone can be shown: put in (`with_drawing`) and taken out (`of`).

The states stand in the trace already, so they are left out of what is carried, and put back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from cutproof.checks.protocols.registry import entry_of
from cutproof.checks.traces.itf import Plain, TraceError
from cutproof.checks.traces.outcome import flat
from cutproof.checks.traces.trace import Trace
from cutproof.checks.views.drawing import Drawing, check
from cutproof.checks.views.make import of_trace
from cutproof.model.language.protocol import Protocol
from cutproof.model.language.words import written

MOST = 5_000  # states that are looked at for what was inevitable, while a trace is written


def with_drawing(trace: Trace, protocol: Protocol) -> Trace:
    """The trace with its drawing in the meta."""
    drawing = of_trace(trace, protocol, most=MOST)
    steps = tuple(msgspec.structs.replace(step, state={}) for step in drawing.steps)
    plain = msgspec.json.decode(msgspec.json.encode(msgspec.structs.replace(drawing, steps=steps)))
    return replace(trace, meta=msgspec.structs.replace(trace.meta, picture=plain))


def pictured(trace: Trace, protocol: Protocol | None) -> Trace:
    """The trace as it is written: with its drawing where its protocol does not come with the package, so that the file
    alone can be shown. What cannot be drawn is written without."""
    if protocol is None or entry_of(protocol.name) is not None:
        return trace
    try:
        return with_drawing(trace, protocol)
    except TraceError:
        return trace


def of(trace: Trace, name: str) -> Drawing | None:
    """The drawing that a trace carries, or None. Raises TraceError where what it carries is none."""
    if trace.meta.picture is None:
        return None
    try:
        found = msgspec.convert(trace.meta.picture, Drawing, strict=False)
    except (msgspec.ValidationError, RecursionError) as error:
        raise TraceError(f"{name}: $.#meta.picture: {error}") from None
    if why := check(found):
        raise TraceError(f"{name}: $.#meta.picture: {why}")
    if len(found.steps) == len(trace.states):
        states = changes(trace.states)
        steps = (
            msgspec.structs.replace(s, state=state) for s, state in zip(found.steps, states, strict=True)
        )
        found = msgspec.structs.replace(found, steps=tuple(steps))
    return found


def changes(states: tuple[Mapping[str, Plain], ...]) -> list[dict[str, str]]:
    """Of each state, the fields that differ from the one before, as text."""
    before: dict[str, str] = {}
    found = []
    for state in states:
        now = {name: written(value) for name, value in flat(state)}
        found.append({name: value for name, value in now.items() if before.get(name) != value})
        before = now
    return found
