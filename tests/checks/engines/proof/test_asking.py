"""Interrupts while Z3 is asked: heard at once, whatever it is doing, and told apart from the end of its time."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from random import Random
from typing import Any

import pytest
import z3

from cutproof.checks.engines.proof.asking import ask, hearing
from cutproof.checks.engines.proof.induction import Proof
from cutproof.checks.engines.proof.judge import judge
from cutproof.model.examples.two_phase_commit import two_phase_commit

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def pigeons(holes: int, seconds: float) -> z3.Solver:
    """One more pigeon than holes: easy to say, and long to refute."""
    solver = z3.SolverFor("QF_LIA")
    solver.set("timeout", int(1000 * seconds))
    sits = [[z3.Bool(f"{pigeon} in {hole}") for hole in range(holes)] for pigeon in range(holes + 1)]
    solver.add(*(z3.Or(*row) for row in sits))
    for column in zip(*sits, strict=True):
        solver.add(*(z3.Not(z3.And(one, other)) for one, other in combinations(column, 2)))
    return solver


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """As the command has it."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def sent(number: int, after: float) -> Iterator[None]:
    timer = threading.Timer(after, os.kill, (os.getpid(), number))
    timer.start()
    try:
        with terminated_like_interrupted():
            yield
    finally:
        timer.cancel()
        timer.join()


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_ends_a_question_that_would_take_long(number: int) -> None:
    solver = pigeons(12, seconds=8)
    with pytest.raises(KeyboardInterrupt), sent(number, after=0.5):
        ask(solver)
    assert solver.reason_unknown() == "interrupted"  # and not the end of its time


def test_the_end_of_the_time_is_no_interrupt() -> None:
    solver = pigeons(12, seconds=0.2)
    assert ask(solver) == z3.unknown
    assert solver.reason_unknown() in ("timeout", "canceled")


class Freed:
    """What interrupts while it is freed: Python prints what is raised there, and goes on."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)
        sum(range(1000))  # handlers are called between two instructions


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_between_two_questions_is_not_lost(number: int) -> None:
    solver, asked = pigeons(2, seconds=60), 0
    with pytest.raises(KeyboardInterrupt), terminated_like_interrupted(), hearing():
        assert ask(solver) == z3.unsat
        Freed(number)
        asked += 1
        ask(solver)
        asked += 1
    assert asked == 1


@pytest.mark.parametrize("what", ["judge", "obligations"])
def test_every_interrupt_of_a_proof_is_heard(what: str) -> None:
    draw, protocol = Random(what), two_phase_commit(2)
    always = [p.name for p in protocol.properties if p.form == "always"]

    def prove() -> Any:
        with hearing():
            if what == "judge":
                return judge(protocol)
            return [o.ask() for o in Proof(protocol, only=always).obligations()]

    for _ in range(15):
        with pytest.raises(KeyboardInterrupt), sent(draw.choice(SIGNALS), after=draw.uniform(0, 0.15)):
            for _ in range(1000):
                prove()


def test_what_handles_signals_is_as_it_was() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    woken = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(woken)
    with hearing(), hearing():
        ask(pigeons(2, seconds=60))
    assert [signal.getsignal(number) for number in SIGNALS] == before
    assert signal.set_wakeup_fd(woken) == woken


def test_questions_may_be_asked_in_another_thread() -> None:
    said = list[Any]()
    solver = pigeons(2, seconds=60)
    thread = threading.Thread(target=lambda: said.append(ask(solver)))
    thread.start()
    thread.join()
    assert said == [z3.unsat]
