"""The commands `cutproof safeguards` and `cutproof diagram`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import the_bounded_scope, the_removed
from cutproof.checks.cli.console import Json, ScopeText, say, say_json

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    pass

UNKNOWN = 3


def safeguards(
    name: Annotated[str, typer.Argument(help="One of them, at length.")] = "", json_lines: Json = False
) -> int:
    """The safeguards: what each is for, and under what it is seen to be necessary."""
    from cutproof.checks.cli.reports import safeguards as safeguards_report
    from cutproof.checks.cli.reports import tables
    from cutproof.model.cutover.safeguards import SAFEGUARDS

    names = list(the_removed(name)) if name else list(SAFEGUARDS)
    entries = [safeguards_report.safeguard_entry(SAFEGUARDS[n]) for n in names]
    if json_lines:
        for entry in entries:
            say_json(entry)
    elif name:
        for entry in entries:
            say(*safeguards_report.safeguard_text(entry))
    else:
        say(safeguards_report.safeguard_table(entries, tables.terminal_width()).rstrip("\n"))
    return 0


def diagram(scope: ScopeText = "abort") -> int:
    """The phases as a mermaid diagram, drawn from the transitions that fire in a scope."""
    from cutproof.checks.cli.reports import safeguards as safeguards_report
    from cutproof.checks.engines.plain.explore import explore as explored
    from cutproof.model.cutover.coordinator import build

    found = explored(build(the_bounded_scope(scope)), cycles=False, properties=["finish"])
    if found.interrupted:
        return UNKNOWN
    say(safeguards_report.phase_diagram([found]).rstrip("\n"))
    return 0
