"""Loss runs: the same result whoever does the chunks and in whatever order, and nothing finished is ever lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cutproof.checks.common.workers import put_off
from cutproof.checks.cutover.loss import runs as loss
from cutproof.checks.cutover.loss.report import exit_code, facts, standing, text
from cutproof.checks.cutover.loss.run_file import RunFile
from cutproof.checks.cutover.loss.runs import Run, Series, chunk_size, do_chunk, run, run_in_processes
from cutproof.checks.cutover.loss.sample import CALM, NEAR, PUTS, Counts, Rates, Setup
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy

UNSAFE = Policy(skip_delta_pass=True, anti_entropy=AntiEntropy.OFF, cleanup=Cleanup.IMMEDIATE, replicas=False)
SMALL = Setup(each=40, seed=3)  # chunks of half a second
LOSING = Setup(UNSAFE, (), None, replace(CALM, failures=0.02), PUTS, each=100, seed=3, traffic="seed")


def told(found: Run) -> dict[str, Any]:
    """The report but for the time."""
    return {k: v for k, v in facts(found).items() if k != "seconds"}


def _settle(future: Future[Any], fn: Any, arguments: tuple[Any, ...]) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(fn(*arguments))


class Shuffled(Executor):
    """Does each chunk when it is asked whether anything is done, in an order of its own."""

    def __init__(self, seed: int, dies_after: int = 10**9) -> None:
        self.random, self.dies_after, self.done = Random(seed), dies_after, 0

    def submit(self, fn: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        if self.done >= self.dies_after:
            raise BrokenProcessPool
        future: Future[Any] = Future()
        self.done += 1
        if self.done == self.dies_after:
            future.set_exception(BrokenProcessPool())
        elif self.random.random() < 0.5:
            future.set_result(fn(*arguments, **more))
        else:
            threading.Timer(self.random.random() / 50, partial(_settle, future, fn, arguments)).start()
        return future


@pytest.mark.sampled(4)
@pytest.mark.parametrize("seed", range(8))
def test_seeds(seed: int) -> None:
    """A run for each seed: where several processes test, they are spread over these."""
    found = run(Setup(seed=100 + seed), 20_000)
    assert not found.partial
    assert found.counts.lost == found.counts.lost_outside == 0
    assert found.counts.acknowledged >= 20_000


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(40))
def test_many_seeds(seed: int) -> None:
    for policy in (Policy(replicas=False), Policy()):
        found = run(Setup(policy, seed=1000 + seed), 200_000)
        assert not found.partial and not any(found.counts.seen.values()), found.counts


# ------------------------------------------------------------------ the same whoever does it


def made_up(setup: Setup, number: int, size: int = 20) -> Counts:
    """Stands for a chunk where only the order of chunks is tested."""
    random = Random(f"{setup.seed} {number}")
    done = random.randrange(200, 900)
    return Counts(migrations=20, writes=900, acknowledged=done, failed=900 - done, copied=random.randrange(9))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "do_chunk", made_up)


@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 6_000))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick")
def test_the_result_does_not_depend_on_the_executor(seed: int, at_once: int, target: int) -> None:
    alone = run(SMALL, target)
    assert told(run(SMALL, target, Shuffled(seed), at_once)) == told(alone)
    assert alone.counts.acknowledged >= target
    end = alone.counts.migrations // chunk_size(SMALL, 6_000)
    assert sum(made_up(SMALL, n).acknowledged for n in range(end - 1)) < target


@pytest.mark.parametrize(
    "setup", [replace(LOSING, each=20), Setup(rates=NEAR, traffic="boundary")], ids=["seed", "boundary"]
)
def test_processes_and_threads_say_the_same(setup: Setup) -> None:
    target = 900 if setup.traffic == "seed" else 60
    alone = told(run(setup, target))
    assert told(run_in_processes(setup, target, 1)) == alone
    assert told(run_in_processes(setup, target, 2)) == alone
    assert told(run_in_processes(setup, target, 7)) == alone
    with ThreadPoolExecutor(3) as threads:
        assert told(run(setup, target, threads, 5)) == alone


def test_seeds_differ() -> None:
    assert told(run(SMALL, 1_000)) != told(run(replace(SMALL, seed=4), 1_000))


# ------------------------------------------------------------------ what is finished is kept


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_gone_on_with_says_the_same(tmp_path: Path) -> None:
    whole = told(run(SMALL, 6_000))
    file = tmp_path / "run.json"
    run_file = RunFile(file, SMALL, chunk_size(SMALL, 6_000))
    part = run(SMALL, 6_000, Shuffled(1, dies_after=4), 2, run_file=run_file)
    assert part.partial.startswith("a worker was ended")
    assert 0 < part.counts.migrations < whole["migrations"]
    again = RunFile(file, SMALL, chunk_size(SMALL, 6_000))
    assert again.chunks == part.chunks
    assert told(run(SMALL, 6_000, run_file=again)) == whole
    assert told(run(SMALL, 6_000, run_file=RunFile(file, SMALL, chunk_size(SMALL, 6_000)))) == whole
    more = run(SMALL, 9_000, run_file=RunFile(file, SMALL, chunk_size(SMALL, 6_000)))
    assert told(more) == told(run(SMALL, 9_000))


@given(st.sets(st.integers(0, 9)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("quick")
def test_whatever_was_finished_first(done: set[int]) -> None:
    chunks = {n: made_up(SMALL, n) for n in sorted(done)}

    class Some:
        def __init__(self) -> None:
            self.chunks = chunks

        def add(self, number: int, counts: Counts) -> None:
            self.chunks[number] = counts

    assert told(run(SMALL, 4_000, run_file=Some())) == told(run(SMALL, 4_000))  # type: ignore[arg-type]


def test_an_interrupt_makes_it_partial(monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = loss.do_chunk, []

    def interrupted(setup: Setup, number: int, size: int) -> Counts:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(number)
        return real(setup, number, size)

    monkeypatch.setattr(loss, "do_chunk", interrupted)
    found = run(SMALL, 10_000)
    assert found.partial == "interrupted"
    assert found.counts.migrations == 2 * chunk_size(SMALL, 6_000)
    assert exit_code(found) == 3
    assert text(found)[0].startswith("PARTIAL: interrupted")


def test_a_signal_while_others_work_makes_it_partial() -> None:
    class Slow(Shuffled):
        def submit(self, fn: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
            if self.done == 3:
                os.kill(os.getpid(), signal.SIGINT)
            return super().submit(fn, *arguments, **more)

    found = run(SMALL, 50_000, Slow(2), 2)
    assert found.partial == "interrupted"
    assert found.counts.migrations >= chunk_size(SMALL, 6_000)


def _kill_one(pids: Callable[[], list[int]]) -> Callable[[Counts, float], None]:
    """Told of progress, it kills a worker once two chunks are finished."""
    killed: list[int] = []

    def progress(counts: Counts, share: float) -> None:
        if not killed and counts.migrations >= 2 * chunk_size(SMALL, 6_000):
            killed.append(pids()[0])
            os.kill(killed[0], signal.SIGKILL)
            time.sleep(0.1)

    return progress


@pytest.mark.parametrize("ours", [True, False], ids=["our pool", "a pool that forks"])
def test_a_killed_worker_loses_no_finished_chunk(ours: bool) -> None:
    if ours:
        children = lambda: sorted(p.pid for p in multiprocessing.active_children() if p.pid)  # noqa: E731
        found = run_in_processes(SMALL, 10**6, 2, _kill_one(children))
    else:
        with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
            found = run(SMALL, 10**6, pool, 4, _kill_one(lambda: sorted(pool._processes)))
    assert found.partial == "a worker was ended from outside (out of memory?)"
    assert found.counts.migrations >= 2 * chunk_size(SMALL, 6_000)
    assert found.counts == sum((found.chunks[n] for n in sorted(found.chunks)), Counts())
    assert all(found.chunks[n] == do_chunk(SMALL, n, 20) for n in list(found.chunks)[:2])


def _holds_the_lock(lock: Any) -> None:
    lock.acquire()
    time.sleep(60)


def test_a_worker_that_waits_for_a_lock_is_ended_too() -> None:
    """One that was killed may have held it: forked in the middle of a run, the others must still hear the end."""
    context = multiprocessing.get_context("fork")
    lock = context.Lock()
    with put_off() as asked:
        first = context.Process(target=_holds_the_lock, args=(lock,))
        first.start()
        time.sleep(0.3)
        second = context.Process(target=_holds_the_lock, args=(lock,))
        second.start()
        time.sleep(0.3)
        first.kill()
        second.terminate()
        second.join(10)
        assert second.exitcode == -signal.SIGTERM
    assert asked == []


class NeverDone(Executor):
    """Takes chunks, and does none."""

    def __init__(self) -> None:
        self.futures: list[Future[Counts]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.futures.append(Future())
        return self.futures[-1]


class ProcessesNeverDone(NeverDone, ProcessPoolExecutor):
    """The same, as a pool of processes."""


@pytest.mark.parametrize("kind", [NeverDone, ProcessesNeverDone])
def test_an_interrupt_leaves_what_is_under_way_to_a_pool_of_processes(
    monkeypatch: pytest.MonkeyPatch, kind: type[NeverDone]
) -> None:
    """Their workers are ended then, and the pool's thread complains of those that somebody else has cancelled."""
    monkeypatch.setattr(loss, "put_off", lambda: nullcontext([signal.SIGTERM]))
    executor = kind()
    assert run(SMALL, 100, executor, at_once=3).partial == loss.INTERRUPTED
    assert {future.cancelled() for future in executor.futures} == {kind is NeverDone}


