"""A second opinion on how many states there are, where no search gets to: by relations and another library's diagrams.

    python tests/benchmarks/second_opinion.py MODEL ... [--json FILE] [--memory 4]
    python tests/benchmarks/second_opinion.py 117G
    python tests/benchmarks/second_opinion.py today:kinds,writes=4
    python tests/benchmarks/second_opinion.py two-phase-commit --with managers=30

A MODEL is a frozen protocol (`frozen/index.json`); `today:` before the name of one, or before a scope: the protocol of
today; or what `cutproof explore` takes: a bundled protocol, or FILE.py[:NAME]. For each are told: the states; how often
each transition fires, and in how many states it would leave its domain, where it does; in how many states each *always*
claim is false; the nodes of the diagram, seconds, and the most memory that was resident in this process. On stderr a
line after each round. `--json` appends one object for each model to a file.

It needs the package oxidd, which `make test` installs. How it counts: `tests/support/relations.py`. Exit code 1 where
the index of the frozen ones says otherwise; 2 for wrong arguments; 3 where it was interrupted or the memory was not
enough: then a line says how many states were known.
"""

import argparse
import importlib.util
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freeze import protocol_of
from frozen_protocols import Frozen, frozen, frozen_models

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.protocols.load import load
from cutproof.model.language.protocol import Protocol

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from relations import OutOfMemory, Progress, Reached, Relations

GIGA, MEGA = 1e9, 1e6
LEAST = 0.1  # GB


class Ended(Exception):
    """A count that did not come to its end: one line."""


def model_of(text: str, parameters: str) -> tuple[Protocol, Frozen | None]:
    """The protocol that is meant, and what is known of it. Raises ValueError, one line, where there is none such."""
    known = frozen_models()
    if parameters and (text in known or text.startswith("today:")):
        raise ValueError(f"{text} has no parameters: --with is for bundled protocols and FILE.py")
    if text in known:
        return frozen(text), known[text]
    if text.startswith("today:"):
        name = text.removeprefix("today:")
        return protocol_of(known[name].scope if name in known else name), None
    try:
        return load(text, parameters).protocol, None
    except Wrong as error:
        if not str(error).startswith("unknown protocol"):
            raise
        raise ValueError(f"{error}; or a frozen one ({', '.join(known)}), or today:SCOPE") from None


def peak_mb() -> float:
    """The most that was resident in this process so far."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGA


def report(name: str, protocol: Protocol, found: Reached) -> dict[str, Any]:
    """What was counted, as it is written to a file; all but the last two is the same each time."""
    steps = [str(t) for t in protocol.transitions]
    return {
        "model": name,
        "digest": protocol.digest,
        "states": found.states,
        "transitions": found.transitions,
        "fired": dict(zip(steps, found.fired, strict=True)),
        "leaving": {step: count for step, count in zip(steps, found.leaving, strict=True) if count},
        "violated": [
            {"property": c.property, "harm": c.harm, "states": found.states - holding}
            for c, holding in zip(protocol.claims, found.holding, strict=True)
            if c.form == "always" and holding is not None
        ],
        "rounds": found.rounds,
        "nodes": found.nodes,
        "seconds": round(found.seconds, 2),
        "peak_mb": round(peak_mb()),
    }


def lines(told: dict[str, Any], about: Frozen | None) -> Iterator[str]:
    """The report as text."""
    yield f"{told['model']}: {told['states']:,} states, {told['transitions']:,} transitions"
    yield (
        f"  {told['nodes']:,} nodes after {told['rounds']} rounds, {told['seconds']} s, at most {told['peak_mb']:,} MB"
    )
    if about is not None and about.states is not None:
        same = agrees(told, about)
        yield f"  the index says {'the same' if same else f'{about.states:,} and {about.transitions:,}'}"
    for step, count in told["fired"].items():
        yield f"  {count:>22,}  {step}"
    for step, count in told["leaving"].items():
        yield f"  {count:>22,}  states in which {step} would leave its domain: not taken"
    for claim in told["violated"]:
        yield f"  {claim['states']:>22,}  states in which {claim['property']} is false {claim['harm']}".rstrip()


def agrees(told: dict[str, Any], about: Frozen) -> bool:
    """Whether the index of the frozen protocols has these counts, or none."""
    return about.states is None or (about.states, about.transitions) == (told["states"], told["transitions"])


def count(name: str, options: argparse.Namespace) -> bool:
    """Count one model and tell of it; whether the index says the same."""
    protocol, about = model_of(name, options.parameters)
    relations = Relations(protocol, int(options.memory * GIGA))

    def tell(now: Progress) -> None:
        print(
            f"{name}: round {now.rounds}, {now.states:,} states in {now.nodes:,} nodes, {now.kept:,} kept, "
            f"{now.seconds:.0f} s, {peak_mb():,.0f} MB",
            file=sys.stderr, flush=True,
        )  # fmt: skip

    try:
        told = report(name, protocol, relations.reach(tell))
    except (OutOfMemory, KeyboardInterrupt) as error:
        why = str(error) or "interrupted"
        raise Ended(f"{name}: {why}; at least {relations.known():,} states") from None
    print("\n".join(lines(told, about)), flush=True)
    if options.json:
        with options.json.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
    return about is None or agrees(told, about)


def main() -> int:
    parser = argparse.ArgumentParser(description="Count the states of protocols by transition relations.")
    parser.add_argument("models", nargs="+", metavar="MODEL", help="117G, today:kinds, two-phase-commit, ...")
    parser.add_argument(
        "--with", dest="parameters", default="", metavar="NAME=VALUE,...", help="of the protocol"
    )
    parser.add_argument("--memory", type=float, default=4, metavar="GB", help="for the diagrams (4)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append what was counted to this file")
    options = parser.parse_args()
    if not LEAST <= options.memory <= 100:
        parser.error(f"--memory is {LEAST} to 100")
    if importlib.util.find_spec("oxidd") is None:
        print("second_opinion: the package oxidd is not installed: pip install oxidd", file=sys.stderr)
        return 2
    try:
        if options.json:
            options.json.open("a").close()  # not to fail after an hour
        same = [count(name, options) for name in options.models]
    except (Wrong, ValueError, OSError) as error:
        print(f"second_opinion: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except (Ended, KeyboardInterrupt) as error:
        print(f"second_opinion: {str(error) or 'interrupted'}", file=sys.stderr)
        return 3
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
