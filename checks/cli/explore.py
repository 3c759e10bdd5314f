"""The command `cutproof explore`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from cutproof.checks.cli.arguments import (
    can_hold,
    finite,
    the_bytes,
    the_only_run,
    the_properties,
    the_protocol,
)
from cutproof.checks.cli.console import (
    AsWritten,
    Json,
    Named,
    PolicyText,
    Properties,
    ScopeText,
    With,
    Without,
    WithoutGuard,
    say,
    say_json,
)
from cutproof.checks.cli.orientation import completion
from cutproof.checks.cli.pipelines import cases, pages
from cutproof.checks.common.refusals import refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.engines.exploration import Exploration, Limits
    from cutproof.checks.engines.statistics import Run
    from cutproof.model.language.protocol import Protocol

UNKNOWN = 3


def explore(
    named: Named = "",
    parameters: With = None,
    guards: WithoutGuard = None,
    properties: Properties = None,
    scope: ScopeText = "",
    without: Without = "",
    as_written: AsWritten = False,
    policy: PolicyText = "",
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            help="plain, fast or zdd (decision diagrams); else by the number of states.",
            autocompletion=completion.engines,
        ),
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Threads of the fast engine; else one a core."),
    ] = None,
    symmetry: Annotated[
        bool, typer.Option("--symmetry", help="Explore one of those states that an exchange makes alike.")
    ] = False,
    depth: Annotated[
        bool, typer.Option("--depth", help="With diagrams: count the depth too, which takes longer.")
    ] = False,
    resume: Annotated[
        File | None,
        typer.Option("--resume", help="Keep what was explored in this folder, and go on from there."),
    ] = None,
    graph: Annotated[
        File | None, typer.Option("--graph", help="Write the state graph: .graphml, .dot, .json.")
    ] = None,
    max_states: Annotated[int | None, typer.Option("--max-states", min=1)] = None,
    max_seconds: Annotated[float | None, typer.Option("--max-seconds", min=0.001)] = None,
    max_memory: Annotated[str, typer.Option("--max-memory", help="Of this process: 500M, 2G.")] = "",
    trace: Annotated[
        File | None, typer.Option("--trace", help="Write each counterexample into this folder.")
    ] = None,
    json_lines: Json = False,
    html: pages.Html = None,
) -> int:
    """Explore every interleaving of a protocol within its bounds, and judge every property.

    Without a protocol: the cutover, in the scope base."""
    from cutproof.checks.cli.reports import explorations as report
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.engines import statistics
    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.engines.verdict import exit_code

    seconds = None if max_seconds is None else finite("--max-seconds", max_seconds)
    limits = Limits(max_states, seconds, the_bytes(max_memory))
    engine = _today(engine)
    _fits(engine, workers, symmetry, resume, graph, depth)
    _can_be_written(graph, trace)
    pages.can_be_reported(html)
    with Ticker() as ticker:
        try:
            loaded = the_protocol(named, parameters, guards, scope, policy, without, as_written)
            names = the_properties(loaded.protocol, properties)
            with _in(resume):
                found, run = _run(
                    loaded.protocol, limits, engine, workers, symmetry, resume, graph, ticker, names, depth
                )
        except KeyboardInterrupt:
            print(f"interrupted: {ticker.text() or 'nothing was explored'}", file=sys.stderr)
            _go_on(resume)
            return UNKNOWN
    about = loaded.settings
    traces = report.traces_of(found, about, loaded.entry)
    variant = report.variant_of(loaded, as_written)
    files, conflict = report.write_traces(traces, trace, variant, found.protocol) if trace else ({}, "")
    cases.of_verdicts(found.verdicts, files, loaded.file, loaded.text)
    others = _other_settings(found, about)
    more = {"matters_under": others} if others else {}
    if json_lines:
        *verdicts, coverage = report.explored_json(found, files, about)
        for facts in (*verdicts, {**coverage, **statistics.facts(found, run), **more}):
            say_json(facts)
    else:
        say(*report.explored(found, files, traces), *statistics.text(found, run))
        if others:
            from cutproof.checks.cutover.safeguards.settings import hints

            say(*hints(others))
    if html is not None:
        from cutproof.checks.pages import exploring

        pages.write(html, exploring.files(found, traces, pages.about(scope=scope, seconds=found.seconds)))
    if found.interrupted:
        print("interrupted: the verdicts say what was covered", file=sys.stderr)
    if found.ended:
        _go_on(resume)
    if conflict:
        refuse(conflict)
    if graph is not None:
        _write_graph(found, graph)
    code = exit_code(found.verdicts)
    return UNKNOWN if found.interrupted and not code else code


def _other_settings(found: Exploration, about: Mapping[str, Any]) -> dict[str, str]:
    """Where everything holds without some safeguards: by safeguard, the exploration in which it is seen to matter."""
    from cutproof.checks.engines.verdict import Holds

    if not about["safeguards_removed"] or not all(isinstance(v, Holds) for v in found.verdicts):
        return {}
    from cutproof.checks.cutover.safeguards.settings import commands

    return commands(about["safeguards_removed"], about["scope"], about["policy"])


def _today(engine: str) -> str:
    """The name that an engine has now."""
    from cutproof.checks.engines.choose import FORMERLY

    if engine in FORMERLY:
        print(f"--engine {engine} is now --engine {FORMERLY[engine]}; the old name goes", file=sys.stderr)
    return FORMERLY.get(engine, engine)


def _fits(
    engine: str, workers: int | None, symmetry: bool, resume: File | None, graph: File | None, depth: bool
) -> None:
    """Refuse what has no part in the engine that was chosen."""
    from cutproof.checks.engines.choose import ENGINES, FAST, PLAIN, ZDD

    if engine and engine not in ENGINES:
        refuse(f"--engine {engine}: there are {', '.join(ENGINES[:-1])} and {ENGINES[-1]}")
    if engine == PLAIN and resume is not None:
        refuse("--resume is of the engines fast and zdd: it has no part in --engine plain")
    given = {"--workers": workers is not None, "--symmetry": symmetry}
    for option, there in given.items():
        if engine not in ("", FAST) and there:
            refuse(f"{option} is of the fast engine: it has no part in --engine {engine}")
    if engine == ZDD and graph is not None:
        refuse("--graph has no part in --engine zdd: it does not see states one by one")
    if depth and engine not in ("", ZDD):
        refuse(f"--depth is of the engine zdd: --engine {engine} always counts it")
    if resume is not None and resume.exists() and not resume.is_dir():
        refuse(f"--resume {resume}: is not a folder")


def _run(
    protocol: Protocol,
    limits: Limits,
    engine: str,
    workers: int | None,
    symmetry: bool,
    resume: File | None,
    graph: File | None,
    ticker: Ticker,
    properties: list[str] | None,
    depth: bool,
) -> tuple[Exploration, Run]:
    """The exploration, with its progress told, and how it was made."""
    from cutproof.checks.engines.choose import FAST, explore_any
    from cutproof.checks.engines.exploration import CheckpointError
    from cutproof.checks.engines.statistics import Run, symmetry_of
    from cutproof.model.language.circuit import TooWide

    def progress(*numbers: Any) -> None:
        ticker.tell("explore", *numbers)

    reduced = symmetry_of(protocol) if symmetry else None
    if reduced and reduced.reduced and graph is not None:
        refuse("--graph has no part in --symmetry: a search that is reduced by it does not see every state")
    try:
        found, name = explore_any(
            protocol, engine=engine, limits=limits, graph=graph is not None, progress=progress, workers=workers,
            symmetry=symmetry, folder=resume, properties=properties, depth=depth,
            told=lambda text: ticker.tell("explore", text),
        )  # fmt: skip
    except TooWide as error:
        option = f"--engine {engine}" if engine else "--resume" if resume else "--symmetry"
        refuse(f"{option}: {error}; --engine plain takes fields of any width")
    except CheckpointError as error:
        refuse(f"--resume {error}")
    except OSError as error:
        if resume is None:
            raise
        refuse(f"--resume {resume}: {error.strerror or error}")
    if name != FAST:
        return found, Run(name)
    from cutproof.checks.engines.fast.explore import default_workers

    return found, Run(name, workers or default_workers(), reduced)


@contextmanager
def _in(resume: File | None) -> Iterator[None]:
    """Alone in the folder of a search; refused where another run is in it."""
    if resume is None:
        yield
        return
    from cutproof.checks.engines.exploration import LOCK

    try:
        resume.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(f"--resume {resume}: {error.strerror or error}")
    with the_only_run(f"--resume {resume}", resume / LOCK, "in this folder"):
        yield


def _go_on(resume: File | None) -> None:
    if resume is not None:
        print(f"go on with the same command; {resume} holds what was explored", file=sys.stderr)


def _can_be_written(graph: File | None, folder: File | None) -> None:
    """Refuse before a long search what could not be written after it."""
    if graph is not None:
        if graph.suffix not in (".graphml", ".dot", ".gv", ".json"):
            refuse(f"--graph {graph}: a graph is written as .graphml, .dot, .gv or .json")
        if not graph.parent.is_dir() or graph.is_dir():
            refuse(f"--graph {graph}: there is no such folder, or it is one")
    can_hold("--trace", folder)


def _write_graph(found: Exploration, file: File) -> None:
    from cutproof.checks.engines.plain.graph import write_graph

    if found.graph is None:
        _no_graph(found, file)
    try:
        write_graph(found, file)
    except OSError as error:
        refuse(f"--graph {file}: {error.strerror or error}")


def _no_graph(found: Exploration, file: File) -> NoReturn:
    """The fast engine hands over the graph of a whole search that is not too large."""
    from cutproof.checks.engines.fast.conversion import LIMIT

    if found.ended or found.interrupted:
        refuse(f"--graph {file}: the search ended early; only --engine plain writes a part of a graph")
    refuse(f"--graph {file}: a graph has {LIMIT:,} states at most, and there are {found.distinct:,}")
