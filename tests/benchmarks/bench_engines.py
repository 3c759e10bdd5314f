"""The engines side by side: the same protocols, equal counts required, one table for each.

    python tests/benchmarks/bench_engines.py [MODEL ...] [--runs 3] [--before COMMIT] [--tlc SECONDS]
    python tests/benchmarks/bench_engines.py --quick             # small protocols, one run each: does it work?
    python tests/benchmarks/bench_engines.py 128M --only 'fast, 2;before, 2' --before 149f7e2
    python tests/benchmarks/bench_engines.py 385M 2G 117G 1T --only diagrams --skip layers

A MODEL is a frozen protocol (`frozen/index.json`: what the sources of one commit made, with its counts), or `today:`
before the name of one, or before a scope: the protocol of today, counted anew. Without any: `hardened` and `small`
frozen, then `today:hardened` and `today:kinds,writes=4`. Every tool gets the same protocol as data, explores all of it
and judges nothing; rows with *every claim* judge each *always* and *sometimes* claim.

Each run is a process of its own (`engine_run.py`). The tools take turns, `--runs` times; TLC (two workers, only with
`--tlc`), plain Python (the search that one writes first) and the plain engine run in the first turn alone. Before the
first turn each fast row runs once on two small models: its loops are compiled then, and kept.

How to read it. Figures are medians. *search*: seconds by the tool's own clock, nothing but the search (SPIN: `pan`;
TLC: all of Java). *call*: from the protocol to the answer, with what is learnt or built of it (SPIN: `spin -a` and gcc
too). *whole*: from the command to the answer, the start of Python included (SPIN: as *call*). *cpu*: seconds of
processor of the whole, all cores and helpers together; on a busy machine compare these. *peak*: most memory that was
resident. *B/state*: what a search of ours added to that, by state; only large models say something there. *x SPIN* and
*x before*: how many times as long the other took, for *search* and *whole*; medians of the ratios within each turn, so
that what slowed a turn slowed both. SPIN is the faster of its rows; *before* is the fast engine at `--before COMMIT`,
on as many cores. *nodes*: of the diagram of all states; *peak* beside it: of all that were there at once. A run that
reached `--seconds`, or `--memory` (GB), is told as stopped, with what it had found.

Exit code 1 if any two runs count differently, in states, transitions, or depth where the search is breadth first, or
otherwise than the index says; 2 for wrong arguments and for a tool that is missing or fails; 3 where interrupted.
"""

import argparse
import importlib.util
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from commits import package_at
from engine_tables import Row, Run, differences, table
from freeze import data_of, protocol_of
from frozen_protocols import FOLDER, Frozen, frozen_data, frozen_models

MODELS = ("hardened", "small", "today:hardened", "today:kinds,writes=4")
QUICK = ("small-2-2", "faults")
WARM = ("small-1-1", "faults")  # keys of one word, and of two
BY_HAND = Path(__file__).with_name("small_cutover_by_hand.pml")  # of the scope below
BY_HAND_SCOPE = "small_cutover(2,3)"


NUMPY = {"NUMBA_DISABLE_JIT": "1"}
ROWS = (
    Row("fast, 1 core", "fast"),
    Row("fast, 2 cores", "fast", 2),
    Row("fast, NumPy, 1 core", "fast", 1, NUMPY),
    Row("fast, NumPy, 2 cores", "fast", 2, NUMPY),
    Row("fast, 2 cores, every claim", "fast", 2, judged=True),
    Row("diagrams", "zdd"),
    Row("diagrams, every claim", "zdd", judged=True),
    Row("diagrams, layers", "zdd_layers"),
    Row("before, 1 core", "fast", before=True),
    Row("before, 2 cores", "fast", 2, before=True),
    Row("SPIN, exported", "spin"),
    Row("SPIN, by hand", "spin"),
    Row("plain engine", "plain", once=True),
    Row("plain Python", "python", once=True),
    Row("TLC", "tlc", 2, once=True),
)


class Failed(Exception):
    """A tool failed, or what was asked for is not there: one line."""


# ------------------------------------------------------------------ what is run


def rows_of(options: argparse.Namespace, scope: str) -> list[Row]:
    """The rows that were asked for, of those that can run on this scope."""

    def wanted(row: Row) -> bool:
        only, skip = ([w for w in text.lower().split(";") if w] for text in (options.only, options.skip))
        if row.name == "SPIN, by hand" and scope != BY_HAND_SCOPE:
            return False
        if (row.before and not options.before) or (row.tool == "tlc" and not options.tlc):
            return False
        name = row.name.lower()
        return (not only or any(w in name for w in only)) and not any(w in name for w in skip)

    return [row for row in ROWS if wanted(row)]


def model_of(text: str, folder: Path) -> tuple[Frozen, Any]:
    """What is known of a model, and its data. Raises ValueError."""
    known = frozen_models(folder)
    if not text.startswith("today:"):
        data = frozen_data(text, folder)
        return known[text], data
    name = text.removeprefix("today:")
    scope = known[name].scope if name in known else name
    return Frozen(scope, ""), data_of(protocol_of(scope))


def end(child: subprocess.Popen[str]) -> None:
    """Wait for a run that was interrupted with us, or else interrupt it: it ends what it has started itself."""
    try:
        child.wait(2)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)
        child.wait(10)