def test_other_errors_of_a_worker_are_not_hidden() -> None:
    refused = replace(LOSING, gate="sound")
    with pytest.raises(Exception, match="anti-entropy is disabled"):
        run(refused, 100)
    with pytest.raises(Exception, match="anti-entropy is disabled"):
        run_in_processes(refused, 100, 2)


def test_a_run_in_which_hardly_anything_is_acknowledged_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "SURPLUS", 1)
    found = run(Setup(rates=replace(CALM, stale=1.0), each=200), 20_000)
    assert "were acknowledged: lower the rates" in found.partial
    assert exit_code(found) == 3


def test_a_run_has_writes() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        run(SMALL, 0)


def test_no_more_is_begun_than_is_likely_to_be_needed() -> None:
    series = Series(SMALL, 700, {})
    begun: set[int] = set()
    while (number := series.next(begun)) is not None:
        begun.add(number)
    assert begun == {0}  # 20 migrations of 40 writes
    series.done[0] = Counts(acknowledged=40)
    assert series.next(begun) == 1
    series.done.update({1: Counts(acknowledged=40), 3: Counts(acknowledged=40)})
    assert series.next({0, 1, 3}) == 2  # a gap is always filled


# ------------------------------------------------------------------ what is said


def test_losing_nothing_is_told_with_its_bound() -> None:
    found = run(SMALL, 2_000)
    said = facts(found)
    assert said["lost"] == said["permanent"] == 0 == exit_code(found)
    assert said["upper_bound_95_per_write"] == pytest.approx(1 - 0.05 ** (1 / said["acknowledged"]))
    assert said["upper_bound_95_per_migration"] == pytest.approx(1 - 0.05 ** (1 / said["migrations"]))
    assert not said["fewer_than_1_in_1M"]
    lines = text(found)
    assert any("not below 1: that takes 2,995,731 acknowledged writes" in line for line in lines)
    assert any("Clopper-Pearson" in line for line in lines)
    stands = standing(found.counts, 0.5)
    assert stands.startswith("50%, ") and stands.count("below") == 1 == stands.count("in a million")
    assert standing(Counts(), 0.0).endswith("0 lost")


