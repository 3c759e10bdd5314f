"""What checking a log found, as text and as facts, and the trace that is written of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path as File
from typing import Any

from cutproof.checks.common.refusals import plain
from cutproof.checks.drivers.logs.behaviour import Behaviour
from cutproof.checks.drivers.logs.check import ACCEPTED, EMPTY, REJECTED, UNKNOWN, VIOLATED, Checked
from cutproof.checks.drivers.logs.meaning import Event
from cutproof.checks.drivers.logs.refusals import LOOKED_AT, Refusal
from cutproof.checks.traces.trace import Trace, TraceError, from_path, write
from cutproof.model.language.protocol import Claim
from cutproof.model.language.words import written

FEW, SHOWN = 8, 8  # steps that were possible instead; the last steps of a behaviour
EVENT = 300  # characters of an event
LONGEST = 20_000  # steps of a behaviour that is written


def checked(found: Checked, name: str, most: int, shown: Behaviour | None) -> list[str]:
    """The verdict, and why; `shown` is a behaviour whose last steps are told."""
    of, many = found.search.protocol.name, _many(found.events, "event")
    at_the_end = f"{_many(found.candidates, 'state')} possible at the end"
    if found.verdict == EMPTY:
        return [f"not exercised: {name}: there is no event in it"]
    if found.verdict == UNKNOWN:
        where = f"after {_explained(found)}" if found.explained else "at the start"
        are = f"{_many(most, 'state')} {'is' if most == 1 else 'are'} possible"
        said = f"more than {are} {where}: raise --max-states, or log more"
        return [f"unknown: {name}: {said}", *_also(found)]
    if found.verdict == VIOLATED:
        what = f"every behaviour of {of} that explains {_explained(found, found.since)} violates"
        return [
            f"found: {name}: {what} {_claims(found.surely)}",
            *_sentences(found),
            *_told(found, shown, "one that does"),
            f"the {many} can be explained; {at_the_end}",
        ]
    if found.verdict == REJECTED:
        why = [*_rejected(found, found.refusals[0]), *_others(found), *_also(found)]
        return [*why, *_told(found, shown, "one behaviour until there")]
    told = [f"accepted: {name}: some behaviour of {of} explains the {many}; {at_the_end}"]
    if found.maybe:
        told.append(f"possible: some of those that do violate {_claims(found.maybe)}, others do not")
    return told


def _rejected(found: Checked, why: Refusal) -> list[str]:
    log, of = found.logs[why.log], found.search.protocol.name
    event, after = log.events[why.event], _explained(found)
    what = f"{log.place(why.event)}: {plain(event.text, EVENT)}"
    begin = f"after {after}" if found.explained else "as the first one"
    lines = [f"rejected: {what}: no behaviour of {of} explains this line {begin}"]
    if why.candidates == 1:
        lines.append("  in the one state that is possible before it:")
    else:
        close = "closest" if why.candidates <= LOOKED_AT else f"closest that was looked at ({LOOKED_AT:,})"
        lines.append(f"  in the {close} of {why.candidates:,} states that are possible before it:")
    lines += [f"    {text}" for text in _forbidden(event, why, of)]
    rest = f" and {len(why.enabled) - FEW:,} more" if len(why.enabled) > FEW else ""
    lines.append(f"    possible there: {', '.join(why.enabled[:FEW]) or 'nothing'}{rest}")
    if why.after:
        steps, action = " or ".join(why.after[:FEW]), why.after[0].partition("(")[0]
        say = f"that is not logged, say --unlogged {action}"
        if len(why.after) > 1:
            say = "one of them is not logged, name it in --unlogged"
        lines.append(f"  it is possible once {steps} has happened: if {say}, or say --missing 1")
    return lines


def _forbidden(event: Event, why: Refusal, of: str) -> Iterator[str]:
    """What forbids an event in a state."""
    for guard in why.false:
        reads = ", ".join(f"{field} = {written(value)}" for field, value in guard.reads)
        yield f"{why.step}: false guard {guard.name!r}{f': {reads}' if reads else ''}"
    if why.outside:
        yield f"{why.step}: {why.outside}: the protocol is too small for this log"
    for one in why.differs:
        after = f" after {why.step}" if why.step else ""
        yield f"{one.place}: the log has {written(one.log)}, the protocol {written(one.protocol)}{after}"
    if not why.step and event.numbers is not None:
        yield f"{of} never has such a step" if not event.any or event.arguments else "no step is possible"


def _others(found: Checked) -> list[str]:
    """Of several logs: the other lines that cannot come next either."""
    seen, lines = {found.refusals[0].log}, []
    for why in found.refusals:
        if why.log not in seen:
            seen.add(why.log)
            log = found.logs[why.log]
            event = log.events[why.event]
            said = "; ".join(_forbidden(event, why, found.search.protocol.name))
            lines.append(f"  nor can {log.place(why.event)} come next: {said}")
    return lines


def _also(found: Checked) -> list[str]:
    """What is violated already by what could be explained."""
    if not found.surely:
        return []
    return [
        f"  and every behaviour that explains {_explained(found, found.since)} violates {_claims(found.surely)}"
    ]


def _told(found: Checked, shown: Behaviour | None, what: str) -> list[str]:
    """The last steps of a behaviour, each with its line."""
    if shown is None or not shown.transitions:
        return []
    transitions = found.search.protocol.transitions
    rows = [
        (found.logs[line[0]].place(line[1]) if line else "not logged", str(transitions[number]))
        for number, line in zip(shown.transitions, shown.lines, strict=True)
    ]
    last, wide = rows[-SHOWN:], max(len(place) for place, _ in rows[-SHOWN:])
    left = f", its last {len(last)} of {len(rows):,} steps" if len(rows) > len(last) else ""
    return [f"  {what}{left}:", *(f"    {place:{wide}}  {step}" for place, step in last)]


def _explained(found: Checked, many: int | None = None) -> str:
    many = found.explained if many is None else many
    if not many:
        return "as much as the start"
    if len(found.logs) == 1:
        line = found.logs[0].numbers[many - 1]
        return f"lines 1 to {line:,}" if line > 1 else "line 1"
    return f"{_many(many, 'event')} of the {len(found.logs)} logs"


def _claims(claims: Sequence[Claim | None]) -> str:
    names = [f"{c.property} ({c.harm})" if c.harm else c.property for c in claims if c is not None]
    return ", ".join(dict.fromkeys(names)) or "some property, not all of them the same"


def _sentences(found: Checked) -> list[str]:
    """What the properties say that are surely violated."""
    names = dict.fromkeys(c.property for c in found.surely if c)
    return [f"  {p.name}: {p.sentence}" for p in found.search.protocol.properties if p.name in names]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


# ------------------------------------------------------------------ for machines


def facts(found: Checked, files: Sequence[str], settings: Mapping[str, Any], trace: str) -> dict[str, Any]:
    """One object with all of it."""
    about: dict[str, Any] = {
        "checked": found.search.protocol.name,
        "logs": list(files),
        "verdict": found.verdict,
        "events": found.events,
        "explained": found.explained,
        "candidates": found.candidates,
        "violates": [c.property if c else None for c in found.surely],
        "since": found.since if found.surely else None,
        "may violate": [c.property for c in found.maybe if c],
        "trace": trace or None,
        "refusals": [_facts(found, why) for why in found.refusals[: len(found.logs)]],
    }
    return {**about, "scope": dict(settings["scope"]), "without": list(settings["safeguards_removed"])}


def _facts(found: Checked, why: Refusal) -> dict[str, Any]:
    log = found.logs[why.log]
    return {
        "file": log.name,
        "line": log.numbers[why.event],
        "event": log.events[why.event].text,
        "candidates": why.candidates,
        "step": why.step or None,
        "false": [{"guard": g.name, "reads": dict(g.reads)} for g in why.false],
        "outside": why.outside or None,
        "differs": [{"place": d.place, "log": d.log, "protocol": d.protocol} for d in why.differs],
        "enabled": list(why.enabled),
        "possible after": list(why.after),
    }


# ------------------------------------------------------------------ the trace


def trace_of(found: Checked, run: Behaviour, name: str, settings: Mapping[str, Any]) -> Trace:
    """The behaviour as a trace."""
    about: dict[str, Any] = {"scope": {}, "policy": {}, "safeguards_removed": (), **settings, "seed": None}
    claim = found.violated_by(run) if found.verdict == VIOLATED else None
    what = {ACCEPTED: "all of it", REJECTED: "as much of it as can be explained"}.get(
        found.verdict, "as far as to what it violates"
    )
    if claim is not None:
        about |= {"property": claim.property, "harm": claim.harm}
    why = f"Explains {plain(name, 200)}: {what}."
    return from_path(found.search.protocol, run.states, run.transitions, why=why, **about)


def write_trace(found: Checked, run: Behaviour, name: str, settings: Mapping[str, Any], file: File) -> str:
    """Write the behaviour as a trace; why it was not, or nothing. Raises OSError."""
    if len(run.transitions) <= LONGEST:
        with suppress(TraceError):
            write(trace_of(found, run, name, settings), file, overwrite=True)
            return ""
    return f"not written: the behaviour has {len(run.transitions):,} steps, more than a trace may hold"
