"""Worker processes: results in order, and one that is ended from outside leaves its question unanswered."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from processes import ended, eventually, workers_of

from cutproof.checks.common.workers import WorkerEnded, exit_code_of, in_workers, unheard

proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
LONG = (
    "cutover.evidence",
    "cutover.gate.census",
    "cutover.loss.against_exploration",
    "cutover.loss.trade_offs",
)


def test_results_come_in_the_order_of_the_items() -> None:
    first = "__import__('time').sleep(0.2) or 0"  # is the last to end
    assert list(in_workers(eval, [first, "1", "4", "9"], 2)) == [0, 1, 4, 9]


def test_a_worker_that_is_killed_leaves_no_answer_and_no_other_worker() -> None:
    with pytest.raises(WorkerEnded, match="ended from outside"):
        list(in_workers(eval, ["0", "__import__('os').kill(__import__('os').getpid(), 9)", "2"], 2))


def _blocked(said: Any) -> None:
    said.send(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())))


@pytest.mark.parametrize("method", [m for m in ("fork",) if m in multiprocessing.get_all_start_methods()])
def test_a_process_of_another_pool_hears_that_it_is_to_end(method: str) -> None:
    """Forked while our workers are started, it may wait for a lock that a killed one held."""
    context = multiprocessing.get_context(method)
    heard, said = context.Pipe(duplex=False)
    with unheard(), unheard():
        child = context.Process(target=_blocked, args=(said,))
        child.start()
    assert heard.recv() == sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
    child.join()


def test_what_a_worker_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_workers((1).__truediv__, [1, 0], 1))


@pytest.mark.parametrize(
    ("raised", "said"), [(WorkerEnded("a worker"), "unknown: a worker"), (KeyboardInterrupt(), "interrupted")]
)
def test_a_module_without_an_answer_ends_with_three_and_a_line(
    raised: BaseException, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(arguments: list[str]) -> int:
        raise raised

    assert exit_code_of(main) == 3
    assert capsys.readouterr().err == f"{said}\n"


@proc
@pytest.mark.parametrize("module", [LONG[0], *(pytest.param(m, marks=pytest.mark.nightly) for m in LONG[1:])])
def test_a_command_whose_worker_is_killed_ends_with_three_and_a_line(module: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", f"cutproof.checks.{module}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert eventually(lambda: bool(workers_of(process)))
    workers = workers_of(process)
    os.kill(workers[0], signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 3, err
    assert out == "" and err.splitlines() == ["unknown: a worker was ended from outside (out of memory?)"]
    assert eventually(lambda: all(map(ended, workers)))
