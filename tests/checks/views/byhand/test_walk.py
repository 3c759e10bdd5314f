"""A walk answers as the engines do: what can be done, what cannot and why, what holds; and its traces replay."""

import json
from pathlib import Path
from random import Random

import pytest
from places import DOCS
from random_protocols import made, source
from served import wide

from cutproof.checks.cli.main import main
from cutproof.checks.common.refusals import Wrong
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.protocols.load import load
from cutproof.checks.traces.trace import from_bytes
from cutproof.checks.views.byhand.walk import LEAVES, Place, Walk, Wanted
from cutproof.checks.views.choices import ENABLED
from cutproof.checks.views.drawing import standing_at
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol, State

BARE = {"scope": {}, "policy": {}, "safeguards_removed": ()}
LEASES, FENCE = str(DOCS / "examples" / "leases.py"), "arrive:not fenced off"


def expected(protocol: Protocol, state: State) -> list[int]:
    """By transition, as the interpreter of terms has it."""
    values, taken = protocol.named(state), dict(inside(protocol, state))
    guards = list(dict.fromkeys(n for t in protocol.transitions for n, _ in t.guards))
    found = []
    for number, transition in enumerate(protocol.transitions):
        false = [guards.index(name) for name, term in transition.guards if not ex.evaluate(term, values, {})]
        found.append(false[0] if false else ENABLED if number in taken else LEAVES)
    return found


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(40))
def test_every_answer_is_that_of_the_engine(seed: int) -> None:
    protocol = made(source(seed))
    walk, found = Walk(protocol, BARE), explore(protocol, graph=True)
    assert found.edges is not None
    for number in Random(seed).sample(range(len(found.states)), min(25, len(found.states))):
        path = found.path_to(number)
        begin = protocol.initials.index(path.states[0])
        here = walk.at(Place(begin, path.transitions))
        assert list(here.choices) == expected(protocol, path.states[-1])
        fired = found.edges.numbers[found.edges.starts[number] : found.edges.starts[number + 1]]
        assert [n for n, guard in enumerate(here.choices) if guard == ENABLED] == sorted(fired)
        values = protocol.named(path.states[-1])
        assert list(here.holds) == [bool(ex.evaluate(c.holds, values, {})) for c in protocol.claims]
        steps = dict(inside(protocol, path.states[-1]))
        assert set(here.idle) == {n for n, after in steps.items() if after == path.states[-1]}
        assert len(set(here.seen)) == len(set(path.states))
        assert len(here.run.steps) == len(path.states)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(40, 60))
def test_a_walk_that_is_saved_replays(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "drawn.py").write_text(source(seed), encoding="utf-8")
    loaded = load(str(tmp_path / "drawn.py"))
    walk, rng, path = Walk(loaded.protocol, loaded.settings), Random(seed), list[int]()
    begin = rng.randrange(len(loaded.protocol.initials))
    for _ in range(8):
        can = [n for n, guard in enumerate(walk.at(Place(begin, tuple(path))).choices) if guard == ENABLED]
        if can:
            path.append(rng.choice(can))
    file = tmp_path / "walk.itf.json"
    file.write_bytes(walk.trace(Place(begin, tuple(path))))
    assert main(["replay", str(file), "--model", str(tmp_path / "drawn.py"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "reproduced"


def test_a_run_to_a_violation_is_saved_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    loaded = load(LEASES).without_guards([FENCE])
    walk = Walk(loaded.protocol, loaded.settings)
    found = walk.jump(
        Wanted(claim=next(i for i, c in enumerate(loaded.protocol.claims) if c.form == "always"))
    )
    assert found.path is not None
    step_by_step = Walk(loaded.protocol, loaded.settings)  # which knows nothing of the jump
    for one in (walk, step_by_step):
        trace = from_bytes(one.trace(Place(found.begin, found.path)), "walk")
        assert (trace.meta.form, trace.meta.safeguards_removed) == ("always", (FENCE,))
        assert trace.meta.picture is not None
    here = walk.at(Place(found.begin, found.path))
    assert here.run.verdict.since == len(found.path)
    assert walk.at(Place(found.begin, found.path[:-1])).run.verdict.since is None
    file = tmp_path / "walk.itf.json"
    file.write_bytes(walk.trace(Place(found.begin, found.path)))
    assert main(["replay", str(file), "--model", LEASES]) == 0
    assert main(["view", str(file), "--ascii"]) == 0
    capsys.readouterr()


def test_a_walk_in_the_cutover_replays_without_its_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load("cutover", {"without": "fence_epoch"})
    walk = Walk(loaded.protocol, loaded.settings)
    found = walk.jump(Wanted(claim=0))
    file = tmp_path / "walk.itf.json"
    assert found.path is not None
    file.write_bytes(walk.trace(Place(found.begin, found.path)))
    assert main(["replay", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "reproduced"
    lanes = [lane.name for lane in walk.at(Place()).run.lanes]
    assert lanes == [lane.name for lane in walk.at(Place(0, found.path)).run.lanes]  # they do not jump about
    assert standing_at(walk.at(Place(0, found.path)).run, len(found.path))


def test_what_cannot_be_is_refused_in_one_line(tmp_path: Path) -> None:
    loaded = wide(tmp_path)
    walk = Walk(loaded.protocol, loaded.settings)
    raise_it = len(loaded.protocol.transitions) - 1
    for place, reason in [
        (Place(begin=2), "begin 2: a run begins in one of 2 states"),
        (Place(path=(0,)), "step 1: pick(number=0) cannot be taken there"),
        (Place(path=(1, raise_it)), "step 2: raise_it() cannot be taken there"),
        (Place(path=(raise_it, raise_it)), "step 2: raise_it() cannot be taken there"),  # 3 is outside
        (Place(path=(raise_it + 1,)), f"step 1: there are {raise_it + 1} transitions, and no {raise_it + 1}"),
    ]:
        for asked in (walk.at, walk.trace):
            with pytest.raises(Wrong) as error:
                asked(place)
            assert str(error.value) == reason
    assert walk.at(Place(path=(raise_it,))).choices[raise_it] == LEAVES
    with pytest.raises(Wrong, match="claim 1: there are 1"):
        walk.jump(Wanted(claim=1))
