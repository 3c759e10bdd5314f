"""Atomic commit: a node may commit once all have prepared, and may give up before it has."""

from enum import Enum

from cutproof.model.language import (
    action,
    all_of,
    always,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol

State = Enum("State", "WORKING PREPARED COMMITTED ABORTED")


@action
def prepare(s, node):
    return when(guard("working", s.node[node] == State.WORKING)).then(node=put(s.node, node, State.PREPARED))


@action
def give_up(s, node):
    return when(guard("working", s.node[node] == State.WORKING)).then(node=put(s.node, node, State.ABORTED))


@action
def commit(s, node):
    ready = all_of(*((n == State.PREPARED) | (n == State.COMMITTED) for n in s.node))
    return when(guard("all prepared", ready)).then(node=put(s.node, node, State.COMMITTED))


@always
def consistent(s, node, other):
    return ~((s.node[node] == State.COMMITTED) & (s.node[other] == State.ABORTED))


@sometimes
def all_commit(s):
    return all_of(*(n == State.COMMITTED for n in s.node))


protocol = Protocol(
    name="atomic_commit",
    indices={"node": range(3), "other": range(3)},
    variables={"node": family("node", of=enumeration(State))},
    actions=[prepare, give_up, commit],
    properties=[consistent, all_commit],
)