def test_three_million_writes_show_fewer_than_one() -> None:
    found = Run(SMALL, 1, Counts(migrations=3000, acknowledged=2_995_731, writes=3_000_000))
    assert facts(found)["fewer_than_1_in_1M"]
    assert any("verdict: fewer than 1 in 1M" in line for line in text(found))
    fewer = Run(SMALL, 1, Counts(migrations=3000, acknowledged=2_995_730, writes=3_000_000))
    assert not facts(fewer)["fewer_than_1_in_1M"]
    assert not any("verdict: fewer than" in line for line in text(fewer))


def test_losses_are_told_with_their_interval() -> None:
    found = run(LOSING, 4_000)
    said = facts(found)
    low, high = said["interval_95_per_write"]
    assert low < 0.02 < high
    assert said["lost"] == said["permanent"] == said["by_kind"]["LAW"]["permanent"]
    assert exit_code(found) == 12
    assert any("fewer than 1 in 1M is refuted" in line for line in text(found))
    assert said["first"]["LAW"]["migration"] == 0


def test_a_partial_run_that_lost_something_says_so_first() -> None:
    counts = Counts(migrations=1, acknowledged=10, writes=10)
    counts.permanent["RD"] = 1
    assert exit_code(Run(SMALL, 100, counts, partial="interrupted")) == 12
    assert exit_code(Run(SMALL, 100, Counts(), partial="interrupted")) == 3
    assert facts(Run(SMALL, 100, Counts(), partial="interrupted"))["upper_bound_95_per_write"] == 1.0
    assert "no write was acknowledged" in text(Run(SMALL, 100, Counts(), partial="interrupted"))[-1]
    assert exit_code(Run(SMALL, 100, Counts(lost_outside=1))) == 12


