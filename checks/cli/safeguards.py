"""The commands `cutproof safeguards`, `cutproof protocols` and `cutproof diagram`."""

from __future__ import annotations

from typing import Annotated

import typer

from cutproof.checks.cli.arguments import is_cutover, the_bounded_scope, the_protocol, the_removed, the_study
from cutproof.checks.cli.console import Json, Named, ScopeText, Study, With, WithoutGuard, say, say_json
from cutproof.checks.cli.orientation import completion
from cutproof.checks.common.refusals import near, refuse

UNKNOWN = 3


def safeguards(
    name: Annotated[
        str, typer.Argument(help="One of them, at length.", autocompletion=completion.removable)
    ] = "",
    study: Study = "",
    json_lines: Json = False,
) -> int:
    """The safeguards: what each is for, and under what it is seen to be necessary."""
    from cutproof.checks.cli.reports import safeguards as safeguards_report
    from cutproof.checks.cli.reports import tables

    known = the_study(study).safeguards()
    names = list(the_removed(name)) if name else list(known)
    entries = [safeguards_report.safeguard_entry(known[n]) for n in names]
    if json_lines:
        for entry in entries:
            say_json(entry)
    elif name:
        for entry in entries:
            say(*safeguards_report.safeguard_text(entry))
    else:
        say(*safeguards_report.safeguard_table(entries, tables.width(), tables.is_terminal()))
    return 0


def protocols(json_lines: Json = False) -> int:
    """The protocols that come with the package: what each is, its parameters, and its states at their defaults."""
    from cutproof.checks.protocols.parameters import described
    from cutproof.checks.protocols.registry import BUNDLED

    for entry in BUNDLED:
        takes = described(entry.make)
        if json_lines:
            say_json(
                {"name": entry.name, "parameters": takes, "sentence": entry.sentence, "states": entry.states}
            )
        else:
            say(f"{entry.name:18} {entry.sentence}", f"{'':18} --with {takes}; {entry.states:,} states")
    if not json_lines:
        say("", "a file of your own: FILE.py, or FILE.py:NAME; see docs/guides/your-own-protocol.md")
    return 0


def diagram(
    named: Named = "",
    parameters: With = None,
    guards: WithoutGuard = None,
    variable: Annotated[
        str, typer.Option("--variable", help="Whose values are drawn, where the protocol has several.")
    ] = "",
    scope: ScopeText = "abort",
) -> int:
    """The phases of a protocol as a mermaid diagram, drawn from the transitions that fire.

    Without a protocol: the cutover, in the scope abort."""
    from cutproof.checks.cli.reports import safeguards as safeguards_report
    from cutproof.checks.engines.plain.explore import explore as explored

    ours = is_cutover(named)
    if ours:
        the_bounded_scope(scope)
    loaded = the_protocol(named, parameters, guards, scope if ours or scope != "abort" else "")
    protocol = loaded.protocol
    single = [f.name for f in protocol.fields if not f.where and f.domain.kind not in (bool, int)]
    if not variable:
        if not ours and len(single) != 1:
            if not single:
                refuse(
                    f"{protocol.name} has no single variable over an enumeration, so there are no phases to draw"
                )
            refuse(f"--variable: say which one is drawn; there are {', '.join(single)}")
        variable = "phase" if ours else single[0]
    if variable not in single:
        hint = near(variable, single) or f"; there are {', '.join(single) or 'none'}"
        refuse(f"--variable {variable}: is no single variable over an enumeration{hint}")
    goals = [c.property for c in protocol.claims if c.form == "can_always"][:1]  # edges are kept for those
    found = explored(protocol, cycles=False, properties=goals, graph=not goals)
    if found.interrupted:
        return UNKNOWN
    say(safeguards_report.phase_diagram([found], variable).rstrip("\n"), verbatim=True)
    return 0
