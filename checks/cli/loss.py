"""The commands `cutproof loss` and `cutproof scenarios`."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated

import typer

from cutproof.checks.cli.arguments import can_hold, the_bounded_scope, the_only_run, the_policy, the_removed
from cutproof.checks.cli.console import Json, say, say_json
from cutproof.checks.cli.pipelines import cases, pages
from cutproof.checks.common.refusals import checked, refuse

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.cutover.loss.run_file import RunFile
    from cutproof.checks.cutover.loss.runs import Run
    from cutproof.checks.cutover.loss.sample import Counts, Setup

FOUND = File("counterexamples")
EACH = 1000  # writes of a migration, if it is not said how many migrations there are


def loss(
    writes: Annotated[
        str, typer.Option(help="How many acknowledged writes; 3e6 can show fewer than 1 in 1M.")
    ] = "1e5",
    migrations: Annotated[
        int | None,
        typer.Option(min=1, help="Spread them over about so many migrations; else 1,000 writes each."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same report.")] = 0,
    policy: Annotated[
        str,
        typer.Option(
            help="name=value,... where it differs from the default, with one copy of each document."
        ),
    ] = "",
    without: Annotated[str, typer.Option(help="Safeguards to remove, separated by commas.")] = "",
    gate: Annotated[str, typer.Option(help="sound, seed, or none: what judges the policy first.")] = "sound",
    traffic: Annotated[
        str, typer.Option(help="mixed; seed: as the seed's runs; boundary: biased towards the boundary.")
    ] = "mixed",
    scope: Annotated[str, typer.Option(help="Of boundary traffic: what may happen in a run.")] = "",
    mix: Annotated[
        str, typer.Option(help="puts=40,updates=35,patches=10,deletes=15: what clients write.")
    ] = "",
    calm: Annotated[bool, typer.Option("--calm", help="Nothing goes wrong but what is named below.")] = False,
    failures: Annotated[float | None, typer.Option(help="Of the deliveries to N fail.")] = None,
    losses: Annotated[float | None, typer.Option(help="... are lost, and nobody is told.")] = None,
    lateness: Annotated[float | None, typer.Option(help="... land after anything.")] = None,
    timeouts: Annotated[
        float | None, typer.Option(help="... are given up by the client, and land later.")
    ] = None,
    duplicates: Annotated[float | None, typer.Option(help="... arrive twice.")] = None,
    task_failures: Annotated[float | None, typer.Option(help="Of the tasks that N accepted fail.")] = None,
    source_failures: Annotated[float | None, typer.Option(help="Of the deliveries to O fail.")] = None,
    crashes: Annotated[
        float | None, typer.Option(help="The coordinator crashes, for each of its turns.")
    ] = None,
    partitions: Annotated[float | None, typer.Option(help="N is cut off for a while, for each turn.")] = None,
    aborts: Annotated[float | None, typer.Option(help="Of the migrations are aborted.")] = None,
    skew: Annotated[
        float | None, typer.Option(help="Of the writes come from a router whose clock is slow.")
    ] = None,
    stale: Annotated[
        float | None, typer.Option(help="Of the writes come from a router with an old view.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes; 2 if it is not said.")
    ] = None,
    dask: Annotated[str, typer.Option(help="The address of a Dask scheduler: tcp://host:8786.")] = "",
    resume: Annotated[
        File | None, typer.Option(help="Keep finished chunks in this file, and go on with those in it.")
    ] = None,
    trace: Annotated[File, typer.Option(help="Where the first loss of each kind is written.")] = FOUND,
    json_lines: Json = False,
    html: pages.Html = None,
) -> int:
    """Measure how many acknowledged writes are lost, over many migrations."""
    from cutproof.checks.cutover.loss import report as loss_report
    from cutproof.checks.engines.verdict import LIVENESS, SAFETY

    rates = {
        "failures": failures, "losses": losses, "lateness": lateness, "timeouts": timeouts, "duplicates": duplicates,
        "task_failures": task_failures, "source_failures": source_failures, "crashes": crashes,
        "partitions": partitions, "aborts": aborts, "skew": skew, "stale": stale,
    }  # fmt: skip
    if dask and workers is not None:
        refuse("--workers has no part in --dask: the scheduler has workers of its own")
    pages.can_be_reported(html)
    target = _writes(writes)
    setup = _setup(
        {"policy": policy, "without": without, "gate": gate, "traffic": traffic, "scope": scope, "mix": mix},
        {name: rate for name, rate in rates.items() if rate is not None}, calm, seed, target, migrations,
    )  # fmt: skip
    if trace != FOUND or trace.exists():
        can_hold("--trace", trace)
    with _at(resume):
        run_file = _run_file(resume, setup, target) if resume else None
        try:
            found = _run(setup, target, workers or 2, dask, run_file)
        except OSError as error:
            if run_file is None:
                raise
            refuse(f"{resume}: {error.strerror or error}: what was finished could not be kept")
    files = _explain(found, trace)
    told = loss_report.text(found)
    code = loss_report.exit_code(found)
    outcome = cases.PASSED if code == 0 else cases.FAILED if code in (SAFETY, LIVENESS) else cases.UNKNOWN
    cases.case("loss", "acknowledged writes", outcome, told[-1], seconds=found.seconds, details=told[:-1])
    if json_lines:
        say_json({**loss_report.facts(found), "traces": files})
    else:
        say(*told, *loss_report.explained(found, files))
    if html is not None:
        from cutproof.checks.pages.losses import files as made

        pages.write(html, made(found, files, pages.about(seed=seed, scope=scope, seconds=found.seconds)))
    if found.partial and not run_file:
        _keep(found)
    elif found.partial:
        print(f"go on with the same command; {resume} holds what was finished", file=sys.stderr)
    return code


def _writes(text: str) -> int:
    try:
        number = float(text.replace("_", ""))
        whole = int(number)
    except (ValueError, OverflowError):
        refuse(f"--writes {text}: is not a number; write 1000000 or 1e6")
    if not 1 <= number <= 1e12 or whole != number:
        refuse(f"--writes {text}: a run has 1 to 1e12 whole writes")
    return whole


def _setup(
    texts: dict[str, str], rates: dict[str, float], calm: bool, seed: int, target: int, migrations: int | None
) -> Setup:
    from cutproof.checks.cutover.loss.sample import CALM, NEAR, NOT_NEAR, PUTS, Mix, Rates, Setup, parse_mix
    from cutproof.impl.miroir import GATES, UnsafeCutover, check_policy

    gate, traffic = texts["gate"], texts["traffic"]
    if gate not in (*GATES, "none"):
        refuse(f"--gate {gate}: there are {', '.join(GATES)} and none")
    if traffic not in ("mixed", "seed", "boundary"):
        refuse(f"--traffic {traffic}: there are mixed, seed and boundary")
    if texts["scope"] and traffic != "boundary":
        refuse("--scope is of --traffic boundary; other traffic has no scope")
    if texts["scope"]:
        the_bounded_scope(texts["scope"])
    if texts["mix"] and traffic == "boundary":
        refuse("--mix is not of --traffic boundary: what may be written there is in its scope")
    if traffic == "boundary":
        idle = ["migrations"] * (migrations is not None) + [name for name in NOT_NEAR if name in rates]
        if idle:
            refuse(f"--{idle[0].replace('_', '-')} is not of --traffic boundary: it has no part in such runs")
    plain = CALM if calm or traffic == "seed" else NEAR if traffic == "boundary" else Rates()
    mix = PUTS if traffic == "seed" else Mix()
    chosen = {**vars(plain), **rates}
    the_policy(texts["policy"])
    policy = the_policy(f"replicas=false,{texts['policy']}")
    if gate != "none":
        try:
            check_policy(policy, GATES[gate])
        except UnsafeCutover as error:
            why = str(error) if type(error) is UnsafeCutover else f"{type(error).__name__}: {error}"
            refuse(f"the {gate} gate refuses this policy: {why}; --gate none measures what it does")
    return Setup(
        policy=policy,
        without=the_removed(texts["without"]),
        gate=None if gate == "none" else gate,
        rates=checked(lambda: Rates(**chosen)),
        mix=checked(parse_mix, texts["mix"]) if texts["mix"] else mix,
        each=_each(traffic, target, migrations),
        seed=seed,
        traffic=traffic,
        scope=texts["scope"],
    )


def _each(traffic: str, target: int, migrations: int | None) -> int:
    """How many writes a migration is given: fewer than a thousand where fewer are asked for."""
    from cutproof.checks.cutover.loss.runs import USED

    if traffic == "boundary":
        return EACH  # its scope says how many there are
    most = 10**12 if migrations else EACH
    return max(1, min(most, round(target / (migrations or 1) / USED[traffic])))


def _at(file: File | None) -> AbstractContextManager[None]:
    """Alone at the file of a run; refused where another run is at it."""
    if file is None or not file.parent.is_dir():
        return nullcontext()  # the file itself is refused, in its own words
    return the_only_run(f"--resume {file}", file.with_name(f".{file.name}.lock"), "at this file")


def _run_file(file: File, setup: Setup, target: int) -> RunFile:
    from cutproof.checks.cutover.loss.run_file import RunFile
    from cutproof.checks.cutover.loss.runs import chunk_size

    return checked(RunFile, file, setup, chunk_size(setup, target))


def _run(setup: Setup, target: int, workers: int, dask: str, run_file: RunFile | None) -> Run:
    """The run, with its progress told."""
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.cutover.loss import runs as losses
    from cutproof.checks.cutover.loss.report import standing

    with Ticker() as ticker, ExitStack() as open_things:

        def progress(counts: Counts, share: float) -> None:
            ticker.tell("loss", standing(counts, share))

        if not dask:
            return losses.run_in_processes(setup, target, workers, progress, run_file)
        from cutproof.checks.cutover.loss.dask_executor import GONE, connected

        try:
            executor, cores = open_things.enter_context(connected(dask))
        except (OSError, ValueError) as error:
            refuse(f"--dask {dask}: {error}")
        return losses.run(setup, target, executor, 2 * cores, progress, run_file, GONE)


def _explain(found: Run, folder: File) -> dict[str, str]:
    """The first loss of each kind as a trace in the folder; by kind, the file, or why there is none."""
    if not found.counts.first:
        return {}
    from cutproof.checks.cutover.loss.explained.explain import explain

    return explain(found, folder)


def _keep(found: Run) -> None:
    """An interrupted run without a file of its own leaves one, where none is yet."""
    from cutproof.checks.cutover.loss.run_file import RunFile
    from cutproof.checks.cutover.loss.runs import chunk_size

    if not found.chunks:
        return
    file = File(f"cutproof-loss-{found.setup.digest()}.json")
    if file.exists():
        print(f"{file} is there already: what was finished now is not kept", file=sys.stderr)
        return
    run_file = RunFile(file, found.setup, chunk_size(found.setup, found.target))
    run_file.chunks = found.chunks
    try:
        run_file.write()
    except OSError as error:
        print(f"{file}: {error.strerror or error}: what was finished is not kept", file=sys.stderr)
        return
    print(f"go on with the same command and --resume {file}", file=sys.stderr)


# ------------------------------------------------------------------ scenarios


def scenarios(
    name: Annotated[
        str, typer.Argument(help="One of them, by its name or number; without: all nineteen.")
    ] = "",
    form: Annotated[
        str, typer.Option(help="pure: puts of distinct ids; mixed: updates and deletes; both.")
    ] = "both",
    seed: Annotated[int, typer.Option(help="Draws what is mixed in, and the schedule.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; each may need 2 GB.")] = 2,
    json_lines: Json = False,
) -> int:
    """Run the seed's nineteen chaos scenarios; each must show what it is there to show."""
    from cutproof.checks.cli.reports import ladder as ladder_report
    from cutproof.checks.cli.reports.progress import Ticker
    from cutproof.checks.cutover.scenarios.runner import SCENARIOS, Form, facts, find, line
    from cutproof.checks.engines.verdict import UNKNOWN
    from cutproof.checks.ladder.loss import LARGE, outcome_rows
    from cutproof.checks.ladder.tasks import Ladder, Row, Task

    forms = [f for f in Form if form in ("both", f.value)]
    if not forms:
        refuse(f"--form {form}: there are {', '.join(f.value for f in Form)} and both")
    chosen = [checked(find, int(name) if name.isdecimal() else name)] if name else list(SCENARIOS)
    tasks = [
        Task(
            f"{s.number} {s.name} {f.value}",
            outcome_rows,
            (s.number, f.value, seed),
            heavy=s.number in (*LARGE, 19),
        )
        for s in chosen
        for f in forms
    ]

    def each(rows: list[Row]) -> None:
        for row in rows:
            came = cases.PASSED if row.code == 0 else cases.UNKNOWN if row.code == UNKNOWN else cases.FAILED
            cases.case(
                "scenarios", row.name, came, f"{row.verdict}: {row.detail}" if row.detail else row.verdict
            )
            outcome = row.facts.get("outcome")
            if outcome is None:
                say_json(
                    {"name": row.name, "verdict": row.verdict, "reason": row.detail}
                ) if json_lines else say(f"{row.name}: {row.verdict}: {row.detail}")
            elif json_lines:
                say_json(facts(outcome))
            else:
                say(line(outcome))
                if name:
                    say(*(f"   {'ok  ' if c.holds else 'FAIL'} {c.text}" for c in outcome.checks))

    with Ticker() as ticker:
        ladder = Ladder(tasks, min(workers, len(tasks)), ticker.tell)
        try:
            rows = ladder.run(each)
        except KeyboardInterrupt:
            print(f"interrupted: {len(ladder.finished)} of {len(tasks)} had ended", file=sys.stderr)
            return UNKNOWN
    code = ladder_report.exit_code_of(rows)
    if not json_lines:
        passed = sum(row.code == 0 for row in rows)
        say("", f"{passed} of {len(rows)} show what they must")
    return code
