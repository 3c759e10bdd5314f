"""The order that is found: for any protocol, always the same, and good enough for large ones without a hint."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import ROOT
from random_protocols import made, source

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.zdd import choose
from cutproof.checks.engines.zdd.choose import compiled, diagrams
from cutproof.checks.engines.zdd.diagrams import OverBudget
from cutproof.checks.engines.zdd.order import kept, order_of, search
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.checks.engines.zdd.reach import chained, fired
from cutproof.checks.engines.zdd.system import System
from cutproof.checks.protocols.load import load
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language.circuit import Layout
from cutproof.model.language.protocol import Protocol


def example(file: str, **parameters: object) -> Protocol:
    return load(str(ROOT / "docs" / "examples" / f"{file}.py"), parameters).protocol


FIVE: dict[str, Callable[[int], Protocol]] = {
    "two_phase_commit": two_phase_commit,
    "philosophers": lambda size: example("philosophers", seats=size),
    "token_ring": lambda size: example("token_ring", stations=size),
    "chain_replication": lambda size: example("chain_replication", nodes=size),
    "leases": lambda size: example("leases", resources=size),
}
LOOPS = os.environ.get("NUMBA_CACHE_DIR") or (
    choose._kept() if compiled() else ""
)  # not compiled for each test
LARGE = {"two_phase_commit": 60, "philosophers": 100, "token_ring": 40, "chain_replication": 12, "leases": 20}


@pytest.fixture(autouse=True)
def nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of their own for what is kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "cutproof" / "orders"


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("two_phase_commit", 4),
        ("philosophers", 5),
        ("token_ring", 2),
        ("chain_replication", 3),
        ("leases", 1),
    ],
)
def test_the_five_against_the_plain_engine(name: str, size: int) -> None:
    protocol = FIVE[name](size)
    found = explore(protocol, properties=[c.property for c in protocol.claims if c.form == "always"])
    shuffled = Random(name).sample(list(order := order_of(protocol)), len(order))
    for some in (order, shuffled):
        system = System(protocol, some, PlainDiagrams)
        states = chained(system)
        assert system.diagrams.count(states) == len(found.states)
        coverage = dict.fromkeys((a.name for a in protocol.actions), 0)
        for transition, times in zip(protocol.transitions, fired(system, states), strict=True):
            coverage[transition.action] += times
        assert coverage == found.coverage


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("two_phase_commit", 10),
        ("philosophers", 5),
        ("token_ring", 2),
        ("chain_replication", 3),
        ("leases", 1),
    ],
)
def test_twice_as_large_is_not_much_larger(name: str, size: int) -> None:
    """The number of nodes grows as the protocol does, and not as its states do."""
    nodes = []
    for times in (1, 2):
        protocol = FIVE[name](times * size)
        system = System(protocol, order_of(protocol), PlainDiagrams)
        nodes.append(system.diagrams.size(chained(system)))
    assert nodes[1] < 8 * nodes[0]


@pytest.mark.nightly
@pytest.mark.skipif(not compiled(), reason="takes minutes without numba")
@pytest.mark.parametrize("name", LARGE)
def test_large_ones_are_exhausted_without_a_hint(name: str) -> None:
    protocol = FIVE[name](LARGE[name])
    system = System(protocol, order_of(protocol), diagrams)
    assert system.diagrams.size(chained(system)) < 20_000


@settings(examples(30, 1000), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 30))
def test_it_names_what_varies_and_can_be_told_what_is_at_the_top(seed: int) -> None:
    protocol = made(source(seed))
    varies = [f.name for f in protocol.fields]
    order = order_of(protocol)
    assert set(order) <= set(varies)
    top = order[::2]
    assert order_of(protocol, first=top)[: len(top)] == top
    assert sorted(order_of(protocol, first=top)) == sorted(order)


PRINTED = """
import sys
from cutproof.checks.engines.zdd.order import order_of
from cutproof.checks.protocols.load import load
print(order_of(load(sys.argv[1], {"resources": 2, "leases": 3}).protocol))
"""


def test_the_same_whatever_the_hash_seed_and_whether_it_was_kept(nothing_is_kept: Path) -> None:
    protocol = example("leases", resources=2, leases=3)
    first = order_of(protocol)
    (file,) = nothing_is_kept.iterdir()
    assert json.loads(file.read_text()) == first == order_of(protocol)
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "XDG_CACHE_HOME": str(nothing_is_kept / "other")}
    elsewhere["NUMBA_CACHE_DIR"] = LOOPS
    command = [sys.executable, "-c", PRINTED, str(ROOT / "docs" / "examples" / "leases.py")]
    said = subprocess.run(command, env=elsewhere, capture_output=True, text=True, check=True).stdout
    assert said == f"{first}\n"


def test_what_is_kept_is_what_is_used(nothing_is_kept: Path) -> None:
    protocol = two_phase_commit(3)
    found, other = order_of(protocol), sorted(order_of(protocol))
    assert not nothing_is_kept.exists()  # it is as soon found again
    kept.keep(kept.file_of(protocol, [], protocol.initials), other)
    assert order_of(protocol) == other != found
    assert order_of(protocol, first=["tm"])[1:] != other[1:]
    (nothing_is_kept / next(nothing_is_kept.iterdir())).write_text("[")
    assert order_of(protocol) == found


@pytest.mark.parametrize("after", [0, 1, 5, 40])
def test_the_search_ends_by_what_look_raises_and_keeps_nothing(after: int, nothing_is_kept: Path) -> None:
    left = after

    def look() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OverBudget("out of time")

    with pytest.raises(OverBudget, match="out of time"):
        order_of(two_phase_commit(14), look=look)
    assert not nothing_is_kept.exists()


def test_where_conditions_are_too_large_in_every_order_it_is_the_declared_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "CONDITIONS", 4)
    monkeypatch.setattr(choose, "TRY", 50)
    protocol = two_phase_commit(8)
    assert order_of(protocol) == list(Layout(protocol).places)


@pytest.mark.parametrize("first", [[], ["tm"]])
def test_no_two_searches_share_a_file(first: list[str]) -> None:
    two, three = two_phase_commit(2), two_phase_commit(3)
    files = {
        kept.file_of(two, first, two.initials),
        kept.file_of(two, [*first, "said_abort"], two.initials),
        kept.file_of(two, first, [two.initials[0], two.initials[0]]),
        kept.file_of(three, first, three.initials),
    }
    assert len(files) == 4
