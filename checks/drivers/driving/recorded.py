"""A failure as a trace, and such a trace performed again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cutproof.checks.drivers.driving.driver import Subject
from cutproof.checks.drivers.driving.outcome import Failure
from cutproof.checks.drivers.driving.performing import perform
from cutproof.checks.drivers.driving.walking import Walking
from cutproof.checks.traces.itf import Place
from cutproof.checks.traces.trace import Step, Trace, from_path, plain
from cutproof.model.language.protocol import Protocol, State


def trace_of(walking: Walking, failure: Failure, name: str, settings: Mapping[str, Any]) -> Trace:
    """The model's side of a failure. What the program was in place of it, its first sentence says; and `attempt` of its
    meta, what was tried that the model forbids. `settings` as of a verdict; `name` is the program's."""
    about = {"scope": {}, "policy": {}, "safeguards_removed": (), "seed": None, **settings}
    said = "; ".join(line.strip() for line in failure.lines(walking))
    attempt = None if failure.attempt is None else _step(walking, failure.attempt)
    return from_path(
        walking.whole, failure.states, [walking.numbers[n] for n in failure.transitions],
        why=f"{name}: {said}."[:1000], attempt=attempt, **about,
    )  # fmt: skip


def _step(walking: Walking, number: int) -> Step:
    action, arguments = walking.called(number)
    return Step(action, {k: plain(v) for k, v in arguments.items()})


def perform_again(trace: Trace, walking: Walking, subject: Subject, name: str = "trace") -> Failure | None:
    """Perform the run of a trace: what fails now, or None.

    Raises TraceError where the protocol has not such a run, or the program is not driven through its actions."""
    place = Place(name, "$")
    if trace.meta.protocol != walking.whole.name:
        Place(name).fail(f"is of the protocol {trace.meta.protocol!r}, not {walking.whole.name!r}")
    known = {_key(_step(walking, n)): n for n in range(len(walking.numbers))}
    numbers = []
    for place_of, step in enumerate(trace.steps, 1):
        if _key(step) not in known:
            place.below(f".states[{place_of}].#meta").fail(f"{step} is no step that is driven")
        numbers.append(known[_key(step)])
    last = trace.meta.attempt
    if last is not None and _key(last) not in known:
        place.below(".#meta.attempt").fail(f"{last} is no step that is driven")
    start = state = _start(trace, walking.whole)
    for count, number in enumerate(numbers, 1):
        if number not in walking.steps(state):
            place.below(f".states[{count}].#meta").fail(
                f"{walking.label(number)} is not allowed by the protocol"
            )
        state = walking.steps(state)[number]
    if last is not None and known[_key(last)] in walking.steps(state):
        place.below(".#meta.attempt").fail(f"{last} is allowed now")
    attempts = None if last is None else (lambda _: [known[_key(last)]])
    return perform(walking, subject, start, numbers, attempts)


def _start(trace: Trace, protocol: Protocol) -> State:
    """The initial state that a trace begins with; the first one, where it holds no states or begins nowhere."""
    for state in protocol.initials if trace.states else ():
        values = plain(protocol.decode(state))
        if all(values.get(name) == value for name, value in trace.states[0].items()):
            return state
    return protocol.initial


def _key(step: Step) -> tuple[Any, ...]:
    return step.action, *sorted((k, type(v).__name__, v) for k, v in step.arguments.items())
