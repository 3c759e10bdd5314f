"""A drawing as one SVG image: lanes, arrows and sentences, for a ticket or a document. No script is in it."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from cutproof.checks.views.drawing import Arrow, Drawing, Span
from cutproof.checks.views.html import visible

ROW, GUTTER, LANE, TOLD, TOP, LINE = 40, 46, 128, 520, 74, 19
WORDS, LINES = 70, 2  # characters of a line of a sentence, and lines of one
STYLE = """
svg { color-scheme: light dark; --paper: #fff; --ink: #1c2127; --soft: #545e69; --line: #dcdfe3; --blue: #1d5f9e;
  --red: #b02a1f; --amber: #8a5600; --wash: #e8f1fa; }
@media (prefers-color-scheme: dark) { svg { --paper: #14171a; --ink: #e7e9ec; --soft: #a5afba; --line: #363d45;
  --blue: #84b8ee; --red: #f39a90; --amber: #e6b566; --wash: #1c2c3d; } }
text { font: 12.5px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
.paper { fill: var(--paper); } .soft { fill: var(--soft); } .title { font-size: 18px; font-weight: 650; }
.head { font-size: 13.5px; font-weight: 650; } .life { stroke: var(--line); stroke-width: 1.5; }
.says { font-size: 11.5px; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.way { fill: none; stroke: var(--blue); stroke-width: 1.6; } .tip { fill: var(--blue); } .dot { fill: var(--ink); }
.late .way { stroke: var(--amber); stroke-dasharray: 6 3; } .late .tip, .fault { fill: var(--amber); }
.lost .way, .failed .way { stroke: var(--red); stroke-dasharray: 4 4; } .refused .way { stroke: var(--red); }
.under .way { stroke: var(--soft); stroke-dasharray: 1.5 4; }
.cross { fill: none; stroke: var(--red); stroke-width: 2.2; }
.bad { fill: var(--red); font-weight: 650; } .fated { fill: var(--amber); font-weight: 650; }
.span { fill: var(--wash); stroke: var(--blue); } .round { fill: none; stroke: var(--amber); stroke-width: 1.8; }
"""


def svg(drawing: Drawing) -> str:
    """The image, a whole file."""
    width = GUTTER + LANE * len(drawing.lanes) + TOLD
    foot = [line for text in _ending(drawing) for line in wrapped(text, width // 7)]
    high = TOP + ROW * len(drawing.steps) + LINE * len(foot) + 24
    parts = [f'<rect class="paper" width="{width}" height="{high}"/>', _text(14, 28, drawing.title, "title")]
    end = TOP + ROW * len(drawing.steps)
    for number, lane in enumerate(drawing.lanes):
        parts.append(_text(_x(number), 58, shortened(lane.name, 17), "head", "middle"))
        parts.append(
            f'<line class="life" x1="{_x(number)}" x2="{_x(number)}" y1="{TOP - 6}" y2="{end - 8}"/>'
        )
    parts += [_span(span, len(drawing.steps) - 1) for span in drawing.spans]
    parts += [part for number in range(len(drawing.steps)) for part in _step(drawing, number)]
    parts += [_arrow(arrow, len(drawing.steps) - 1) for arrow in _beside(drawing)]
    if drawing.loop is not None and drawing.loop < len(drawing.steps) - 1:
        top, low = _y(drawing.loop + 1), _y(len(drawing.steps) - 1)
        parts.append(f'<path class="round" d="M40 {low}h-6V{top}h6"><title>for ever</title></path>')
    parts += [_text(14, end + LINE * (n + 1), line, "" if n else "head") for n, line in enumerate(foot)]
    about = quoteattr(f"{visible(drawing.title)}. {visible(drawing.verdict.loss)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{high}" viewBox="0 0 {width} {high}" '
        f'role="img" aria-label={about}>\n<style>{STYLE}</style>\n'
        + "\n".join(filter(None, parts))
        + "\n</svg>\n"
    )


def shortened(text: str, room: int) -> str:
    """A text of at most `room` characters."""
    shown = visible(text)
    return shown if len(shown) <= room else f"{shown[: max(1, room - 1)]}\u2026"


def wrapped(text: str, room: int) -> list[str]:
    """A text as lines of about so many characters."""
    lines, line = [], ""
    for word in visible(text).split():
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def _ending(drawing: Drawing) -> list[str]:
    verdict = drawing.verdict
    said = [
        ("Promise", verdict.promise),
        ("Loss", verdict.loss),
        ("Step", f"{verdict.by} {verdict.after}".strip()),
    ]
    return [f"{name}: {text}" for name, text in said if text]


def _x(lane: int) -> int:
    return GUTTER + LANE * lane + LANE // 2


def _y(step: int) -> int:
    return TOP + ROW * step + ROW // 2


def _text(x: int, y: int, text: str, kind: str = "", anchor: str = "") -> str:
    more = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{x}" y="{y}"{more}>{escape(visible(text))}</text>'


def _step(drawing: Drawing, number: int) -> list[str]:
    step, verdict, y = drawing.steps[number], drawing.verdict, _y(number)
    bad = number > 0 and number == verdict.since and verdict.form not in ("", "sometimes")
    kind = "bad" if bad else "fated" if number and number == verdict.inevitable else ""
    parts = [_text(14, y + 4, str(number), kind or "soft")]
    if number and step.lane >= 0:
        x = _x(step.lane)
        parts.append(
            f'<path class="fault" d="M{x} {y - 7}l7 7l-7 7l-7 -7z"/>'
            if step.fault not in ("", "choice")
            else f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>'
        )
        if not any(a.sent == number and step.lane in (a.source, a.target) for a in drawing.arrows):
            does = step.call.partition("(")[0].replace("_", " ")
            parts.append(_text(x + 10, y + 4, shortened(does, LANE // 7), "says soft"))
    said = (step.sentence or step.call) if number else "At the start"
    left, lines = GUTTER + LANE * len(drawing.lanes) + 10, wrapped(said, WORDS)
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], shortened(" ".join(lines[LINES - 1 :]), WORDS)]
    parts += [_text(left, y + 4 + 15 * n - 7 * (len(lines) - 1), line, kind) for n, line in enumerate(lines)]
    return parts


def _beside(drawing: Drawing) -> list[tuple[Arrow, int]]:
    """The arrows; each that is on its way for a while with its place among those that wait beside one lane."""
    last, found, until = len(drawing.steps) - 1, list[tuple[Arrow, int]](), dict[int, list[int]]()
    for arrow in drawing.arrows:
        end = last if arrow.arrives is None else arrow.arrives
        taken, slot = until.setdefault(arrow.target, []), 0
        if end > arrow.sent:
            slot = next((n for n, free in enumerate(taken) if free < arrow.sent), len(taken))
            taken[slot : slot + 1] = [end]
        found.append((arrow, slot))
    return found


def _arrow(placed: tuple[Arrow, int], last: int) -> str:
    arrow, slot = placed
    x, to, y = _x(arrow.source), _x(arrow.target), _y(arrow.sent)
    way, broken = (1 if to > x else -1), arrow.fate in ("lost", "failed", "under way")
    end = _y(last if arrow.arrives is None else arrow.arrives)
    tip = to - way * 6
    if arrow.source == arrow.target:
        path = f"M{x} {y}h24v10h-18"
        tip, end, way = x + 6, y + 10, -1
    elif arrow.arrives == arrow.sent:
        path = f"M{x} {y}H{tip}"
    else:
        beside = to - way * (14 + 6 * min(6, slot))
        stop = end if broken else end - 8
        path = f"M{x} {y}L{beside} {min(y + 14, stop)}V{stop}" + ("" if broken else f"L{tip} {end}")
        tip = beside if broken else tip
    kind = "late" if arrow.late and arrow.fate == "arrives" else arrow.fate.split(" ", maxsplit=1)[0]
    words = arrow.text if kind == "arrives" else f"{arrow.text} ({'late' if kind == 'late' else arrow.fate})"
    mark = ""
    if arrow.fate in ("lost", "failed"):
        mark = f'<path class="cross" d="M{tip - 6} {end - 6}l12 12m0 -12l-12 12"/>'
    elif arrow.fate == "refused":
        mark = f'<path class="cross" d="M{tip} {end - 8}v16"/>'
    elif arrow.fate == "arrives":
        mark = f'<path class="tip" d="M{tip + way * 3} {end}l{-way * 9} -4.5v9z"/>'
    room = abs(to - x) if arrow.arrives == arrow.sent and to != x else LANE
    middle = to - way * room // 2 if to != x else x + 30
    label = _text(middle, y - 6, shortened(words, room // 6), "says", "middle") if arrow.text else ""
    return f'<g class="{kind}"><title>{escape(visible(words))}</title><path class="way" d="{path}"/>{mark}{label}</g>'


def _span(span: Span, last: int) -> str:
    top, end = _y(span.begins), _y(last if span.ends is None else span.ends)
    return (
        f'<rect class="span" x="{_x(span.lane) - 7}" y="{top - 9}" width="14" height="{end - top + 18}" rx="7">'
        f"<title>{escape(visible(span.text))}</title></rect>"
    )
