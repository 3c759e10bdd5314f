"""A drawing of a history: a lane for each process, and on it what it asked, from the call to the answer."""

from __future__ import annotations

from collections.abc import Sequence

from cutproof.checks.drivers.adapter import ACKNOWLEDGED, FAILED, PENDING, REFUSED
from cutproof.checks.drivers.histories.judge import Undecided, Unexplained
from cutproof.checks.drivers.histories.judge import Verdict as Judged
from cutproof.checks.drivers.histories.operation import GET, Operation
from cutproof.checks.drivers.histories.timeline import asked, told
from cutproof.checks.views.drawing import Arrow, Drawing, Lane, Span, Step, Verdict, counted

MOST = 2_000  # operations that are drawn
STORE = "the store"
PROMISE = "Every read shows what clients were told is saved, as if one operation came after the other."


def of_key(name: str, key: str, operations: Sequence[Operation], judged: Judged, others: int = 0) -> Drawing:
    """The drawing of one key, by its verdict: the operations that cannot all be true, else all of them. `others` is
    how many keys are not drawn."""
    wrong = isinstance(judged, Unexplained)
    shown = list(judged.operations if isinstance(judged, Unexplained) else operations)
    missing = list[str]()
    if wrong and len(shown) < len(operations):
        missing.append(
            f"The {len(shown)} operations that cannot all be true are drawn, of {len(operations):,} on this key."
        )
    if len(shown) > MOST:
        missing.append(f"The first {MOST:,} operations are drawn, of {len(shown):,}.")
        shown = shown[:MOST]
    if others:
        missing.append(
            f"{counted(others, 'other key')} of the file {'is' if others == 1 else 'are'} not drawn."
        )
    clients = list(dict.fromkeys(o.client for o in sorted(shown, key=lambda o: o.invoked)))
    lanes = (*(Lane(f"process {client}") for client in clients), Lane(STORE, "what answers"))
    steps, arrows, spans, last = _events(shown, clients)
    title = f"{key}: {'what clients were told cannot be true' if wrong else 'what clients were told'}"
    return Drawing(
        title=title[0].upper() + title[1:],
        why=f"A history of {name.rsplit('/', 1)[-1]}.",
        lanes=lanes,
        steps=steps,
        arrows=arrows,
        spans=spans,
        verdict=_verdict(judged, last, shown),
        missing=tuple(missing),
        kind="history",
        about=(("file", name), ("key", key), ("operations", f"{len(operations):,}")),
    )


def _events(
    shown: Sequence[Operation], clients: Sequence[str]
) -> tuple[tuple[Step, ...], tuple[Arrow, ...], tuple[Span, ...], dict[int, int]]:
    """A step for each call and each answer in order of time; by the number of an operation, its last step."""
    moments = sorted(
        [(o.invoked, 0, o.number, o, True) for o in shown]  # what begins when another ends overlaps it
        + [(o.returned, 1, o.number, o, False) for o in shown if o.returned is not None],
        key=lambda m: m[:3],
    )
    steps, arrows, began, ended = (
        [Step(standing=dict.fromkeys(range(len(clients)), ()))],
        list[Arrow](),
        {},
        {},
    )
    store = len(clients)
    for _, _, number, o, call in moments:
        lane, at = clients.index(o.client), len(steps)
        who = f"Process {o.client}"
        if call:
            began[number] = at
            said = f"{who} asks: {asked(o)}."
            arrows.append(Arrow(lane, store, at, at, asked(o)))
        else:
            said = (
                f"{who} is told: {told(o).removeprefix('-> ')}."
                if o.kind == GET
                else f"{who} is told: {told(o)}."
            )
            arrows.append(
                Arrow(store, lane, at, at, told(o), "refused" if o.outcome == REFUSED else "arrives")
            )
        ended[number] = at
        text = f"{asked(o)}: {'waits' if call else told(o)}"
        steps.append(
            Step(
                call=f"{asked(o)} #{number}{f' at line {o.step}' if o.step and not call else ''}",
                sentence=said,
                lane=lane,
                standing={lane: (("", text),)},
                changes=(text,),
            )
        )
    spans = tuple(
        Span(
            clients.index(o.client),
            began[o.number],
            None if o.returned is None else ended[o.number],
            f"#{o.number}",
            "open" if o.returned is None or o.outcome in (FAILED, PENDING) else "",
        )
        for o in shown
    )
    return tuple(steps), tuple(arrows), spans, ended


def _verdict(judged: Judged, last: dict[int, int], shown: Sequence[Operation]) -> Verdict:
    rows = [("operation", "process", "asked", "told")]
    rows += [(f"#{o.number}", o.client, asked(o), told(o)) for o in shown[:50]]
    after = "After which step it was inevitable is not known: what the store did is not in a history."
    if isinstance(judged, Unexplained):
        reads = [last[o.number] for o in shown if o.kind == GET and o.outcome == ACKNOWLEDGED]
        since = max(reads or last.values())
        return Verdict(
            "history",
            "Some order explains what clients were told.",
            "always",
            promise=PROMISE,
            loss=_sentence(judged.reason),
            by=f"Seen at step {since}.",
            since=since,
            after=after,
            rows=tuple(rows),
        )
    if isinstance(judged, Undecided):
        return Verdict(
            promise=PROMISE,
            loss=f"It is not known whether this is so: {judged.reason}.",
            by="Nothing was seen.",
            after=after,
            rows=tuple(rows),
        )
    if not any(o.shows for o in shown):
        return Verdict(
            promise=PROMISE,
            loss="Nothing was read, so it is not known whether anything was lost.",
            by="Nothing was seen.",
            after=after,
            rows=tuple(rows),
        )
    return Verdict(
        promise=PROMISE,
        loss="Some order explains it all: nothing was lost that clients could see.",
        by="No step.",
        after="Nothing was lost, so no step made it inevitable.",
        rows=tuple(rows),
    )


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}." if reason else ""
