"""Shares and rungs of the ladder: together they are the whole, and no share has much more to do than another."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cli import main as cli
from cutproof.checks.ladder import share
from cutproof.checks.ladder.tasks import Task, order
from cutproof.checks.ladder.verify import tasks

EVERY = tasks()


def of_names(names: list[tuple[str, str]]) -> list[Task]:
    return [Task(name, print, (), rung=rung) for name, rung in names]


ladders = st.lists(
    st.tuples(
        st.sampled_from([t.name for t in EVERY] + ["x", "y"]),
        st.sampled_from([*share.COVERING, "proof", "gate"]),
    ),
    unique_by=lambda pair: pair[0],
).map(of_names)


@given(ladders | st.just(EVERY) | st.just(tasks(full=True)), st.integers(1, 40))
def test_the_shares_are_together_the_whole_in_the_same_order(ladder: list[Task], of: int) -> None:
    parts = [share.share(ladder, number, of) for number in range(of)]
    assert sorted(t.name for part in parts for t in part) == sorted(t.name for t in ladder)
    places = [[ladder.index(t) for t in part] for part in parts]
    assert all(place == sorted(place) for place in places)
    assert sum(any(t.rung in share.COVERING for t in part) for part in parts) <= 1


@pytest.mark.parametrize("of", [2, 3, 4, 6])
def test_no_share_has_much_more_to_do_than_another(of: int) -> None:
    loads = [sum(map(share.cost, share.share(EVERY, number, of))) for number in range(of)]
    assert max(loads) <= 1.1 * sum(loads) / of


def test_every_task_stands_on_a_rung_and_what_was_measured_is_one() -> None:
    assert all(task.rung for task in tasks(full=True))
    assert set(share._costs()) <= {task.name for task in EVERY}


def test_a_rung_has_the_tasks_of_its_name() -> None:
    names = share.rungs(EVERY)
    assert names[0] == "scope" and names[-1] == share.COVERAGE and len(set(names)) == len(names)
    parts = [share.of_rungs(EVERY, [name]) for name in names[:-1]]
    assert [t for part in parts for t in part] == EVERY and all(parts)
    assert {t.rung for t in share.of_rungs(EVERY, [share.COVERAGE])} == set(share.COVERING)


def test_measuring_lists_what_takes_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "SMALL", 0.05)

    def work(told: object, steps: int) -> list[object]:
        return [sum(range(steps))]

    assert share.measure([Task("short", work, (1,))]) == {}
    assert list(share.measure([Task("short", work, (1,)), Task("long", work, (5 * 10**6,))])) == ["long"]


def test_what_a_share_has_is_what_the_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for number in (1, 2, 3):
        code = cli.main(
            ["verify", "--rung", "as written", "--shard", f"{number}/3", "--workers", "1", "--json"]
        )
        out, err = capsys.readouterr()
        found += [json.loads(line)["name"] for line in out.splitlines()]
        assert code == 0 and (f"shard {number} of 3: 1 tasks" in err or "nothing is left for it" in err)
    assert found == ["base"]


@pytest.mark.parametrize("options, said", [
    (("--shard", "0/4"), "--shard 0/4: write 2/4"), (("--shard", "5/4"), "--shard 5/4: write 2/4"),
    (("--shard", "one"), "--shard one: write 2/4"), (("--rung", "prof"), "did you mean proof?"),
    (("--rung", "gate", "--scope", "base"), "--rung has no part in --scope"),
    (("--resume", __file__), "--resume "),
])  # fmt: skip
def test_wrong_parts_are_refused_in_one_line(options, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", *options]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and said in err


def test_two_workers_begin_as_declared_and_more_with_what_is_heavy() -> None:
    assert order(EVERY, 1) == order(EVERY, 2) == EVERY
    begun = order(EVERY, 3)
    assert [t.heavy for t in begun] == sorted((t.heavy for t in EVERY), reverse=True)
    assert [t for t in begun if t.heavy] == [t for t in EVERY if t.heavy]
