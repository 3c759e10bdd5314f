"""A page of one file: a run, or several, two of them side by side. It needs no network. Nothing of a run is markup:
texts stand as JSON in a script that is not run, with every `<` escaped, and are shown as text.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path

import msgspec

from cutproof.checks.views.drawing import Drawing

MARK = "<!-- a picture of a run, made by cutproof view -->"
_HERE = Path(__file__).parent
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
FEW = 500  # steps that are told in the page itself, for readers without scripts


class Page(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the script of a page reads."""

    runs: tuple[Drawing, ...]
    parting: str = ""  # how far two runs are the same


def page(drawings: Sequence[Drawing]) -> str:
    """The page of some runs."""
    style, script = part("page.css"), "\n".join(map(part, ("chart.js", "page.js")))
    title = " | ".join(d.title for d in drawings)
    policy = (
        f"default-src 'none'; style-src '{hash_of(style)}' 'unsafe-hashes'; script-src '{hash_of(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    data = embedded(Page(tuple(drawings), parting(drawings[0], drawings[1]) if len(drawings) == 2 else ""))
    return f"""<!doctype html>
{MARK}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(visible(title))}</title>
<style>{style}</style>
</head>
<body>
<main id="runs"></main>
<noscript>{"".join(map(_told, drawings))}</noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def embedded(data: object) -> str:
    """Plain data as JSON that can stand in a script of a page."""
    text = msgspec.json.encode(data).decode()
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return text


def parting(one: Drawing, other: Drawing) -> str:
    """How far two runs are the same, and how they go on."""
    calls = [[step.call for step in d.steps[1:]] for d in (one, other)]
    same = 0
    while same < min(map(len, calls)) and calls[0][same] == calls[1][same]:
        same += 1
    rest = [c[same] if same < len(c) else "the end" for c in calls]
    if rest[0] == rest[1]:
        return f"The two take the same {same:,} steps."
    how = f"The first {same:,} steps are the same; then" if same else "They part at the first step:"
    return f"{how} the one goes on with {rest[0]}, the other with {rest[1]}."


def visible(text: str) -> str:
    """A text in which characters that turn its direction, or that cannot be seen, are named."""
    return "".join(c if c.isprintable() else f"[U+{ord(c):04X}]" for c in text)


def _told(drawing: Drawing) -> str:
    """A run in plain lines, for readers without scripts."""
    verdict = drawing.verdict
    said = [
        ("Promised", verdict.promise),
        ("What became of it", verdict.loss),
        ("By", verdict.by),
        ("", verdict.after),
    ]
    lines = "".join(f"<p>{escape(f'{n}: {text}' if n else text)}</p>" for n, text in said if text)
    steps = "".join(f"<li>{escape(visible(f'{s.call} {s.sentence}'))}</li>" for s in drawing.steps[1:FEW])
    return f"<h1>{escape(visible(drawing.title))}</h1><p>{escape(visible(drawing.why))}</p>{lines}<ol>{steps}</ol>"


@lru_cache
def part(name: str) -> str:
    """A style or script of the pages, by the name of its file."""
    return (_HERE / name).read_text("utf-8").strip()


def hash_of(text: str) -> str:
    """By which a policy knows a style or script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
