"""A drawing as a Mermaid sequence diagram, for a ticket or a pull request."""

from __future__ import annotations

import re

from cutproof.checks.views.drawing import Arrow, Drawing
from cutproof.checks.views.html import visible

_HEADS = {"arrives": "->>", "late": "-->>", "refused": "-x", "lost": "-x", "failed": "-x", "under way": "-)"}
_ODD = re.compile(r"[^\w\s.,:()=+*/?!'\u2026\u2192-]")
LONG = 160


def diagram(drawing: Drawing) -> str:
    """The text of the diagram. A message that is on its way for a while is a note where it is sent, and an arrow where
    it comes to its end."""
    lines = ["sequenceDiagram"]
    lines += [f"    participant L{n} as {escaped(lane.name) or '-'}" for n, lane in enumerate(drawing.lanes)]
    sent: dict[int, list[Arrow]] = {}
    ends: dict[int, list[Arrow]] = {}
    for arrow in drawing.arrows:
        if arrow.arrives != arrow.sent:
            sent.setdefault(arrow.sent, []).append(arrow)
        if arrow.arrives is not None:
            ends.setdefault(arrow.arrives, []).append(arrow)
    verdict, last = drawing.verdict, len(drawing.lanes) - 1
    over = "L0" if last == 0 else f"L0,L{last}"
    for number, step in enumerate(drawing.steps):
        if number and drawing.loop is not None and number == drawing.loop + 1:
            lines.append("    loop for ever")
        here = ends.get(number, [])
        lines += [_line(a, number) for a in here]
        for arrow in sent.get(number, []):
            what = f"{arrow.text or 'a message'}, to {drawing.lanes[arrow.target].name}"
            lines.append(f"    Note over L{arrow.source}: {number}. {escaped('sends ' + what)}")
        if number and not here and number not in sent and last >= 0:
            place = f"L{step.lane}" if step.lane >= 0 else over
            lines.append(f"    Note over {place}: {number}. {escaped(step.sentence or step.call)}")
        if number and number == verdict.inevitable and number != verdict.since:
            lines.append(f"    Note over {over}: inevitable from here")
    if drawing.loop is not None and drawing.loop < len(drawing.steps) - 1:
        lines.append("    end")
    if last >= 0:
        lines += [
            f"    Note over {over}: {escaped(text)}"
            for text in (verdict.promise, verdict.loss, verdict.after)
            if text
        ]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """A text as Mermaid takes it: what it could read as a sign of its own is written by its number."""
    plain = " ".join(visible(text).split())
    plain = plain if len(plain) <= LONG else plain[: LONG - 1] + "\u2026"
    return re.sub(r"\bend\b", "e#110;d", _ODD.sub(lambda odd: f"#{ord(odd[0])};", plain))


def _line(arrow: Arrow, number: int) -> str:
    kind = "late" if arrow.late and arrow.fate == "arrives" else arrow.fate
    more = "" if kind == "arrives" else f" ({kind})"
    text = escaped(f"{arrow.text}{more}") or "-"
    return f"    L{arrow.source}{_HEADS[kind]}L{arrow.target}: {number}. {text}"
