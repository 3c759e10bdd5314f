"""How fast the plain explorer is, and how much memory it takes.

    python tests/benchmarks/bench_explore.py [--runs 3] [--against FOLDER] [scope ...]

A scope is one of the cutover (`kinds`, or bounds such as `writes=2,late=1`), explored with all mechanisms on;
or `module:function`, which returns a resolved protocol. Each run has a process of its own, so that one's
memory is not another's. Four ways of running: *always* and *sometimes* alone; with *can always*, cycles and
deadlocks (the unlabelled graph); with the labelled graph; with both.

`--against` runs a second source tree (a folder with `model` and `checks`) in turn with this one, run by run,
and gives the ratio of the medians: on a machine that others use too, only that says something.
"""

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WAYS = {
    "safety": {"liveness": False, "graph": False},
    "safety + liveness": {"liveness": True, "graph": False},
    "safety + graph": {"liveness": False, "graph": True},
    "all": {"liveness": True, "graph": True},
}
LARGEST = ["reads_and_faults", "kinds"]


def run_once(scope: str, way: str) -> dict[str, float]:
    from cutproof.checks.engines.plain.explore import explore

    if ":" in scope:
        module, _, function = scope.partition(":")
        protocol = getattr(importlib.import_module(module), function)()
    else:
        from cutproof.model.cutover.coordinator import cutover
        from cutproof.model.cutover.mechanisms import Mechanisms
        from cutproof.model.cutover.scopes import parse_scope

        protocol = cutover(parse_scope(scope)).resolve(Mechanisms())
    names = [c.property for c in protocol.claims if WAYS[way]["liveness"] or c.form != "can_always"]
    start = time.perf_counter()
    found = explore(protocol, properties=names, graph=WAYS[way]["graph"])
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "states": len(found.states),
        "transitions": found.transitions,
        "depth": found.depth,
        "fields": len(protocol.fields),
        "search": found.seconds,
        "seconds": seconds,
        "peak": peak,
    }


def in_a_child(scope: str, way: str, path: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", way, scope]
    environment = {**os.environ, "PYTHONPATH": path} if path else None
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    result: dict[str, float] = json.loads(text)
    return result


def line(way: str, runs: list[dict[str, float]]) -> str:
    middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    rate = middle["states"] / middle["seconds"]
    return (
        f"{way:18} {middle['seconds']:7.2f} s {rate:10,.0f} states/s {middle['peak']:7,.0f} MB"
        f"   (search alone {middle['search']:.2f} s)"
    )


def bench(scope: str, ways: list[str], times: int, other: str) -> None:
    for number, way in enumerate(ways):
        ours, theirs = [], []
        for _ in range(times):
            ours.append(in_a_child(scope, way, ""))
            if other:
                theirs.append(in_a_child(scope, way, other))
        if number == 0:
            counts = "{states:,} states, {transitions:,} transitions, depth {depth}, {fields} fields"
            print(f"{scope}: {counts.format(**ours[0])}, median of {times}")
        print(line(way, ours))
        if other:
            print(line("  the other", theirs))
            ratio = statistics.median(r["seconds"] for r in theirs) / statistics.median(
                r["seconds"] for r in ours
            )
            print(f"  {ratio:.2f} times as fast; the same counts: {same(ours[0], theirs[0])}", flush=True)


def same(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    return all(ours[key] == theirs[key] for key in ("states", "transitions", "depth", "fields"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", metavar="FOLDER")
    parser.add_argument("--way", choices=WAYS, action="append")
    parser.add_argument("--once", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("scopes", nargs="*", metavar="scope")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(run_once(options.scopes[0], options.once)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if options.against:
            Path(folder, "cutproof").symlink_to(Path(options.against).resolve())
        for scope in options.scopes or LARGEST:
            bench(scope, options.way or list(WAYS), options.runs, folder if options.against else "")


if __name__ == "__main__":
    main()
