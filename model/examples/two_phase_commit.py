"""Two-phase commit, after the TLA+ example `TwoPhase.tla` (Gray and Lamport, "Consensus on Transaction Commit").

Published: 288 states with 3 resource managers, 8,832 with 5 (Stateright's `examples/2pc.rs`; the first also
in the manifest of the TLA+ examples).
"""

from enum import Enum
from typing import Any

from cutproof.model.language import (
    Arrow,
    Operand,
    Picture,
    Step,
    action,
    all_of,
    always,
    boolean,
    can_always,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol


class RM(Enum):
    WORKING = "working"
    PREPARED = "prepared"
    COMMITTED = "committed"
    ABORTED = "aborted"


class TM(Enum):
    INIT = "init"
    COMMITTED = "committed"
    ABORTED = "aborted"


@action
def hear_prepared(s: Any, rm: int) -> Step:
    """The transaction manager hears that a resource manager prepared."""
    return when(
        guard("undecided", s.tm == TM.INIT),
        guard("it said so", s.said_prepared[rm]),
    ).then(heard=put(s.heard, rm, True))


@action
def commit(s: Any) -> Step:
    """The transaction manager commits once every resource manager prepared."""
    return when(
        guard("undecided", s.tm == TM.INIT),
        guard("all prepared", all_of(*s.heard)),
    ).then(tm=TM.COMMITTED, said_commit=True)


@action
def abort(s: Any) -> Step:
    """The transaction manager aborts, for whatever reason."""
    return when(guard("undecided", s.tm == TM.INIT)).then(tm=TM.ABORTED, said_abort=True)


@action
def prepare(s: Any, rm: int) -> Step:
    """A resource manager prepares and says so."""
    return when(guard("working", s.rm[rm] == RM.WORKING)).then(
        rm=put(s.rm, rm, RM.PREPARED),
        said_prepared=put(s.said_prepared, rm, True),
    )


@action
def choose_to_abort(s: Any, rm: int) -> Step:
    """A working resource manager aborts on its own; it says nothing."""
    return when(guard("working", s.rm[rm] == RM.WORKING)).then(rm=put(s.rm, rm, RM.ABORTED))


@action
def obey_commit(s: Any, rm: int) -> Step:
    """A resource manager is told to commit."""
    return when(guard("told", s.said_commit)).then(rm=put(s.rm, rm, RM.COMMITTED))


@action
def obey_abort(s: Any, rm: int) -> Step:
    """A resource manager is told to abort."""
    return when(guard("told", s.said_abort)).then(rm=put(s.rm, rm, RM.ABORTED))


@always
def consistent(s: Any, rm: int, other: int) -> Operand:
    """No two resource managers decide differently."""
    return ~((s.rm[rm] == RM.COMMITTED) & (s.rm[other] == RM.ABORTED))


@sometimes
def all_commit(s: Any) -> Operand:
    """Every resource manager commits."""
    return all_of(*(rm == RM.COMMITTED for rm in s.rm))


@can_always
def decided(s: Any) -> Operand:
    """Every resource manager can still decide."""
    return all_of(*((rm == RM.COMMITTED) | (rm == RM.ABORTED) for rm in s.rm))


MANAGER, COORDINATOR = "resource manager {rm}", "transaction manager"
PICTURE = Picture(
    lanes={MANAGER: ["rm"], COORDINATOR: ["tm", "heard"]},
    at=dict.fromkeys(("hear_prepared", "commit", "abort"), COORDINATOR),
    arrows={
        "hear_prepared": Arrow(MANAGER, COORDINATOR, "prepared"),
        "obey_commit": Arrow(COORDINATOR, MANAGER, "commit"),
        "obey_abort": Arrow(COORDINATOR, MANAGER, "abort"),
    },
)


def two_phase_commit(managers: int = 3) -> Protocol:
    return Protocol(
        name="two_phase_commit",
        indices={"rm": range(managers), "other": range(managers)},
        variables={
            "rm": family("rm", of=enumeration(RM)),
            "tm": enumeration(TM),
            "heard": family("rm", of=boolean()),
            "said_prepared": family("rm", of=boolean()),
            "said_commit": boolean(),
            "said_abort": boolean(),
        },
        actions=[hear_prepared, commit, abort, prepare, choose_to_abort, obey_commit, obey_abort],
        properties=[consistent, all_commit, decided],
        picture=PICTURE,
    )
