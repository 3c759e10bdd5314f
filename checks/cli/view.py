"""The command `cutproof view`: runs as lanes, in a page, an image, a diagram or a terminal; a protocol by hand."""

from __future__ import annotations

import io
import shutil
import sys
from contextlib import suppress
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.cli.by_hand import by_hand, is_protocol, only
from cutproof.checks.cli.console import AsWritten, PolicyText, ScopeText, Without, WithoutGuard, say
from cutproof.checks.cli.orientation import completion
from cutproof.checks.cli.replay import SCHEDULE, chosen_model
from cutproof.checks.cli.reports.tables import width
from cutproof.checks.common import files as opened
from cutproof.checks.common.refusals import Wrong, checked, near, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.traces.trace import Trace
    from cutproof.checks.views.drawing import Drawing

STDIN, MOST = "-", 8  # runs in a page
LOOKED_AT = 20_000  # states, for the step after which it was inevitable
MIN = 40  # columns that lanes need
PAGE = ".html"


def view(
    traces: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACE...",
            help="Traces, names of stored ones, schedules of conform, histories, ITF of other tools; - for stdin. "
            "Or a protocol, to explore it by hand: FILE.py[:NAME], or a bundled one.",
            autocompletion=completion.runs_and_protocols,
        ),
    ],
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", help="The file; - is stdout. A page is TRACE.html if it is not named."
        ),
    ] = "",
    model: Annotated[
        str, typer.Option("--model", help="The protocol: FILE.py[:NAME]; else the one that the trace names.")
    ] = "",
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="Parameters of the protocol, or of --model: name=value,...; else those of the trace.",
        ),
    ] = None,
    as_svg: Annotated[bool, typer.Option("--svg", help="An image, for a ticket or a document.")] = False,
    as_mermaid: Annotated[
        bool, typer.Option("--mermaid", help="A sequence diagram as text, for a pull request.")
    ] = False,
    as_ascii: Annotated[bool, typer.Option("--ascii", help="Lanes in the terminal.")] = False,
    max_states: Annotated[
        int, typer.Option("--max-states", min=1, help="Looked at for the step after which it was inevitable.")
    ] = LOOKED_AT,
    guards: WithoutGuard = None,
    scope: ScopeText = "",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="Of the page by hand; else one that is free.")
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="By hand: print the address, and open no browser.")
    ] = False,
) -> int:
    """Show runs as lanes: who said what to whom, what was promised, what was lost and by which step.

    Writes one page that needs no network; two runs stand side by side in it. Of a protocol, serves a page on this
    machine, in which it is explored by hand."""
    protocols = [file for file in traces if is_protocol(file)]
    formats = {"--svg": as_svg, "--mermaid": as_mermaid, "--ascii": as_ascii}
    if protocols:
        only(
            f"{protocols[0]}, which is a protocol and explored by hand",
            {
                "another run": len(traces) > 1,
                "--output": output,
                "--model": model,
                "--max-states": max_states != LOOKED_AT,
                **formats,
            },
        )
        return by_hand(traces[0], parameters, guards, scope, policy, without, as_written, port, not no_open)
    only(
        f"{traces[0]}, which is a run: it is of a protocol, FILE.py[:NAME] or a bundled one",
        {"--scope": scope, "--policy": policy, "--without": without, "--without-guard": guards,
         "--as-written": as_written, "--port": port, "--no-open": no_open},
    )  # fmt: skip
    return _runs(traces, output, model, ",".join(parameters or ()), formats, max_states)


def _runs(
    traces: list[str], output: str, model: str, parameters: str, formats: dict[str, bool], max_states: int
) -> int:
    """Runs, in a page or in the one other format that is asked for."""
    asked = [name for name, on in formats.items() if on]
    if len(asked) > 1:
        refuse(f"{' '.join(asked)}: one of them at a time")
    if parameters and not model:
        refuse(f"--with {parameters}: has a part only with --model FILE.py; a trace carries its parameters")
    if len(traces) > MOST:
        refuse(f"{len(traces)} runs: a page has {MOST} at most; write several")
    if asked and len(traces) > 1:
        refuse(f"{asked[0]}: takes one run at a time; a page shows several")
    if traces.count(STDIN) > 1:
        refuse("-: stdin can be read once")
    drawings = [_drawing(file, model, parameters, max_states) for file in traces]
    for file in traces if output else ():
        with suppress(OSError, ValueError):
            if File(file).samefile(output):
                refuse(f"-o {output}: is what is read: name another file")
    _write(_formatted(drawings, asked[0] if asked else ""), output, traces, not asked)
    return 0


def _formatted(drawings: list[Drawing], asked: str) -> str:
    from cutproof.checks.views import html, mermaid, svg, text

    if asked == "--svg":
        return svg.svg(drawings[0])
    if asked == "--mermaid":
        return mermaid.diagram(drawings[0])
    if asked == "--ascii":
        return (
            "\n".join(text.lanes(drawings[0], max(MIN, shutil.get_terminal_size((width(), 0)).columns)))
            + "\n"
        )
    return html.page(drawings)


