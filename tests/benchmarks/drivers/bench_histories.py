"""How fast histories are judged: CPU seconds, the median of several turns.

    python tests/benchmarks/drivers/bench_histories.py [--turns 5] [--small] [--write FOLDER]

The histories come from a store that is right, whose clients overlap; in the `wrong` columns one read shows what an
earlier one showed. `--write` leaves them as JSON lines, which `cutproof history` reads, for other checkers to judge.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from cutproof.checks.drivers.histories.judge import Verdict, judge
from cutproof.checks.drivers.histories.operation import Operation
from cutproof.checks.drivers.histories.pairing import history

MIX: dict[str, list[str]] = {
    "register": ["put", "get"],
    "register with deletes and compare-and-set": ["put", "put_if", "get", "get", "delete"],
    "register of five values": ["put", "put_if", "get"],
    "counter": ["add", "get"],
    "counter of five amounts": ["add", "get"],
    "list": ["append", "append", "append", "append", "get"],
}
STARTS: dict[str, Any] = {"register": None, "counter": 0, "list": ()}


def simulated(
    seed: int, mix: str, count: int, clients: int, failing: float = 0.0, key: str = "k"
) -> list[Operation]:
    """Operations of overlapping clients on one key of a store that is right. Some answers get lost."""
    draw, few = Random(f"{seed} {mix}"), "five" in mix
    state, moment = STARTS[mix.split(maxsplit=1)[0]], 0
    found, open_ = list[Operation](), list[tuple[Operation, bool]]()
    free = list(range(clients))
    while len(found) < count or open_:
        moment += 1
        if len(found) < count and free and (not open_ or draw.random() < 0.55):
            number = len(found) + 1
            kind = draw.choice(MIX[mix])
            value = f"v{draw.randrange(5) if few else number}"
            argument = {
                "put": value, "append": number, "add": draw.randrange(1, 6) if few else 1,
                "put_if": (f"v{draw.randrange(5)}" if few else state, value),
            }.get(kind)  # fmt: skip
            o = Operation(number, str(free.pop(draw.randrange(len(free)))), kind, key, argument, moment)
            found.append(o)
            open_.append((o, False))
            continue
        place = draw.randrange(len(open_))
        o, happened = open_[place]
        if not happened:
            state = take_effect(o, state)
            open_[place] = (o, True)
        else:
            o.returned = moment
            if o.kind != "get" and o.outcome == "acknowledged" and draw.random() < failing:
                o.outcome = "failed"
            del open_[place]
            free.append(int(o.client))
    return found


def take_effect(o: Operation, state: Any) -> Any:
    """The state after the operation, whose answer is set."""
    o.outcome = "acknowledged"
    if o.kind == "get":
        o.result = list(state) if isinstance(state, tuple) else state
        return state
    if o.kind == "put_if" and state != o.argument[0]:
        o.outcome = "refused"
        return state
    if o.kind == "add":
        return state + o.argument
    return (*state, o.argument) if o.kind == "append" else o.value


def broken(operations: list[Operation]) -> None:
    """Let one late read show what an earlier one showed."""
    reads = [o for o in operations if o.kind == "get"]
    reads[-len(reads) // 10].result = reads[len(reads) // 2].result


def measured(turns: int, work: Callable[[], Any]) -> tuple[float, Any]:
    """The median of CPU seconds, and what came out."""
    took, result = [], None
    for _ in range(turns):
        begun = time.process_time()
        result = work()
        took.append(time.process_time() - begun)
    return median(took), result


def all_of(keys: dict[str, list[Operation]]) -> list[Verdict]:
    return [judge(operations, versioned=False) for operations in keys.values()]


def as_lines(keys: dict[str, list[Operation]]) -> str:
    """The histories as a recorder would have written them."""
    words = {"get": "read", "put": "write", "put_if": "cas"}
    types = {"acknowledged": "ok", "refused": "fail", "failed": "info"}
    rows: list[tuple[int, int, dict[str, Any]]] = []
    for nth, operations in enumerate(keys.values()):
        for o in operations:
            row = {
                "process": f"{nth}-{o.client}",
                "f": words.get(o.kind, o.kind),
                "key": o.key,
                "value": o.argument,
            }
            rows.append((o.invoked, nth, {**row, "type": "invoke"}))
            if o.returned is not None:
                value = o.result if o.kind == "get" else o.argument
                rows.append((o.returned, nth, {**row, "type": types[o.outcome], "value": value}))
    rows.sort(key=lambda row: row[:2])
    return "".join(json.dumps({**row, "time": moment * 1000 + nth}) + "\n" for moment, nth, row in rows)


def rows_of(turns: int, small: bool, folder: Path | None) -> list[tuple[str, ...]]:
    """A row for each history: how many operations and keys, seconds, verdicts."""
    size, many = (200, 10) if small else (10_000, 1_000)
    table = []
    for mix in MIX:
        for failing in (0.0, 0.01):
            each = {
                k: simulated(n, mix, 100, 5, failing, k) for n, k in enumerate(f"k{n}" for n in range(many))
            }
            one = {"k": simulated(0, mix, size, 10, failing)}
            for name, keys in (("keys", each), ("one key", one)):
                if folder:
                    what = f"{mix} {failing} {name}".replace(" ", "-")
                    (folder / f"{what}.jsonl").write_text(as_lines(keys), "utf-8")
                right, said = measured(turns, lambda keys=keys: all_of(keys))
                for operations in keys.values():
                    broken(operations)
                wrong, after = measured(turns, lambda keys=keys: all_of(keys))
                table.append(
                    (mix, f"{failing:.0%}", f"{sum(map(len, keys.values())):,}", f"{len(keys):,}", f"{right:.2f}",
                     words(said), f"{wrong:.2f}", words(after))
                )  # fmt: skip
    return table


def words(verdicts: list[Verdict]) -> str:
    """How many of each verdict."""
    names = [type(v).__name__.lower() for v in verdicts]
    return ", ".join(f"{names.count(n):,} {n}" for n in sorted(set(names)))


def reading(turns: int, small: bool) -> str:
    """What it takes to read 100,000 operations."""
    many = 10 if small else 1_000
    keys = {f"k{n}": simulated(n, "register", 100, 5, key=f"k{n}") for n in range(many)}
    text = as_lines(keys).encode()
    took, found = measured(turns, lambda: history(io.BytesIO(text), "bench"))
    return f"reading {len(found):,} operations from JSON lines: {took:.2f} s"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="a few operations: to see that it works")
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    given = parser.parse_args()
    if given.write:
        given.write.mkdir(parents=True, exist_ok=True)
    print("| object | lost answers | operations | keys | right: s | verdicts | wrong: s | verdicts |")
    print("|---|---:|---:|---:|---:|---|---:|---|")
    for row in rows_of(given.turns, given.small, given.write):
        print(f"| {' | '.join(row)} |", flush=True)
    print(reading(given.turns, given.small))


if __name__ == "__main__":
    main()
