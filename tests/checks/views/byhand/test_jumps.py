"""Jumps lead where a property fails, by a shortest run; where none is found, they say within which bounds."""

import pytest
from random_protocols import made, source

from cutproof.checks.engines.exploration import Limits
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Holds, Violated, run_of
from cutproof.checks.protocols.load import load
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import from_bytes
from cutproof.checks.views.byhand.jumps import jump
from cutproof.checks.views.byhand.walk import Place, Walk, Wanted

BARE = {"scope": {}, "policy": {}, "safeguards_removed": ()}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(40))
def test_a_jump_finds_what_an_exploration_finds(seed: int) -> None:
    protocol = made(source(seed))
    walk, found = Walk(protocol, BARE), explore(protocol, cycles=True)
    for number, claim in enumerate(protocol.claims):
        wanted = Holds if claim.form == "sometimes" else Violated
        same = [
            v for v in found.verdicts
            if (v.property, v.harm) == (claim.property, claim.harm) and isinstance(v, wanted)
            and v.form in (claim.form, "cycle")
        ]  # fmt: skip
        shortest = min((path.steps for v in same if (path := run_of(v))), default=None)
        jumped = walk.jump(Wanted(claim=number))
        assert (jumped.path is None) == (shortest is None), (claim, jumped)
        if jumped.path is None:
            continue
        here = walk.at(Place(jumped.begin, jumped.path))
        trace = from_bytes(walk.trace(Place(jumped.begin, jumped.path)), "jump")
        assert trace.meta.property == claim.property
        assert replay(trace, protocol).reproduced, (claim, jumped)
        if claim.form in ("always", "sometimes"):
            assert len(jumped.path) == shortest
            assert here.holds[number] == (claim.form == "sometimes")


def test_from_here_and_from_the_start() -> None:
    loaded = load("cutover", {"without": "fence_epoch"})
    walk = Walk(loaded.protocol, loaded.settings)
    whole = walk.jump(Wanted(claim=0))
    assert whole.path is not None and len(whole.path) == 18
    rest = walk.jump(Wanted(claim=0, here=True, path=whole.path[:9]))
    assert rest.path is not None and rest.path[:9] == whole.path[:9] and len(rest.path) == 18
    assert rest.said.startswith("no_lost_write is false after 9 steps")
    there = walk.jump(Wanted(claim=0, here=True, path=whole.path))
    assert there.path == whole.path


def test_nothing_found_says_how_far_it_was_looked() -> None:
    protocol = load("two-phase-commit").protocol
    claim = next(c for c in protocol.claims if c.form == "always")
    assert jump(protocol, claim, None).said == (
        f"No run violates {claim.property}: every state that can be reached was looked at (288)."
    )
    cut = jump(protocol, claim, None, Limits(states=20))
    assert cut.path is None and "within the bounds: the limit of 20 states was reached" in cut.said
    here = jump(protocol, claim, protocol.initial)
    assert here.said.startswith(f"No run from here violates {claim.property}: every state")
