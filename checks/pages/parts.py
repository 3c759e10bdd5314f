"""What pages are put together from: texts, tables that can be sorted and filtered, figures; and the page itself.

Everything that a run tells is escaped here, once: what is markup is of the type `Markup`."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from cutproof.checks.pages.folder import MARK
from cutproof.checks.views.html import embedded, hash_of, visible

_HERE = Path(__file__).parent


class Markup(str):
    """A text that is markup already."""

    __slots__ = ()


Text = str | Markup


@dataclass(frozen=True)
class Mark:
    """How a row came out: a shape and a word, and the colour is beside them only. `kind`: good, bad, unknown, idle."""

    kind: str
    word: str

    def markup(self) -> Markup:
        """A shape that is not read out, and the word."""
        shape = {"good": "✓", "bad": "✗", "unknown": "?", "idle": "–"}[self.kind]
        return Markup(
            f'<span class="mark {self.kind}"><span aria-hidden="true">{shape}</span> {text(self.word)}</span>'
        )


@dataclass(frozen=True)
class Column:
    """A column. `number`: sorted as numbers; `choose`: can be chosen from the values that there are; `wide`: has
    sentences."""

    name: str
    number: bool = False
    choose: bool = False
    wide: bool = False


Cell = Text | int | float | Mark | None


def text(said: Text) -> Markup:
    """Any text as markup."""
    return said if isinstance(said, Markup) else Markup(escape(visible(said)))


def code(said: str) -> Markup:
    """A command, or a name in code."""
    return Markup(f"<code>{text(said)}</code>")


def link(place: str, words: str) -> Markup:
    """A link to a page beside this one; just the words where there is no such page."""
    return Markup(f'<a href="{escape(place)}">{text(words)}</a>') if place else text(words)


def viewing(place: str, name: str) -> Markup:
    """A link to the page of a run: short to see, and with the run's name for whoever hears it."""
    return Markup(f'<a href="{escape(place)}">view<span class="unseen"> {text(name)}</span></a>')


def joined(parts: Iterable[Text], between: str = "") -> Markup:
    """Texts one after the other."""
    return Markup(between.join(text(part) for part in parts))


def lines(parts: Iterable[Text]) -> Markup:
    """Texts as a list; nothing where there are none."""
    items = "".join(f"<li>{text(part)}</li>" for part in parts)
    return Markup(f'<ul class="lines">{items}</ul>' if items else "")


def section(name: str, title: str, *inside: Text, about: Text = "") -> Markup:
    """A part of a page, with its heading and a sentence below it."""
    said = f'<p class="about">{text(about)}</p>' if about else ""
    return Markup(
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{text(title)}</h2>{said}'
        f"{''.join(text(part) for part in inside)}</section>"
    )


def table(name: str, caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> Markup:
    """A table; where there are scripts it can be sorted by each column, and filtered. `name` is its id."""
    heads = "".join(
        f'<th scope="col"{" data-number" * c.number}{" data-choose" * c.choose}>{text(c.name)}</th>'
        for c in columns
    )
    body = "".join(
        f"<tr>{''.join(_cell(i, c, value) for i, (c, value) in enumerate(zip(columns, row, strict=True)))}</tr>"
        for row in rows
    )
    return Markup(
        f'<div class="sheet" id="{name}-sheet"><div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption)}: the table"><table id="{name}"><caption>{text(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></div>"
    )


def _cell(place: int, column: Column, value: Cell) -> str:
    kinds = " ".join(kind for kind, on in (("number", column.number), ("wide", column.wide)) if on)
    attributes = f' class="{kinds}"' if kinds else ""
    if isinstance(value, Mark):
        attributes += f' data-value="{escape(value.word)}"'
        shown: str = value.markup()
    elif isinstance(value, int | float):
        attributes += f' data-value="{value!r}"'
        shown = f"{value:,}".removesuffix(".0")
    else:
        shown = text(value or "")
    return f'<th scope="row"{attributes}>{shown}</th>' if place == 0 else f"<td{attributes}>{shown}</td>"


def figure(light: str, dark: str, described: str, caption: str) -> Markup:
    """A plot, as SVG for light and for dark paper. `described` says in words what is seen."""
    sources = [
        f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" for svg in (light, dark)
    ]
    return Markup(
        f'<figure><picture><source media="(prefers-color-scheme: dark)" srcset="{sources[1]}">'
        f'<img src="{sources[0]}" alt="{escape(described)}"></picture>'
        f"<figcaption>{text(caption)}</figcaption></figure>"
    )


# ------------------------------------------------------------------ the whole page


@dataclass(frozen=True)
class About:
    """What was run: the command as it was typed, and more by name (version, seed, scope, time)."""

    command: str
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Heading:
    """What a page begins with: how it came out, in a word, a heading and a sentence."""

    mark: Mark
    title: str
    why: str


def page(
    heading: Heading,
    about: About,
    sections: Sequence[Markup],
    names: Sequence[tuple[str, str]],
    data: object = None,
) -> str:
    """The page. `names` are the sections by id and title; `data` is what the script of a map reads."""
    style = _part("report.css")
    scripts = ["tables.js"] + (["map.js"] if data is not None else [])
    script = "\n".join(_part(name) for name in scripts)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{hash_of(style)}'; script-src '{hash_of(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    facts = [Markup(f"<div><dt>command</dt><dd>{code(about.command)}</dd></div>")]
    facts += [
        Markup(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>")
        for name, value in about.more
        if value
    ]
    parts = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title in names)
    nav = f'<nav aria-label="Parts of the report"><ul>{parts}</ul></nav>' if len(names) > 1 else ""
    stored = (
        f'<script type="application/json" id="data">{embedded(data)}</script>' if data is not None else ""
    )
    return f"""<!doctype html>
{MARK}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{text(heading.title)}</title>
<style>{style}</style>
</head>
<body>
<main>
<header class="{heading.mark.kind}">
<p class="outcome">{heading.mark.markup()}</p>
<h1>{text(heading.title)}</h1>
<p class="why">{text(heading.why)}</p>
<dl class="facts">{"".join(facts)}</dl>
{nav}
</header>
{"".join(sections)}
</main>
{stored}
<script>{script}</script>
</body>
</html>
"""


@lru_cache
def _part(name: str) -> str:
    return (_HERE / name).read_text("utf-8").strip()
