"""One run of one tool on one protocol, in this process; `bench_engines.py` starts it, and measures it from outside.

    python tests/benchmarks/engine_run.py '{"tool": "fast", "model": "FILE", ...}'

The model is a pickle of `data.to_data(protocol)`. A line of JSON is printed: the counts, *search* (the seconds by the
tool's own clock), *call* (from the protocol to the answer); *stopped*, and no transitions, where a limit was reached.
It imports nothing but the package, so that this may be that of another commit.
"""

import gc
import json
import pickle
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = dict[str, Any]
SAFETY = ("always", "sometimes")
MEGA = 1e6


def _limits(options: Found) -> Any:
    from cutproof.checks.engines.exploration import Limits

    return Limits(seconds=options["seconds"], memory=int(options["memory_mb"] * MEGA))


def _explored(explore: Callable[..., Any], protocol: Any, options: Found, **more: Any) -> Found:
    """A run of one of our engines, by the function that users call."""
    names = {c.property for c in protocol.claims if c.form in SAFETY} if options["judged"] else ()
    limits, resident, start = _limits(options), _peak_mb(), time.perf_counter()
    found = explore(protocol, limits=limits, properties=names, **more)
    spent = {"search": found.seconds, "call": time.perf_counter() - start, "added": _peak_mb() - resident}
    if found.reason:
        return {"states": _states(found), "stopped": found.reason, **spent}
    counts = {"states": _states(found), "transitions": found.transitions, "depth": found.depth}
    nodes = {key: getattr(found.states, key) for key in ("nodes", "peak_nodes") if hasattr(found.states, key)}
    return {**counts, **nodes, **spent}


def _states(found: Any) -> int:
    """How many there are; engines of before had them all in a list."""
    return int(found.distinct) if hasattr(found, "distinct") else len(found.states)


def fast(protocol: Any, options: Found) -> Found:
    from cutproof.checks.engines.fast.explore import explore

    return _explored(explore, protocol, options, workers=options["workers"], witnesses=False)


def plain(protocol: Any, options: Found) -> Found:
    from cutproof.checks.engines.plain.explore import explore

    return _explored(explore, protocol, options)


def zdd(protocol: Any, options: Found, depth: bool = False) -> Found:
    """By decision diagrams: all states at once, or in layers too."""
    from cutproof.checks.engines.zdd.explore import explore

    counts = _explored(explore, protocol, options, witnesses=False, depth=depth)
    if not depth:
        counts.pop("depth", None)
    return counts


def zdd_layers(protocol: Any, options: Found) -> Found:
    return zdd(protocol, options, depth=True)


def python(protocol: Any, options: Found) -> Found:
    """Breadth first over tuples, with the collector of garbage off: what one writes first."""
    from cutproof.model.language.codegen import compile_protocol

    size = int(options["memory_mb"] * MEGA)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    start = time.perf_counter()
    until = start + options["seconds"]
    successors = compile_protocol(protocol).successors
    gc.disable()
    begin = time.perf_counter()
    seen, level, transitions, depth = set(protocol.initials), list(protocol.initials), 0, -1
    try:
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
            if time.perf_counter() > until:
                return {
                    "states": len(seen),
                    "stopped": "the limit of time was reached",
                    **_since(start, begin),
                }
    except MemoryError:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        return {"states": len(seen), "stopped": "the limit of memory was reached", **_since(start, begin)}
    counts = {"states": len(seen), "transitions": transitions, "depth": depth}
    return {**counts, **_since(start, begin)}


def spin(protocol: Any, options: Found) -> Found:
    from cutproof.checks.engines.foreign.tools import run_promela, run_spin

    limits = {"seconds": options["seconds"], "memory_mb": int(options["memory_mb"])}
    settings = {**limits, "hash_bits": 24, "depth": 2_000_000}
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)

        def run() -> Any:
            if options.get("by_hand"):
                text = Path(options["by_hand"]).read_text("utf-8")
                return run_promela(text, "by_hand", folder=where, **settings)
            return run_spin(protocol, folder=where, **settings)

        return _foreign(run, where / "pan.log", r"States=\s*([\d.e+]+)", options)


def tlc(protocol: Any, options: Found) -> Found:
    from cutproof.checks.engines.foreign.tools import run_tlc

    with tempfile.TemporaryDirectory() as folder:
        where, heap = Path(folder), min(8192, int(options["memory_mb"]))

        def run() -> Any:
            limits = {"workers": options["workers"], "heap_mb": heap, "seconds": options["seconds"]}
            return run_tlc(protocol, folder=where, claims=False, **limits)

        return _foreign(run, where / "tlc.log", r"([\d,]+) distinct states found", options)


def _foreign(run: Callable[[], Any], log: Path, progress: str, options: Found) -> Found:
    """A run of another tool: its counts, or what it had last told of when it was ended."""
    from cutproof.checks.engines.foreign.tools import ForeignError

    try:
        found = run()
    except ForeignError as error:
        told = re.findall(progress, log.read_text("utf-8", "replace")) if log.exists() else []
        ended = re.search(r"was ended after|out of memory|memory limit|OutOfMemory", str(error))
        if not ended:
            raise
        states = int(float(told[-1].replace(",", ""))) if told else 0
        seconds = {"search": options["seconds"], "call": options["seconds"], "whole": options["seconds"]}
        return {
            "states": states,
            "stopped": "the limit of time was reached" if "ended" in ended[0] else ended[0],
            **seconds,
        }
    whole = found.seconds_compile + found.seconds_search
    return {
        "states": found.states, "transitions": found.transitions, "search": found.seconds_search,
        "call": whole, "whole": whole, "peak": found.memory_bytes / MEGA,
    }  # fmt: skip


def _since(start: float, begin: float) -> dict[str, float]:
    now = time.perf_counter()
    return {"search": now - begin, "call": now - start}


def _peak_mb() -> float:
    """The most that was resident in this process so far."""
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGA
    )


TOOLS: dict[str, Callable[[Any, Found], Found]] = {
    "fast": fast, "plain": plain, "python": python, "spin": spin, "tlc": tlc,
    "zdd": zdd, "zdd_layers": zdd_layers,
}  # fmt: skip


def main() -> int:
    from cutproof.model.language.data import from_data

    options = json.loads(sys.argv[1])
    protocol = from_data(pickle.loads(Path(options["model"]).read_bytes()))
    print(json.dumps(TOOLS[options["tool"]](protocol, options)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
