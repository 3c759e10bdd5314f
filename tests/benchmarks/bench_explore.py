"""How fast the plain explorer is, and how much memory it takes.

    python tests/benchmarks/bench_explore.py [--runs 3] [factory [argument ...]]

`factory` is `module:function`, called with the arguments as integers; it returns a resolved protocol. Each
run has a process of its own, so that one's memory is not another's. Four ways of running: *always* and
*sometimes* alone; with *can always*, cycles and deadlocks (the unlabelled graph); with the labelled graph;
with both.
"""

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
import time

WAYS = {
    "safety": {"liveness": False, "graph": False},
    "safety + liveness": {"liveness": True, "graph": False},
    "safety + graph": {"liveness": False, "graph": True},
    "all": {"liveness": True, "graph": True},
}


def run_once(factory: str, arguments: list[str], way: str) -> dict[str, float]:
    from cutproof.checks.explore import explore

    module, _, function = factory.partition(":")
    protocol = getattr(importlib.import_module(module), function)(*map(int, arguments))
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


def in_a_child(factory: str, arguments: list[str], way: str) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", way, factory, *arguments]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, float] = json.loads(text)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--once", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument(
        "factory", nargs="?", default="cutproof.model.examples.two_phase_commit:two_phase_commit"
    )
    parser.add_argument("arguments", nargs="*")
    options = parser.parse_args()
    default = "two_phase_commit" in options.factory and not options.arguments
    arguments = ["7"] if default else options.arguments
    if options.once:
        print(json.dumps(run_once(options.factory, arguments, options.once)))
        return
    for number, way in enumerate(WAYS):
        runs = [in_a_child(options.factory, arguments, way) for _ in range(options.runs)]
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        if number == 0:
            print(f"{options.factory} {' '.join(arguments)}, median of {options.runs}")
            counts = "{states:,} states, {transitions:,} transitions, depth {depth}, {fields} fields"
            print(counts.format(**{k: int(v) for k, v in middle.items()}))
        rate = middle["states"] / middle["seconds"]
        print(
            f"{way:18} {middle['seconds']:7.2f} s {rate:10,.0f} states/s {middle['peak']:7,.0f} MB"
            f"   (search alone {middle['search']:.2f} s)"
        )


if __name__ == "__main__":
    main()
