"""The messages of an adapter: what is asked of a program, and what it may reply. One class is one `type`.

`put` is asked and `put_ok` replied; an error may be the reply to anything. What is not declared here is passed over:
programs may say more.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from cutproof.checks.drivers.wire.envelope import Reply, Request

VERSION = 1
Value = str | int | list[str]


# ------------------------------------------------------------------ a run


class Init(Request):
    """The first message: a fresh, empty system, whose first node owns all shards. `version` is the protocol's."""

    version: int
    nodes: list[str]
    shards: int
    seed: int


class InitOk(Reply, omit_defaults=False):
    """Who it is, and what it has: types of requests, and faults; what is not said is asked for once, and then known.

    `versioned` is false for a register without versions, in which a late write may overwrite an acknowledged one."""

    version: int = VERSION
    name: str = ""
    operations: list[str] | None = None
    faults: list[str] | None = None
    versioned: bool = True


class Reset(Request):
    """The next run, in the same process: as `init`, a fresh and empty system. Nothing of before is replied to."""

    nodes: list[str]
    shards: int
    seed: int


class ResetOk(Reply):
    """It is as new."""


class Stop(Request):
    """The run is over; there may be another."""


class StopOk(Reply):
    """It has given back what it held."""


# ------------------------------------------------------------------ clients


class Put(Request):
    """A client writes a document. Every value is written once."""

    client: str
    key: str
    value: str


class PutOk(Reply):
    """It is acknowledged."""


class Delete(Request):
    """A client deletes a document, be it there or not."""

    client: str
    key: str


class DeleteOk(Reply):
    """It is acknowledged."""


class Get(Request):
    """A client reads."""

    client: str
    key: str


class GetOk(Reply):
    """What it reads: a text, a counter's number, a list's items; null for nothing."""

    value: Value | None


class Add(Request):
    """A client adds to a counter, which begins at 0."""

    client: str
    key: str
    amount: int


class AddOk(Reply):
    """It is acknowledged."""


class PutIf(Request):
    """A client writes a document if it holds `old` (null: if it is not there), in one step."""

    client: str
    key: str
    old: str | None
    new: str


class PutIfOk(Reply):
    """It held `old`, and holds `new`. Where it held something else: error 22, 20 or 21."""


class Append(Request):
    """A client appends an item to a list, which begins empty."""

    client: str
    key: str
    item: str


class AppendOk(Reply):
    """It is acknowledged."""


class Scan(Request):
    """A client searches all shards."""

    client: str


class ScanOk(Reply):
    """Every document that was found, as [key, value]; one found twice stands there twice."""

    documents: list[tuple[str, Value]]


# ------------------------------------------------------------------ migrations


class Phased(Reply):
    """A reply that may say where the migration stands now; where it does not, `phase` is asked."""

    phase: str | None = None


class BeginMigration(Request):
    """Begin to move all shards to a node."""

    node: str


class BeginMigrationOk(Phased):
    """It has begun."""


class Move(Request):
    """Begin to move some shards to a node."""

    shards: list[int]
    node: str


class MoveOk(Phased):
    """It has begun."""


class Split(Request):
    """Begin to split a shard in two on its node."""

    shard: int


class SplitOk(Phased, kw_only=True):
    """It has begun; `shard` is the number of the new one."""

    shard: int


class Merge(Request):
    """Begin to merge another shard into this one."""

    shard: int
    other: int


class MergeOk(Phased):
    """It has begun."""


class Advance(Request):
    """One small step of what is under way."""


class AdvanceOk(Phased, kw_only=True):
    """Whether a step was taken: false if nothing can go on."""

    went: bool


class Phase(Request):
    """Where does the migration stand?"""


class PhaseOk(Reply):
    """In your words; "idle" before the first one and after each."""

    phase: str


# ------------------------------------------------------------------ faults, and looking


class Fault(Request):
    """Something goes wrong until `heal`: which of the faults, at which node, for which client."""

    fault: str
    node: str
    client: str


class FaultOk(Phased):
    """It goes wrong; or it means nothing now."""


class Heal(Request):
    """Nothing goes wrong from now on."""


class HealOk(Phased):
    """Everything is well."""


class Observe(Request):
    """What can you show of yourself?"""


class ObserveOk(Reply):
    """Key to value, as their owners have them; key to node; node to key to value. What is not shown is not judged."""

    documents: dict[str, Value | None] | None = None
    owner: dict[str, str] | None = None
    nodes: dict[str, dict[str, Value | None]] | None = None


# ------------------------------------------------------------------ all of them

REPLIES: dict[type[Request], type[Reply]] = {
    Init: InitOk, Reset: ResetOk, Stop: StopOk, Put: PutOk, Delete: DeleteOk, Get: GetOk,
    Add: AddOk, PutIf: PutIfOk, Append: AppendOk, Scan: ScanOk,
    BeginMigration: BeginMigrationOk, Move: MoveOk, Split: SplitOk, Merge: MergeOk,
    Advance: AdvanceOk, Phase: PhaseOk, Fault: FaultOk, Heal: HealOk, Observe: ObserveOk,
}  # fmt: skip
ANY_REPLY: Any = reduce(or_, REPLIES.values())
MAY_PEND: tuple[type[Request], ...] = (Put, Delete, Get, Add, PutIf, Append)
ANY_REQUEST: Any = reduce(or_, REPLIES)
