"""The page on which a protocol is explored by hand: one file, its texts as data, escaped as `views/html.py` says."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from pathlib import Path

from cutproof.checks.views import html
from cutproof.checks.views.byhand.walk import About

_HERE = Path(__file__).parent


@lru_cache
def _part(name: str) -> str:
    return (_HERE / name).read_text("utf-8").strip()


def style() -> str:
    """The style of the page: that of traces, and its own."""
    return f"{html.part('page.css')}\n{_part('byhand.css')}"


def script() -> str:
    """The script of the page, with the lanes of the page of a trace."""
    return f"{html.part('chart.js')}\n{_part('byhand.js')}"


def policy() -> str:
    """What the page may do: run its own script, and ask where it came from."""
    return (
        f"default-src 'none'; style-src '{html.hash_of(style())}'; script-src '{html.hash_of(script())}'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def page(about: About) -> str:
    """The page of a protocol."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(html.visible(about.name))} by hand</title>
<link rel="icon" href="data:,">
<style>{style()}</style>
</head>
<body>
<main id="hand"></main>
<noscript>This page asks for each step; it needs scripts.</noscript>
<script type="application/json" id="data">{html.embedded(about)}</script>
<script>{script()}</script>
</body>
</html>
"""
