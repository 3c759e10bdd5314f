"""A protocol as plain data: what is made of it in another process runs alike."""

import pickle

import pytest
from hypothesis import given
from small_protocols import PROTOCOLS

from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.data import from_data, to_data
from cutproof.model.language.protocol import Protocol


def alike(protocol: Protocol) -> None:
    data = to_data(protocol)
    made = from_data(pickle.loads(pickle.dumps(data)))
    assert to_data(made) == data
    assert compile_protocol(made).source == compile_protocol(protocol).source
    assert [c.holds for c in made.claims] == [c.holds for c in protocol.claims]
    for one, other in zip(protocol.transitions, made.transitions, strict=True):
        assert (str(one), one.fault, one.choice, one.guards) == (
            str(other),
            other.fault,
            other.choice,
            other.guards,
        )
        assert [(f.name, v) for f, v in one.updates] == [(f.name, v) for f, v in other.updates]
    assert (made.initial, made.start) == (protocol.initial, protocol.start)
    assert [(a.name, a.fault, a.choice) for a in made.actions] == [
        (a.name, a.fault, a.choice) for a in protocol.actions
    ]


@given(PROTOCOLS)
def test_any_protocol_runs_alike(protocol: Protocol) -> None:
    alike(protocol)


@pytest.mark.parametrize("scope", ["base", "kinds", "reads_and_faults"])
def test_the_cutover_does(scope: str) -> None:
    alike(build(parse_scope(scope), Policy(), ("fence_epoch",)))


def test_it_holds_nothing_but_plain_values() -> None:
    """So that no module of whoever wrote the protocol is imported where it is read."""

    def plain(value: object) -> bool:
        if isinstance(value, dict):
            return all(map(plain, [*value, *value.values()]))
        return all(map(plain, value)) if type(value) in (tuple, list) else type(value) in (str, int, bool)

    assert plain(to_data(two_phase_commit(3)))