def _write(made: str, output: str, names: list[str], page: bool) -> None:
    """To the file, or stdout. What is there already is replaced only where it is named, or was such a page."""
    from cutproof.checks.views.html import MARK

    if output == STDIN or (not output and not page):
        if output == STDIN and isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # as in a file
        say(made.removesuffix("\n"), verbatim=True)
        return
    file = File(output or _named(names))
    if file.is_dir():
        refuse(f"{file}: is a folder; name a file: -o {file}/run{PAGE}")
    if not output and file.exists():
        with suppress(OSError), file.open(encoding="utf-8", errors="replace") as there:
            if MARK not in there.read(200):
                refuse(f"{file}: another file is there; name one with -o FILE")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")
    except (OSError, ValueError) as error:
        refuse(f"{file}: {getattr(error, 'strerror', None) or error}")
    say(str(file))


def _named(names: list[str]) -> str:
    """The name of a page: that of the trace, in this folder."""
    first = "run" if names[0] == STDIN else File(names[0]).name
    for ending in (".itf.json", SCHEDULE, ".jsonl", ".json", ".edn"):
        first = first.removesuffix(ending)
    return f"{first[:200]}{'-and-more' if len(names) > 1 else ''}{PAGE}"


# ------------------------------------------------------------------ what is drawn


def _drawing(file: str, model: str, parameters: str, most: int) -> Drawing:
    """The drawing of what is in a file, whatever it is. Refuses what is nothing of the kind."""
    from cutproof.checks.cutover.conformance import drawn
    from cutproof.checks.cutover.conformance.steps import looks_like_one, parsed
    from cutproof.checks.views import bare

    data, name = _read(file)
    if looks_like_one(data):
        return drawn.of_schedule(parsed(data, name), name)
    if name.endswith((".jsonl", ".edn")) or _is_history(data):
        return _history(data, name)
    try:
        trace = _trace(data, name)
    except Wrong:
        if _is_ours(data):
            raise
        return checked(bare.of_bytes, data, name)
    return _of_trace(trace, name, model, parameters, most)


def _read(file: str) -> tuple[bytes, str]:
    from cutproof.checks.protocols.registry import BUNDLED
    from cutproof.checks.traces import stored
    from cutproof.checks.traces.trace import LIMIT

    if file == STDIN:
        data = sys.stdin.buffer.read(LIMIT + 1)
        if len(data) > LIMIT:
            refuse(f"stdin: holds more than {LIMIT:,} bytes")
        return data, "stdin"
    try:
        found = None if File(file).exists() else stored.find(file)
        shown = str(found or file).encode("utf-8", "replace").decode()  # the name of a file may be no text
        return opened.content(found or file, LIMIT), shown
    except (OSError, ValueError) as error:
        close = near(file, [*stored.names(), *(b.name for b in BUNDLED)])
        said = getattr(error, "strerror", None) or "is a name that no file can have"
        refuse(f"{file}: {said}{close}")


def _trace(data: bytes, name: str) -> Trace:
    from cutproof.checks.traces.trace import from_bytes

    return checked(from_bytes, data, name)


def _is_ours(data: bytes) -> bool:
    """Whether a file claims to be a trace of this program, whatever else is wrong with it."""
    return b'"protocol"' in data[:100_000] and b'"#meta"' in data[:100_000]


def _is_history(data: bytes) -> bool:
    first = data[:4096].split(b"\n", 1)[0]
    return b'"process"' in first and b'"type"' in first


def _history(data: bytes, name: str) -> Drawing:
    from cutproof.checks.drivers.histories import judge, pairing
    from cutproof.checks.views.histories import of_key

    found = pairing.history(io.BytesIO(data), name, name.endswith(".edn"))
    if not found.keys:
        refuse(f"{name}: has no operations of clients")
    drawn = []
    for key, operations in found.keys.items():
        verdict = checked(
            lambda ops: judge.judge(ops, versioned=False, most=500_000, place="line"), operations
        )
        if isinstance(verdict, judge.Unexplained):
            return of_key(name, key, operations, verdict, others=len(found.keys) - 1)
        bad = isinstance(verdict, judge.Undecided), any(o.shows for o in operations)
        drawn.append((bad, key, operations, verdict))
    _, key, operations, verdict = max(drawn, key=lambda entry: entry[0])  # the first of the worst
    return of_key(name, key, operations, verdict, others=len(found.keys) - 1)


def _of_trace(trace: Trace, name: str, model: str, parameters: str, most: int) -> Drawing:
    """By its protocol, where that is given or comes with the package; else by what it carries; else what changed."""
    from cutproof.checks.protocols.registry import entry_of
    from cutproof.checks.views import bare, carried, make

    if model:
        return checked(make.of_trace, trace, chosen_model(trace, name, model, parameters), name, most)
    if entry_of(trace.meta.protocol) is not None:
        return checked(make.of_trace, trace, protocol_of_trace(trace, name), name, most)
    drawing = checked(carried.of, trace, name)
    if drawing is not None:
        return drawing
    if not trace.states:
        refuse(f"{name}: holds actions alone; give its protocol: --model FILE.py")
    return bare.of_trace(trace, make.about(trace))