def run(row: Row, model: Path, options: argparse.Namespace, package: Path | None) -> Run:
    """One run in a process of its own, with the peak of its memory and the time of the whole of it."""
    told = {
        "tool": row.tool, "model": str(model), "workers": row.workers, "judged": row.judged,
        "seconds": options.tlc if row.tool == "tlc" else options.seconds, "memory_mb": options.memory * 1000,
        "by_hand": str(BY_HAND) if row.name == "SPIN, by hand" else "",
    }  # fmt: skip
    env = {**os.environ, **row.env, **({"PYTHONPATH": str(package)} if package else {})}
    command = [sys.executable, str(Path(__file__).with_name("engine_run.py")), json.dumps(told)]
    with tempfile.TemporaryFile("w+") as wrong:
        start = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=wrong, text=True, env=env) as child:
            assert child.stdout is not None
            try:
                out = child.stdout.read()
                _, status, usage = os.wait4(child.pid, 0)
            except KeyboardInterrupt:
                end(child)
                raise
            child.returncode = os.waitstatus_to_exitcode(status)
        whole = time.perf_counter() - start
        wrong.seek(0)
        if child.returncode:
            last = (wrong.read().strip().splitlines() or [f"exit code {child.returncode}"])[-1]
            raise Failed(f"{row.name}: {last}")
    found: Run = {"whole": whole, "cpu": usage.ru_utime + usage.ru_stime}
    found["peak"] = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return found | json.loads(out)


def bench(text: str, options: argparse.Namespace, package: Path | None, folder: Path) -> bool:
    """Run the tools in turn on one model, print a table, and say whether all counts are equal."""
    known, data = model_of(text, options.models)
    rows, model = rows_of(options, known.scope), folder / "model.pickle"
    if not rows:
        raise ValueError("no row is left to run")
    model.write_bytes(pickle.dumps(data))
    found: dict[str, list[Run]] = {row.name: [] for row in rows}
    for turn in range(options.runs):
        for row in rows:
            runs = found[row.name]
            if turn and (row.once or any("stopped" in one for one in runs)):
                continue
            runs.append(run(row, model, options, package if row.before else None))
            print(f"  {text}, {row.name}: {runs[-1]['search']:.2f} s", file=sys.stderr, flush=True)
    wrong = differences(known, found)
    whole = [one for runs in found.values() for one in runs if "stopped" not in one]
    counts = (
        "{states:,} states, {transitions:,} transitions".format(**whole[0]) if whole else "none was complete"
    )
    print(f"\n{text} ({known.scope}): {counts}")
    print("\n".join(table(rows, found)), flush=True)
    for line in wrong:
        print(f"bench_engines: {text}: {line}", file=sys.stderr)
    if options.save:
        with options.save.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"model": text, "scope": known.scope, "runs": found}) + "\n")
    return not wrong


def warm_up(texts: list[str], options: argparse.Namespace, package: Path | None, folder: Path) -> None:
    """Compile what is compiled once on a machine; for the package of a commit, once for each bench."""
    model = folder / "warm.pickle"
    scopes = [model_of(text, options.models)[0].scope for text in texts]
    for row in {row.name: row for scope in scopes for row in rows_of(options, scope)}.values():
        if row.tool in ("fast", "zdd") and not row.env:
            for name in WARM:
                model.write_bytes(pickle.dumps(frozen_data(name)))
                run(row, model, options, package if row.before else None)


def main() -> int:
    parser = argparse.ArgumentParser(description="The engines side by side, equal counts required.")
    parser.add_argument("models_named", nargs="*", metavar="MODEL", help="hardened, today:hardened, ...")
    parser.add_argument("--runs", type=int, default=3, help="turns")
    parser.add_argument("--quick", action="store_true", help="small protocols, one run: does it work?")
    parser.add_argument("--before", metavar="COMMIT", help="the fast engine of that commit, too")
    parser.add_argument(
        "--tlc", type=float, default=0, metavar="SECONDS", help="TLC, too, for so long at most"
    )
    parser.add_argument("--only", default="", help="rows whose names have one of these, as 'fast, 1;SPIN'")
    parser.add_argument("--skip", default="", help="rows to leave out, as 'python;numpy'")
    parser.add_argument("--seconds", type=float, default=3600, help="each run is stopped after so long")
    parser.add_argument("--memory", type=float, default=16, metavar="GB", help="and with so much memory")
    parser.add_argument(
        "--models", type=Path, default=FOLDER, metavar="FOLDER", help="frozen protocols of your own"
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="append every run to this file, a model a line"
    )
    options = parser.parse_args()
    if options.quick:
        options.runs = 1
    texts = options.models_named or list(QUICK if options.quick else MODELS)
    if options.runs < 1 or min(options.seconds, options.memory) <= 0:
        parser.error("--runs, --seconds and --memory are above zero")
    if importlib.util.find_spec("numba") is None:
        print("numba is not installed: all rows of the fast engine are NumPy's", file=sys.stderr)
    try:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cutproof-")))
            package = stack.enter_context(package_at(options.before)) if options.before else None
            warm_up(texts, options, package, folder)
            same = [bench(text, options, package, folder) for text in texts]
    except (ValueError, OSError, Failed) as error:
        print(f"bench_engines: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench_engines: interrupted", file=sys.stderr)
        return 3
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
