"""Pages of the runs that a report speaks of, each written once."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.pages.folder import VIEWS
from cutproof.checks.protocols.registry import entry_of, of_trace
from cutproof.checks.traces import stored
from cutproof.checks.traces.trace import Trace, TraceError, read
from cutproof.checks.views import bare, carried, html, make
from cutproof.checks.views.drawing import Drawing
from cutproof.model.language.protocol import Protocol

ENDINGS = (".itf.json", ".schedule.json", ".json")


class Views:
    """The pages of a report's runs. `files` has them, by their names within the folder of the report."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}

    def page(self, name: str, drawing: Callable[[], Drawing]) -> str:
        """The place of a page, which is made unless it is there already; empty where the run cannot be drawn."""
        place = self._place(name)
        if place not in self.files:
            try:
                self.files[place] = html.page([drawing()])
            except (TraceError, Wrong, OSError, ValueError):
                return ""
        return place

    def _place(self, name: str) -> str:
        short = re.sub(r"[^A-Za-z0-9_.=-]+", "-", _without_ending(name)).strip("-.")[:120] or "run"
        return f"{VIEWS}/{short}.html"

    def stored(self, name: str) -> str:
        """The page of a trace that comes with the package; empty where it does not."""
        file = stored.find(name)
        if file is None:
            return ""
        place = self._place(file.name)
        if place not in self.files and (made := _of_stored(file)):
            self.files[place] = made
        return place if place in self.files else ""

    def steps(self, name: str) -> int:
        """How many steps a trace has that comes with the package; 0 where it does not."""
        file = stored.find(name)
        return len(read(file).steps) if file else 0

    def file(self, name: str, protocol: Protocol | None = None) -> str:
        """The page of a trace in a file."""
        return self.page(name.rpartition("/")[2], lambda: drawn(read(name), name, protocol))


@cache
def _of_stored(file: Path) -> str:
    """The page of a trace that comes with the package; empty where it cannot be drawn."""
    try:
        return html.page([drawn(read(file), file.name)])
    except (TraceError, Wrong):
        return ""


def drawn(trace: Trace, name: str, protocol: Protocol | None = None) -> Drawing:
    """The drawing of a trace, by its protocol where that is known."""
    if protocol is None and entry_of(trace.meta.protocol) is not None:
        meta = trace.meta
        settings = {"scope": meta.scope, "policy": meta.policy, "safeguards_removed": meta.safeguards_removed}
        protocol = of_trace(meta.protocol, settings, name)
    if protocol is not None:
        return make.of_trace(trace, protocol, name)
    return carried.of(trace, name) or bare.of_trace(trace, make.about(trace))


def _without_ending(name: str) -> str:
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name
