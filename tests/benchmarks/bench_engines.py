"""The fast engine beside SPIN, TLC and a plain Python search: the same protocols, equal counts, one table.

    python tests/benchmarks/bench_engines.py [--runs 3] [--quick] [--skip tlc,python] [--hardened SCOPE] [--small D,V]

Two protocols: the hardened cutover within a scope, and the small cutover of one kind of document
(`model/examples/small_cutover.py`). Every tool explores all of it and judges nothing, so that the work is the same; a
last row is this engine with every claim judged. Each run is a process of its own. SPIN runs on one core, as exported
and, for the small cutover, as well as we can write it by hand; TLC with two workers and the heap that is printed; plain
Python is the search that a textbook has, with the garbage collector off. The tools take turns, `--runs` times; figures
are medians. *Search* is what the tool takes to search; *whole* begins at the command and ends with the answer: Python's
start and what is learnt of the protocol here, `spin -a` and gcc there, Java's start there.

Ends with code 1 if any two tools count differently.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HARDENED = "reads_and_faults,writes=2,partitions=0,overlap=0,skew=0,restarts=0,strays=0"
QUICK = ("reads_and_faults", "2,2")
BY_HAND = Path(__file__).with_name("small_cutover_by_hand.pml")
HEAP_MB = 8192


def protocol_of(text: str) -> Any:
    if text.startswith("small:"):
        from cutproof.model.examples.small_cutover import small_cutover

        return small_cutover(*map(int, text[6:].split(",")))
    from cutproof.model.cutover.coordinator import cutover
    from cutproof.model.cutover.mechanisms import Mechanisms
    from cutproof.model.cutover.scopes import parse_scope

    return cutover(parse_scope(text)).resolve(Mechanisms())


# ------------------------------------------------------------------ one run, in a process of its own


def vector(text: str, workers: int, claims: bool) -> dict[str, float]:
    from cutproof.checks.engines.exploration import Limits
    from cutproof.checks.engines.fast.search import VectorSearch

    protocol = protocol_of(text)
    start = time.perf_counter()
    search = VectorSearch(protocol, protocol.claims if claims else (), Limits(), workers=workers)
    search.run()
    seconds = time.perf_counter() - start
    counts = {"states": search.states, "transitions": int(search.engine.fired.sum()), "depth": search.depth}
    return {**counts, "search": seconds, "set": search.visited.bytes / search.states}


def python(text: str) -> dict[str, float]:
    """Breadth first over tuples: what one writes first."""
    from cutproof.model.language.codegen import compile_protocol

    protocol = protocol_of(text)
    successors = compile_protocol(protocol).successors
    gc.disable()
    start = time.perf_counter()
    seen, level, transitions, depth = {protocol.initial}, [protocol.initial], 0, -1
    while level:
        coming, depth = [], depth + 1
        for state in level:
            after = successors(state)
            transitions += len(after)
            for _, there in after:
                if there not in seen:
                    seen.add(there)
                    coming.append(there)
        level = coming
    seconds = time.perf_counter() - start
    return {"states": len(seen), "transitions": transitions, "depth": depth, "search": seconds}


def spin(text: str, by_hand: bool) -> dict[str, float]:
    from cutproof.checks.engines.foreign.tools import run_promela, run_spin

    with tempfile.TemporaryDirectory() as folder:
        options = {"folder": Path(folder), "memory_mb": 16_000, "hash_bits": 24, "depth": 2_000_000}
        if by_hand:
            found = run_promela(BY_HAND.read_text(encoding="utf-8"), "by_hand", **options)
        else:
            found = run_spin(protocol_of(text), **options)
    return {
        "states": found.states, "transitions": found.transitions, "search": found.seconds_search,
        "whole": found.seconds_compile + found.seconds_search, "peak": found.memory_bytes / 1e6,
    }  # fmt: skip


def tlc(text: str) -> dict[str, float]:
    from cutproof.checks.engines.foreign.tools import run_tlc

    with tempfile.TemporaryDirectory() as folder:
        found = run_tlc(protocol_of(text), folder=Path(folder), workers=2, heap_mb=HEAP_MB, claims=False)
    return {
        "states": found.states, "transitions": found.transitions, "search": found.seconds_search,
        "whole": found.seconds_search, "peak": found.memory_bytes / 1e6,
    }  # fmt: skip


TOOLS = {
    "cutproof, 1 core": (1, lambda text: vector(text, 1, False)),
    "cutproof, 2 cores": (2, lambda text: vector(text, 2, False)),
    "SPIN, exported": (1, lambda text: spin(text, False)),
    "SPIN, by hand": (1, lambda text: spin(text, True)),
    "plain Python": (1, python),
    "TLC": (2, tlc),
    "cutproof, 2 cores, every claim": (2, lambda text: vector(text, 2, True)),
}


def run(tool: str, text: str) -> dict[str, float]:
    """One run in a process of its own, with the peak of its memory and the time of the whole of it."""
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, __file__, "--one", tool, text], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert child.stdout is not None
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{tool} on {text} failed")
    found: dict[str, float] = json.loads(out)
    found.setdefault("whole", time.perf_counter() - start)
    found.setdefault("peak", usage.ru_maxrss / 1024)
    return found


# ------------------------------------------------------------------ the table


def bench(text: str, tools: list[str], runs: int) -> bool:
    """Run the tools in turn, print a table, and say whether all counts are equal."""
    found: dict[str, list[dict[str, float]]] = {tool: [] for tool in tools}
    for turn in range(runs):
        for tool in tools:
            if turn and tool in ("TLC", "plain Python"):
                continue  # minutes each: once is enough for a factor of a hundred
            found[tool].append(run(tool, text))
            print(f"  {tool}: {found[tool][-1]['search']:.1f} s", file=sys.stderr, flush=True)
    counts = {(int(one["states"]), int(one["transitions"])) for some in found.values() for one in some}
    states, transitions = next(iter(counts))
    print(f"\n{text}: {states:,} states, {transitions:,} transitions")
    head = (
        "tool",
        "cores",
        "runs",
        "search s",
        "whole s",
        "M states/s",
        "M transitions/s",
        "peak MB",
        "search",
        "whole",
    )
    rows = []
    best = {key: statistics.median(one[key] for one in found[tools[1]]) for key in ("search", "whole")}
    for tool, some in found.items():
        search, whole, peak = (
            statistics.median(one[key] for one in some) for key in ("search", "whole", "peak")
        )
        rates = [f"{states / search / 1e6:.2f}", f"{transitions / search / 1e6:.2f}"]
        ratios = [f"{search / best['search']:.1f}", f"{whole / best['whole']:.1f}"]
        times = [f"{search:.1f}", f"{whole:.1f}"]
        rows.append([tool, str(TOOLS[tool][0]), str(len(some)), *times, *rates, f"{peak:.0f}", *ratios])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print(
            "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )
    print(f"the last two columns: times as long as {tools[1]}; TLC has a heap of {HEAP_MB} MB")
    if len(counts) > 1:
        print(f"the counts differ: {sorted(counts)}")
    return len(counts) == 1


def main() -> int:
    parser = argparse.ArgumentParser(description="The fast engine beside SPIN, TLC and plain Python.")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small protocols, one run: does it work?")
    parser.add_argument("--skip", default="", help="tools to leave out: spin, tlc, python")
    parser.add_argument("--hardened", default=HARDENED)
    parser.add_argument("--small", default="2,3")
    parser.add_argument("--only", default="", help="hardened or small")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(TOOLS[options.one[0]][1](options.one[1])))
        return 0
    if options.quick:
        options.runs, (options.hardened, options.small) = 1, QUICK
    skipped = [word for word in options.skip.lower().split(",") if word]
    run("cutproof, 1 core", "small:1,1")  # the inner loops are compiled once on a machine, and kept
    same = True
    for kind, text in (("hardened", options.hardened), ("small", f"small:{options.small}")):
        if options.only in ("", kind):
            hand = text == "small:2,3"
            tools = [
                t
                for t in TOOLS
                if not any(w in t.lower() for w in skipped) and (hand or t != "SPIN, by hand")
            ]
            same &= bench(text, tools, options.runs)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
