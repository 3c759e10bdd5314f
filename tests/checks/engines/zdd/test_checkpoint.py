"""A search by diagrams that was ended goes on from its folder, and ends with the same report; damage is refused."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from agreement import told_by

from cutproof.checks.engines.exploration import CheckpointError, Exploration, Limits
from cutproof.checks.engines.fast.explore import explore as fast
from cutproof.checks.engines.zdd import checkpoint, choose
from cutproof.checks.engines.zdd.explore import explore
from cutproof.checks.engines.zdd.plain import PlainDiagrams
from cutproof.model.examples.two_phase_commit import two_phase_commit

KINDS = [PlainDiagrams, choose.diagrams]
MADE = two_phase_commit(4)


def said(found: Exploration) -> tuple[Any, ...]:
    return found.distinct, found.fired, found.ended, told_by(found)


def ended_early(folder: Path, make: Callable[..., Any]) -> Exploration:
    return explore(MADE, limits=Limits(states=400), folder=folder, make=make)


@pytest.mark.parametrize("make", KINDS)
def test_a_search_goes_on_with_the_same_report(tmp_path: Path, make: Callable[..., Any]) -> None:
    whole, part = explore(MADE, make=make), ended_early(tmp_path, make)
    assert part.ended and 400 <= part.distinct < whole.distinct
    rounds = list[str]()
    again = explore(MADE, folder=tmp_path, make=make, told=rounds.append)
    assert said(again) == said(whole)
    assert said(explore(MADE, folder=tmp_path, make=make)) == said(whole)  # there is nothing left to do
    assert sorted(f.name.split("-")[0] for f in tmp_path.iterdir()) == ["diagram.json", "nodes"]


def test_what_was_kept_is_where_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from the start: the states that it begins with are those that were kept."""
    part, begun = ended_early(tmp_path, PlainDiagrams), list[int]()
    chained = checkpoint.restored

    def seen(folder: Path, saved: checkpoint.Saved, system: Any) -> int:
        states = chained(folder, saved, system)
        begun.append(system.diagrams.count(states))
        return states

    monkeypatch.setattr(checkpoint, "restored", seen)
    explore(MADE, folder=tmp_path, make=PlainDiagrams)
    assert begun == [part.distinct]


def test_an_interrupt_keeps_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(said: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cutproof.checks.engines.zdd.explore.PAUSE", 0.0)
    found = explore(MADE, folder=tmp_path, told=interrupted, make=partial(PlainDiagrams))
    assert found.interrupted
    monkeypatch.undo()
    assert said(explore(MADE, folder=tmp_path)) == said(explore(MADE))


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    ended_early(tmp_path / "other", PlainDiagrams)
    with pytest.raises(CheckpointError, match="is of another search"):
        explore(two_phase_commit(3), folder=tmp_path / "other")
    fast(MADE, folder=tmp_path / "fast")
    with pytest.raises(CheckpointError, match="which is of no search by diagrams"):
        explore(MADE, folder=tmp_path / "fast")
    with pytest.raises(CheckpointError, match=r"diagram\.json.*give an empty folder"):
        fast(MADE, folder=tmp_path / "other")


@pytest.mark.parametrize("share", [40, pytest.param(2000, marks=pytest.mark.nightly)])
def test_damage_is_refused_or_changes_nothing(tmp_path: Path, share: int) -> None:
    ended_early(tmp_path, PlainDiagrams)
    whole, rng, refused = said(explore(MADE)), Random(7), 0
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    for _ in range(share):
        for file, data in kept.items():
            file.write_bytes(data)
        for file in set(tmp_path.iterdir()) - kept.keys():
            file.unlink()
        file = rng.choice(sorted(kept))
        data = bytearray(kept[file])
        for _ in range(rng.randint(1, 3)):
            how, at = rng.randrange(3), rng.randrange(len(data))
            if how == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif how == 1:
                del data[at : at + rng.randint(1, 40)]
            else:
                data[at:at] = rng.randbytes(rng.randint(1, 9))
        file.write_bytes(bytes(data))
        try:
            assert said(explore(MADE, folder=tmp_path, make=PlainDiagrams)) == whole
        except CheckpointError as error:
            refused += "\n" not in str(error)
    assert refused > share * 0.8