def test_the_bias_is_stated() -> None:
    lines = text(
        Run(Setup(rates=NEAR, traffic="boundary"), 1, Counts(acknowledged=1, writes=1, migrations=1))
    )
    assert any("BIASED" in line for line in lines)
    assert not any("BIASED" in line for line in text(run(SMALL, 10)))
    assert Rates() == SMALL.rates


def test_a_chunk_has_fewer_migrations_where_they_are_large() -> None:
    sizes = {each: chunk_size(Setup(each=each), 10**9) for each in (1, 1_000, 5_000, 20_000, 10**6)}
    assert sizes == {1: 20, 1_000: 20, 5_000: 4, 20_000: 1, 10**6: 1}


SETUPS = [Setup(seed=1, each=12), LOSING, Setup(rates=NEAR, traffic="boundary")]


@given(st.sampled_from(SETUPS), st.integers(1, 10**7))
def test_a_chunk_is_no_larger_than_what_is_asked_for(setup: Setup, target: int) -> None:
    usual, size = chunk_size(setup, 10**9), chunk_size(setup, target)
    each = 4 if setup.traffic == "boundary" else setup.each
    assert 1 <= size <= usual
    assert size in (usual, 1) or size * each <= target / 15  # of which most are acknowledged
    assert size == usual or target < usual * each  # the results of long runs stay what they were


@pytest.mark.parametrize("setup", SETUPS, ids=["mixed", "seed", "boundary"])
@pytest.mark.parametrize("target", [1, 17, 60])
def test_a_short_run_is_as_long_as_was_asked_for(setup: Setup, target: int) -> None:
    found = run(setup, target)
    assert not found.partial
    size = chunk_size(setup, target)
    last = found.chunks[found.counts.migrations // size - 1]
    assert target <= found.counts.acknowledged < target + last.acknowledged
    assert size < chunk_size(setup, 10**9)
