"""Pages that are made from the code: the commands, the safeguards, the properties, Python, the stored traces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from cutproof.checks.cli import main as cli
from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.cli.reports.safeguards import safeguard_entry
from cutproof.checks.traces import story
from cutproof.checks.traces.stored import ENDING
from cutproof.checks.traces.trace import Trace, read
from cutproof.checks.views import html, make, svg
from cutproof.model.cutover.properties import PROPERTIES
from cutproof.model.cutover.safeguards import SAFEGUARDS, Harm
from cutproof.model.language.protocol import Protocol

# What a user of the package imports, in the order in which it is met.
PYTHON: dict[str, tuple[str, ...]] = {
    "Any protocol": ("cutproof.checks.api",),
    "Your own store": ("cutproof.checks.conform", "cutproof.checks.drivers.adapter"),
    "What clients recorded": ("cutproof.checks.drivers.recording",),
    "The reference implementation": ("cutproof.impl",),
}
WIDE = 96  # columns of what a command says of itself


def generated(root: Path) -> Iterator[tuple[str, str]]:
    """Each page as its `src_uri` and its text."""
    yield "reference/commands.md", commands()
    yield "reference/python.md", python()
    traces = {p.name.removesuffix(ENDING): read(p) for p in sorted((root / "traces").glob(f"*{ENDING}"))}
    told = {name: (trace, protocol_of_trace(trace, name)) for name, trace in traces.items()}
    yield "reference/safeguards.md", safeguards()
    for name in SAFEGUARDS:
        yield f"reference/safeguards/{name}.md", safeguard(name, told)
    for name, (trace, protocol) in told.items():
        drawing = make.of_trace(trace, protocol, name)
        yield f"views/{name}.html", html.page([drawing])
        yield f"views/{name}.svg", svg.svg(drawing)
        yield f"traces/{name}.md", trace_page(name, trace, protocol)


# ------------------------------------------------------------------ commands


def commands() -> str:
    """Every command with what `--help` says of it."""
    group: Any = typer.main.get_command(cli.app)
    parts = [
        "# Commands",
        "Results go to stdout, progress and errors to stderr. What `cutproof COMMAND --help` says:",
    ]
    for name, command in group.commands.items():
        context = command.make_context(name, ["--help"], resilient_parsing=True)
        context.info_name, context.terminal_width, context.max_content_width = f"cutproof {name}", WIDE, WIDE
        parts.append(f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```")
    return "\n\n".join(parts) + "\n"


def python() -> str:
    """What can be imported, from its docstrings."""
    parts = ["# Python", "What the package promises to those who import it; everything else may change."]
    for head, modules in PYTHON.items():
        parts += [
            f"## {head}",
            *(f"::: {module}\n    options:\n      heading_level: 3" for module in modules),
        ]
    return "\n\n".join(parts) + "\n"


# ------------------------------------------------------------------ safeguards, traces


def safeguards() -> str:
    """A row for each safeguard, and the properties that hold with all of them."""
    lines = [
        "# Safeguards",
        "",
        "Each was taken away: what is then lost, served stale or stuck, in a shortest run.",
        "",
    ]
    lines += ["| safeguard | rule | without it |", "|---|---|---|"]
    for name, known in SAFEGUARDS.items():
        lines.append(f"| [`{name}`](safeguards/{name}.md) | {_cell(known.rule)} | {_harms(known.harms)} |")
    lines += ["", "## Properties", "", "| property | form | what it says |", "|---|---|---|"]
    lines += [f"| `{p.name}` | {p.form.replace('_', ' ')} | {_cell(p.sentence)} |" for p in PROPERTIES]
    return "\n".join(lines) + "\n"


def safeguard(name: str, told: dict[str, tuple[Trace, Protocol]]) -> str:
    """One of them: the rule, what happens without it, and the run that shows it."""
    known = SAFEGUARDS[name]
    entry = safeguard_entry(known)
    lines = [f"# {name}", "", known.rule, "", f"**Without it**: {known.without}", ""]
    lines += [f"**Harm**: {_harms(known.harms)}.", ""]
    lines += [f"**In the design that we began with**: {known.seed}", ""] if known.seed else []
    lines += [f"**Public reports that it answers**: {known.answers}", ""] if known.answers else []
    for number, experiment in enumerate(entry["necessary"]):
        trace = experiment["trace"].removeprefix("traces/").removesuffix(ENDING)
        lines += [f"## {experiment['property']} is violated", "", *_where(experiment), ""]
        lines += [f"    cutproof replay {trace}", ""]
        if number == 0:
            lines += [
                f"[Step through it](../../views/{trace}.html), or [read it](../../traces/{trace}.md).",
                "",
            ]
            lines += [f"[![The run as lanes](../../views/{trace}.svg)](../../views/{trace}.html)"]
        else:
            lines += [f"[The run](../../traces/{trace}.md)."]
    return "\n".join(lines) + "\n"


def trace_page(name: str, trace: Trace, protocol: Protocol) -> str:
    """A stored run, told."""
    lines = [f"# {name}", "", f"    cutproof replay {name}", "", f"[Step through it](../views/{name}.html)."]
    return "\n".join([*lines, "", *_story(trace, protocol)]) + "\n"


def _story(trace: Trace, protocol: Protocol) -> list[str]:
    return ["```text", *story.story(trace, protocol), "```"]


def _where(experiment: dict[str, Any]) -> list[str]:
    policy = ", ".join(f"`{k} = {str(v).lower()}`" for k, v in experiment["policy"].items())
    without = ", ".join(f"`{name}`" for name in experiment["companions"])
    said = [f"Scope `{experiment['scope']}`"]
    said += [f"policy {policy}"] if policy else []
    said += [f"without {without} too"] if without else []
    return ["; ".join(said) + "."]


def _harms(harms: Sequence[Harm]) -> str:
    return ", ".join(harm.value if isinstance(harm, Harm) else Harm[harm].value for harm in harms)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
