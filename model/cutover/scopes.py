"""Scopes: the bounds of one exploration.

A dimension that is switched off gives its variables one value, and then costs no state. Faults that are
switched on may happen any number of times; only what would grow for ever (documents, writes, attempts)
is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Scope:
    """What may happen. Raises ValueError where a bound is out of its range or two bounds exclude each other."""

    documents: int = 1
    writes: int = 1  # client writes per document, one after the other
    attempts: int = 1  # migrations begun: retries after an abort, or the way back
    aborts: int = 0  # how many of the attempts may be aborted
    back: bool = False  # after Complete, a migration from N to O
    replica: bool = False  # R, in another replica group
    queues: bool = True  # a node accepts first and applies later
    before: bool = True  # clients may write before the migration begins
    orderly: bool = False  # a client writes again only when nothing of its last write is under way
    endless: bool = (
        False  # clients never stop: `writes` is how many are told apart, finished ones are forgotten
    )
    deletes: bool = False  # a client write may be a delete
    reads: bool = False  # one client read at a time, any number of them
    searches: bool = False  # one search at a time over all documents
    sweep: bool = False  # the first write may expire; a sweep, or a repair, may remove it
    collect: bool = False  # tombstones are collected
    repairs: bool = False  # anti-entropy, one repair at a time
    table: bool = False  # the seed's table of writes in flight is kept (used where the delta trusts it)
    # faults
    late: bool = False  # a client or the coordinator gives up waiting; the message lands after anything
    losses: bool = False  # a message is lost without an answer
    failures: bool = False  # a delivery fails with an error
    failing_tasks: bool = False  # an accepted task fails
    duplicates: bool = False  # a message is delivered again
    stale: bool = True  # a router acts on any older record
    crashes: bool = False  # the coordinator crashes and another recovers
    strays: bool = False  # what a crashed or aborted coordinator sent is still on its way
    zombies: bool = False  # its wipes, deletions and fences too
    restarts: bool = False  # a node restarts
    partitions: bool = False  # O or N is cut off, and heals
    skew: bool = False  # a router's clock is slow
    overlap: bool = False  # somebody begins a second migration of the slot
    policy_change: bool = False  # somebody switches anti-entropy off while a migration lives
    # for proofs only
    others: bool = False  # one write is tracked; all other clients are an environment, versions have no bound

    def __post_init__(self) -> None:
        for name, low, high in (("documents", 1, 3), ("writes", 1, 9), ("attempts", 1, 3), ("aborts", 0, 3)):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise ValueError(f"{name}={value} is out of range: {name} is {low}..{high}")
        if self.aborts > self.attempts:
            raise ValueError(f"aborts={self.aborts} needs attempts={self.aborts} or more")
        if self.back and (self.aborts or self.attempts != 2):
            raise ValueError("back=1 needs attempts=2 and aborts=0: there and back")
        if self.endless:
            finite = ("deletes", "searches", "sweep", "collect", "table", "skew", "others")
            if self.writes < 2 or any(getattr(self, name) for name in finite):
                raise ValueError(f"endless=1 needs writes=2 or more, and is without {', '.join(finite)}")
        if self.others:
            only = ("deletes", "searches", "sweep", "collect", "table", "skew", "orderly", "back")
            if (
                self.documents * self.writes != 1
                or not self.queues
                or any(getattr(self, name) for name in only)
            ):
                raise ValueError(
                    f"others=1 tracks one write of one document, with queues, and without {', '.join(only)}"
                )

    def bounds(self) -> dict[str, int]:
        """The bounds that differ from the defaults."""
        plain = Scope()
        names = [f.name for f in fields(self) if getattr(self, f.name) != getattr(plain, f.name)]
        return {name: int(getattr(self, name)) for name in names}

    def describe(self) -> str:
        """The bounds that differ from the defaults, as `--scope` takes them."""
        return ",".join(f"{name}={value}" for name, value in self.bounds().items())


def scope_of(bounds: Mapping[str, int]) -> Scope:
    """The scope of such bounds, as a trace carries them. Raises ValueError as `parse_scope` does."""
    return parse_scope(",".join(f"{name}={value}" for name, value in bounds.items())) if bounds else Scope()


def parse_scope(text: str) -> Scope:
    """`base`, `writes=2,late=1` or `base,writes=1`. Raises ValueError with one line that says what is wrong."""
    scope, kinds = Scope(), {f.name: f.type for f in fields(Scope)}
    changed: dict[str, Any] = {}
    for position, part in enumerate(text.split(",")):
        name, equals, value = (p.strip() for p in part.partition("="))
        name = {"docs": "documents"}.get(name, name)
        named = {**SCOPES, **SMALL_SCOPES, "tracked": TRACKED}
        if not equals and name in named and position == 0:
            scope = named[name]
        elif not equals and name in named:
            raise ValueError(f"{name} is a named scope: it stands first, and alone or before bounds")
        elif not equals:
            raise ValueError(f"unknown scope {name!r}: the named scopes are {', '.join(named)}")
        elif name not in kinds:
            raise ValueError(f"unknown bound {name!r}: the bounds are {', '.join(kinds)}")
        elif not value.isascii() or not value.isdigit() or len(value) > 3:
            raise ValueError(f"{name}={value}: a bound is a whole number of at most three digits")
        elif kinds[name] == "bool" and value not in ("0", "1"):
            raise ValueError(f"{name}={value} is out of range: {name} is 0 or 1")
        else:
            number = int(value)
            changed[name] = bool(number) if kinds[name] == "bool" else number
    return replace(scope, **changed)  # all at once: what a bound needs may stand behind it


_BASE = Scope(writes=2, late=True, skew=True)

# The ten scopes in which the hardened protocol must hold.
SCOPES: dict[str, Scope] = {
    "base": _BASE,
    "abort": replace(_BASE, attempts=2, aborts=1, skew=False),
    "crash": replace(_BASE, crashes=True, strays=True, skew=False),
    "zombie": Scope(late=True, crashes=True, strays=True, zombies=True, attempts=2, aborts=1),
    "reads": Scope(writes=2, reads=True, failing_tasks=True),
    "reads_and_faults": Scope(
        reads=True, late=True, losses=True, failures=True, failing_tasks=True, duplicates=True, crashes=True,
        strays=True, zombies=True, restarts=True, partitions=True, skew=True, overlap=True,
        policy_change=True, attempts=2, aborts=1,
    ),
    "replica": Scope(replica=True, late=True, repairs=True),
    "kinds": Scope(
        writes=2, replica=True, deletes=True, sweep=True, collect=True, repairs=True, queues=False, stale=False,
        orderly=True, before=False,
    ),
    "two_documents": Scope(documents=2, deletes=True, searches=True, failures=True, queues=False),
    "two_migrations": Scope(attempts=2, back=True, late=True, zombies=True, overlap=True),
}  # fmt: skip

# One write is tracked among any number of others, with every kind of fault: for proofs, since versions have no bound.
TRACKED = replace(SCOPES["reads_and_faults"], skew=False, replica=True, repairs=True, others=True)

# Smaller ones, made for one question each.
SMALL_SCOPES: dict[str, Scope] = {
    "after_dual": replace(_BASE, before=False),
    "deletes": Scope(writes=2, deletes=True, late=True),
    "deletes_after_dual": Scope(writes=2, deletes=True, late=True, before=False),
    "collection": Scope(writes=2, deletes=True, collect=True, late=True, aborts=1),
    "collection_and_repairs": Scope(
        writes=2, deletes=True, collect=True, replica=True, repairs=True, queues=False, stale=False, before=False,
        aborts=1,
    ),
    "leftovers": Scope(writes=2, deletes=True, collect=True, queues=False, stale=False, attempts=2, aborts=1),
    "retry": Scope(late=True, attempts=2, aborts=1),
    "table": Scope(writes=2, table=True, queues=False, late=True, failures=True),
    "table_and_deletes": Scope(writes=3, deletes=True, table=True, queues=False, late=True, failures=True),
    "page_fails": Scope(failures=True),
    "two_repairs": Scope(writes=2, replica=True, repairs=True, queues=False),
    "offsets": Scope(documents=2, writes=2, deletes=True, queues=False, stale=False, orderly=True),
    "policy_changes": Scope(replica=True, late=True, repairs=True, policy_change=True),
    "another_policy": Scope(
        replica=True, late=True, repairs=True, policy_change=True, attempts=2, back=True,
    ),
    "endless": Scope(writes=2, endless=True),
    "gate": Scope(late=True, failures=True, replica=True, repairs=True),
    "gate_alone": Scope(late=True, failures=True),
}  # fmt: skip
