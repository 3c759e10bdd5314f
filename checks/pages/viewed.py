"""Pages of the runs that a report speaks of, each written once."""

from __future__ import annotations

import re
from collections.abc import Callable

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
        short = re.sub(r"[^A-Za-z0-9_.=-]+", "-", _without_ending(name)).strip("-.")[:120] or "run"
        place = f"{VIEWS}/{short}.html"
        if place not in self.files:
            try:
                self.files[place] = html.page([drawing()])
            except (TraceError, Wrong, OSError, ValueError):
                return ""
        return place

    def stored(self, name: str) -> str:
        """The page of a trace that comes with the package; empty where it does not."""
        file = stored.find(name)
        return self.page(file.name, lambda: drawn(read(file), file.name)) if file else ""

    def steps(self, name: str) -> int:
        """How many steps a trace has that comes with the package; 0 where it does not."""
        file = stored.find(name)
        return len(read(file).steps) if file else 0

    def file(self, name: str, protocol: Protocol | None = None) -> str:
        """The page of a trace in a file."""
        return self.page(name.rpartition("/")[2], lambda: drawn(read(name), name, protocol))


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
