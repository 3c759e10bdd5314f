"""A drawing: a run as lanes, steps and arrows, with what was promised and lost; plain data that can stand in a file.

States are kept as changes: `Step.state`, `Step.standing` and `Step.choices` say what differs from the step before.
Step 0 is the beginning, and has all of it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Fate = Literal["arrives", "late", "lost", "refused", "failed", "under way"]
LIMIT = 1_000_000  # steps of a drawing


class Lane(msgspec.Struct, frozen=True):
    """One that takes part: its name, and what it is in a few words."""

    name: str
    title: str = ""


class Arrow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something said by one lane to another (their numbers): after which step it was sent, and with which step it
    came to its end. `arrives` is None while it is under way. `late`: nobody waited for it any more."""

    source: int
    target: int
    sent: int
    arrives: int | None
    text: str
    fate: Fate = "arrives"
    late: bool = False


class Span(msgspec.Struct, frozen=True):
    """Something that one lane does for a while, from a step to a step; None: to no end that is known."""

    lane: int
    begins: int
    ends: int | None
    text: str
    fate: str = ""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """A step: what was done (`call`, with its arguments), by whom (-1: nobody in particular), and what changed.

    `standing`: by lane, what is shown of it now, as (name, text). `state`: fields that changed, as text. `choices`: by
    number in `Drawing.calls`, -1 where it can be done now, else the number in `Drawing.guards` of a guard that is
    false."""

    call: str = ""
    sentence: str = ""
    lane: int = -1
    fault: str = ""  # what kind of fault it is; "choice" of what somebody may do and nobody needs
    changes: tuple[str, ...] = ()
    standing: dict[int, tuple[tuple[str, str], ...]] = {}
    state: dict[str, str] = {}
    choices: dict[int, int] = {}


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run ends, in sentences: what was promised, what became of it, by which step, and from which on nothing
    could help. `since` and `inevitable` are numbers of steps, None where it is not known or does not apply."""

    property: str = ""
    claim: str = ""  # what the property says
    form: str = ""
    harm: str = ""
    promise: str = ""
    loss: str = ""
    by: str = ""  # by which step, as a sentence
    since: int | None = None
    inevitable: int | None = None
    after: str = ""  # the step after which it was inevitable, as a sentence
    rows: tuple[tuple[str, ...], ...] = ()  # the table at the end; the first row is its head
    lasts: tuple[tuple[str, str], ...] = ()  # by lane: how it stands at the end


class Drawing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run to be drawn. `title` is short, `why` one sentence; `about` says what was run; `missing` what a view of it
    cannot say, and why. `loop`: the step after which the run goes on from there again, for ever."""

    title: str
    why: str
    lanes: tuple[Lane, ...]
    steps: tuple[Step, ...]
    arrows: tuple[Arrow, ...] = ()
    spans: tuple[Span, ...] = ()
    verdict: Verdict = Verdict()
    about: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    loop: int | None = None
    kind: str = "trace"


def check(drawing: Drawing) -> str:
    """What in a drawing points to nothing, in a few words; empty where all is well. A file may hold anything."""
    lanes, last = range(len(drawing.lanes)), len(drawing.steps) - 1
    steps = range(last + 1)
    if last < 0:
        return "has no steps"
    for number, step in enumerate(drawing.steps):
        if step.lane not in lanes and step.lane != -1:
            return f"step {number} is in lane {step.lane}, and there are {len(lanes)}"
        if not all(lane in lanes for lane in step.standing):
            return f"step {number} shows a lane that is not there"
        for call, guard in step.choices.items():
            if call not in range(len(drawing.calls)) or guard not in range(-1, len(drawing.guards)):
                return f"step {number} has a choice that is not there"
    for arrow in drawing.arrows:
        if arrow.source not in lanes or arrow.target not in lanes:
            return "an arrow is between lanes that are not there"
        if arrow.sent not in steps or not (arrow.arrives is None or arrow.sent <= arrow.arrives <= last):
            return "an arrow is between steps that are not there"
    for span in drawing.spans:
        if (
            span.lane not in lanes
            or span.begins not in steps
            or not (span.ends is None or span.ends in steps)
        ):
            return "a span is of what is not there"
    marks = (drawing.loop, drawing.verdict.since, drawing.verdict.inevitable)
    return "" if all(m is None or m in steps for m in marks) else "a step is named that is not there"


def standing_at(drawing: Drawing, step: int) -> dict[int, tuple[tuple[str, str], ...]]:
    """By lane, what is shown of it after that step."""
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for earlier in drawing.steps[: step + 1]:
        found |= earlier.standing
    return found


def counted(number: int, what: str) -> str:
    """`1 step`, `2,000 steps`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
