"""A schedule as data: what is done to a system step by step, and the file that holds one.

A step says what is done, not what comes of it: the numbers of writes, and with them their values, are counted when it
is performed. So a step can be left out, and the rest is still a schedule.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

import msgspec

from cutproof.checks.common import files
from cutproof.checks.common.refusals import Wrong, refuse
from cutproof.checks.drivers.adapter import FAULTS

NODES = ("node-0", "node-1", "node-2")
CLIENTS = ("client-1", "client-2")
SHARDS = 2
FORMAT = "cutproof-schedule-1"
LONGEST, LARGEST = 10_000, 4 * 2**20  # steps of a schedule, bytes of its file
MOST = 100_000  # times that a step advances

WRITES = ("put", "delete", "put_if", "add", "append")
REGISTER = ("put", "delete", "put_if")
WRITTEN = {"counter": ("add",), "list": ("append",)}  # how documents are written, by the names of their keys
READS = ("get", "scan")
MIGRATIONS = ("begin_migration", "move", "split", "merge")
Do = Literal[
    "put", "delete", "put_if", "add", "append", "get", "scan",
    "begin_migration", "move", "split", "merge", "advance", "fault", "heal",
]  # fmt: skip


class Step(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One step; only the fields that its `do` needs are set.

    key, client: whose document is written or read, and by whom. matches: whether a `put_if` names the value that the
    client knows last. times: how often `advance` is called. hop: how many nodes on (1, 2) the shards go. shards: which
    are moved (`move`), split, or merged (the second into the first). fault, role: what goes wrong, and at which node:
    the one that is moved from (0), to (1), or another (2)."""

    do: Do
    key: str = ""
    client: str = ""
    matches: bool = True
    times: int = 0
    hop: int = 1
    shards: tuple[int, ...] = ()
    fault: str = ""
    role: int = 0

    def __post_init__(self) -> None:
        wrong = ""
        if self.do in (*WRITES, "get") and not 0 < len(self.key) <= 100:
            wrong = f"{self.do} needs a key"
        elif self.do in WRITES and self.do not in WRITTEN.get(self.key.partition("-")[0], REGISTER):
            wrong = f"{self.do} of {self.key!r}: counters are added to, lists are appended to, other documents are put"
        elif any(not 0 <= shard < MOST for shard in self.shards):
            wrong = f"shards have numbers from 0 to {MOST - 1:,}"
        elif self.do == "advance" and not 0 < self.times <= MOST:
            wrong = f"advance needs times, from 1 to {MOST:,}"
        elif self.do == "fault" and self.fault not in FAULTS:
            wrong = f"{self.fault!r} is no fault; there are {', '.join(FAULTS)}"
        elif self.do in ("move", "split", "merge") and not self.shards:
            wrong = f"{self.do} needs shards"
        elif self.do == "merge" and len(self.shards) != 2:
            wrong = "merge needs two shards"
        if wrong:
            raise ValueError(wrong)


Steps = tuple[Step, ...]


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a schedule showed when it was found: the class of the finding, its reason, and the run in the plan."""

    kind: str
    reason: str
    run: int = 0


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A schedule that may be performed again on any system. `told` repeats in words what came of each step."""

    steps: Steps
    seed: int = 0
    shards: int = SHARDS
    found: Found | None = None
    system: str = ""
    told: tuple[str, ...] = ()


class _File(Schedule, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """As it stands in a file."""

    format: Literal["cutproof-schedule-1"]


_DECODER = msgspec.json.Decoder(_File)


def text(schedule: Schedule) -> str:
    """A schedule as JSON: the head, then one step a line, so that two can be compared by eye and by `diff`."""
    head = msgspec.to_builtins(schedule)
    steps, told = head.pop("steps"), head.pop("told", ())
    lines = [
        f'  "format": {_json(FORMAT)}',
        *(f"  {_json(name)}: {_json(value)}" for name, value in head.items()),
    ]
    lines.append('  "steps": [\n' + ",\n".join(f"    {_json(step)}" for step in steps) + "\n  ]")
    if told:
        lines.append('  "told": [\n' + ",\n".join(f"    {_json(line)}" for line in told) + "\n  ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(msgspec.to_builtins(value), ensure_ascii=False)


def write(file: Path, schedule: Schedule, *, overwrite: bool = False) -> None:
    """Write a schedule, beside and then renamed. What is there already stays, unless `overwrite` or it is the same;
    raises FileExistsError then."""
    data = text(schedule).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name[:200]}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        if overwrite:
            os.replace(beside, file)
            return
        try:
            os.link(beside, file)
        except FileExistsError:
            if file.read_bytes() != data:
                raise
    finally:
        beside.unlink(missing_ok=True)


def read(file: str | Path) -> Schedule:
    """The schedule in a file. Refuses, with file and place, what is none."""
    try:
        data = files.content(Path(file), LARGEST)
    except OSError as error:
        refuse(f"{file}: {error.strerror or error}")
    except ValueError:
        refuse(f"{str(file)!r}: is a name that no file can have")
    return parsed(data, str(file))


def parsed(data: bytes, name: str) -> Schedule:
    """A schedule from bytes. Raises Wrong."""
    try:
        found = _DECODER.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Wrong(f"{name}: is no schedule of {FORMAT}: {error}") from None
    if len(found.steps) > LONGEST:
        raise Wrong(f"{name}: has {len(found.steps):,} steps; {LONGEST:,} are the most")
    if not 0 < found.shards <= 1000:
        raise Wrong(f"{name}: $.shards: 1 to 1,000 of them are moved")
    return Schedule(found.steps, found.seed, found.shards, found.found, found.system, found.told)


def looks_like_one(data: bytes) -> bool:
    """Whether bytes claim to be a schedule, whatever else is wrong with them."""
    return FORMAT.encode() in data[:4096]
