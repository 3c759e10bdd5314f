"""Where everything holds without a safeguard, it is said under what it matters."""

import json
import shlex

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.cutover.safeguards.necessity import FOR_EVER, NECESSARY
from cutproof.checks.cutover.safeguards.settings import FEW, command, commands, hints, smallest
from cutproof.model.cutover.policy import parse_policy
from cutproof.model.cutover.safeguards import HARDENED
from cutproof.model.cutover.scopes import parse_scope

ARGUMENTS = ["explore", "--scope", "writes=1", "--without", "dual_before_copy"]


@pytest.mark.parametrize("experiment", NECESSARY, ids=lambda e: e.file)
def test_a_command_is_the_experiment(experiment) -> None:
    words = shlex.split(command(experiment))
    assert words[:2] == ["cutproof", "explore"]
    given = dict(zip(words[2::2], words[3::2], strict=True))
    assert parse_scope(given["--scope"]) == experiment.scope
    assert parse_policy(given.get("--policy", "")) == experiment.policy
    assert tuple(given["--without"].split(",")) == experiment.removed


def test_every_safeguard_with_an_experiment_has_its_smallest() -> None:
    for name in {e.safeguard for e in (*NECESSARY, *FOR_EVER)}:
        chosen = smallest(name)
        assert chosen is not None and chosen.safeguard == name
        size = len(chosen.policy.changed()) + len(chosen.companions)
        assert all(
            size <= len(e.policy.changed()) + len(e.companions)
            for e in (*NECESSARY, *FOR_EVER)
            if e.safeguard == name
        )
    assert smallest("act:guard") is None


def test_the_setting_itself_is_no_other_one() -> None:
    experiment = smallest("fence_epoch")
    assert experiment is not None
    scope, policy = experiment.scope.bounds(), experiment.policy.changed()
    assert commands(["fence_epoch", "act:guard"], scope, policy) == {}
    assert list(commands(["fence_epoch"], {**scope, "writes": 1}, policy)) == ["fence_epoch"]


def test_many_are_told_in_one_line() -> None:
    known = sorted(HARDENED)
    assert len(hints(commands(known[: FEW + 1], {}, {}))) == 1
    few = commands(known[:FEW], {}, {})
    assert " ".join(hints(few)).replace(" \\    ", "").count("cutproof explore") == FEW
    for name, line in commands(known, {}, {}).items():
        said = hints({name: line})
        assert max(map(len, said)) <= 120
        assert " ".join(said).replace("\\     ", "").endswith(line)


def test_explore_says_under_what_it_matters(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(ARGUMENTS) == 0
    out = capsys.readouterr().out
    before, line = out.replace(" \\\n   ", "").splitlines()[-1].split(": ", 1)
    assert before == "dual_before_copy matters under"
    assert max(map(len, out.splitlines())) <= 120
    assert cli.main(ARGUMENTS[:3]) == 0
    assert "matters" not in capsys.readouterr().out  # nothing is removed
    assert cli.main([*ARGUMENTS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["matters_under"] == {"dual_before_copy": line}
    assert cli.main(shlex.split(line)[1:]) == 12  # as it says
    assert "matters" not in capsys.readouterr().out
