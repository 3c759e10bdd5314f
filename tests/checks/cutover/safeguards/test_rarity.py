"""The chance of a harm on a random walk, on graphs small enough to count by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cutproof.checks.cutover.safeguards.necessity import NECESSARY, Experiment
from cutproof.checks.cutover.safeguards.rarity import chance, main, rarity
from cutproof.checks.engines.exploration import Limits


def by_name(file: str) -> Experiment:
    return next(e for e in NECESSARY if e.file == file)


def graph(*targets: list[int]) -> Any:
    """An exploration with these edges out of each state."""
    starts = np.cumsum([0, *map(len, targets)]).tolist()
    return SimpleNamespace(edges=SimpleNamespace(starts=starts, targets=[t for ts in targets for t in ts]))


@pytest.mark.parametrize(
    ("targets", "harmed", "steps", "expected"),
    [
        (([1, 2], [], []), {1}, 1, 0.5),
        (([1, 2], [], []), {1}, 0, 0.0),
        (([0, 1, 2], [], []), {1}, 1, 0.5),  # a step that changes nothing is not taken
        (([1, 2], [], [0]), {1}, 3, 0.75),  # back to the start, and once more
        (([1, 1, 2], [], []), {1}, 1, 2 / 3),  # two steps that lead to the same state
        (([1], [2], []), {1, 2}, 9, 1.0),  # a walk ends at the first harm
    ],
)
def test_the_chance_is_what_one_counts(
    targets: tuple[list[int], ...], harmed: set[int], steps: int, expected: float
) -> None:
    flags = np.array([state in harmed for state in range(len(targets))])
    assert chance(graph(*targets), flags, steps) == pytest.approx(expected)


def test_the_rarity_of_a_harm_is_that_of_its_scope() -> None:
    found = rarity(by_name("lost-write-without-one_owner_record"), steps=30)
    assert 0 < found.chance < 1
    assert found.states > 1000
    assert f"one in {1 / found.chance:,.0f} walks" in " ".join(str(found).split())
    assert (
        rarity(by_name("lost-write-without-one_owner_record"), steps=4).chance == 0
    )  # the shortest trace has 5 steps


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="is not read off one state"):
        rarity(by_name("stuck-without-per_migration_tracking"))
    with pytest.raises(ValueError, match="ack_after_applied: "):
        rarity(by_name("lost-write-without-ack_after_applied"), limits=Limits(states=10))


def test_the_command_prints_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nosuch"]) == 2
    assert "no safeguard has 'nosuch' in its name" in capsys.readouterr().err
    assert main(["stuck-without"]) == 0
    assert capsys.readouterr().out.startswith("not computed: stuck-without-per_migration_tracking")
    assert main(["one_owner_record"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "lost-write-without-one_owner_record", "stale-read-without-one_owner_record",
    ]  # fmt: skip
