"""A program on a pipe is driven as one in Python is; what it may not do is told, and leaves nothing behind."""

import sys
from pathlib import Path

import pytest
from commit_program import Driver, model
from places import TESTS

from cutproof.checks.drivers.driving.drive import drive
from cutproof.checks.drivers.driving.driver import Unfit
from cutproof.checks.drivers.driving.outcome import Driving
from cutproof.checks.drivers.driving.program import Piped

PROGRAM = TESTS / "driven" / "piped_commit.py"


def driven(how: str, runs: int | None = 30) -> Driving:
    with Piped([sys.executable, str(PROGRAM), *how.split()], model()) as piped:
        found = drive(model(), piped, runs=runs, refusals=True)
        assert piped.program is not None
        pid = piped.program.pid
    assert not Path(f"/proc/{pid}").exists()
    return found


def test_it_is_as_one_in_python() -> None:
    here, there = drive(model(), Driver, runs=30, refusals=True), driven("")
    assert there.failure is None
    assert (there.runs, there.steps, there.covered, there.tried) == (
        here.runs, here.steps, here.covered, here.tried,
    )  # fmt: skip


def test_a_fault_is_found_by_the_same_run() -> None:
    fault = "told to abort, stays prepared"
    here = drive(model(), lambda: Driver(fault), runs=30, refusals=True)
    assert here.failure is not None
    assert driven(fault).failure == here.failure


def test_what_it_has_not_is_not_driven() -> None:
    found = driven("few")
    assert found.failure is None
    assert set(found.taken) == {"prepare", "choose_to_abort"}
    assert len(found.undriven) == 5


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("ends", "it ended with code 3 before it answered action"),
        ("garbage", "a line of its stdout is no JSON"),
        ("unsupported", "it does not support"),
    ],
)
def test_what_it_may_not_do_is_told(how: str, said: str) -> None:
    with Piped([sys.executable, str(PROGRAM), how], model()) as piped:
        found = drive(model(), piped, runs=3, refusals=True)
        assert piped.program is not None
        assert not piped.program.alive
    assert found.exit_code == 4
    assert found.failure is not None
    assert said in found.failure.reason
    assert any('"type":"action"' in line for line in found.failure.told)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([sys.executable, str(PROGRAM), "newer"], "it speaks version 2"),
        ([sys.executable, str(PROGRAM), "misspelt"], "names the action 'prepair'"),
        (["/no/such/program"], "cannot be started"),
        ([sys.executable, "-c", "pass"], "ended with code 0"),
    ],
)
def test_what_does_not_speak_this_is_refused(command: list[str], said: str) -> None:
    with pytest.raises(Unfit, match=said):
        Piped(command, model())
