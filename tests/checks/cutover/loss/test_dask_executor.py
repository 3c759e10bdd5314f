"""Chunks on a Dask cluster that runs beside the test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cutproof.checks.cli import main as cli
from cutproof.checks.cutover.loss.dask_executor import GONE, connected
from cutproof.checks.cutover.loss.report import facts
from cutproof.checks.cutover.loss.runs import run
from cutproof.checks.cutover.loss.sample import Setup

distributed = pytest.importorskip("distributed", reason="the extra cutproof[dask] is not installed")
SMALL = Setup(each=40, seed=3)


@pytest.fixture(scope="module", autouse=True)
def files_of_dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Dask makes a folder of its own, and leaves it there."""
    import dask

    with dask.config.set(temporary_directory=str(tmp_path_factory.mktemp("dask"))):
        yield


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        protocol="tcp",
    ) as found:
        yield found


def test_a_dask_cluster_says_the_same(cluster: Any) -> None:
    alone = run(SMALL, 1_500)
    with connected(cluster.scheduler_address) as (executor, cores):
        assert cores == 2
        found = run(SMALL, 1_500, executor, 2 * cores, gone=GONE)
    assert not found.partial
    assert {**facts(found), "seconds": 0} == {**facts(alone), "seconds": 0}


def test_the_command_takes_its_address(cluster: Any, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["loss", "--writes", "900", "--migrations", "20", "--json"]
    assert cli.main([*arguments, "--dask", cluster.scheduler_address]) == 0
    there = capsys.readouterr().out
    assert cli.main([*arguments, "--workers", "1"]) == 0
    assert there.partition('"seconds"')[0] == capsys.readouterr().out.partition('"seconds"')[0]


def test_a_scheduler_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cutproof.checks.cutover.loss.dask_executor.SECONDS", 1)
    assert cli.main(["loss", "--writes", "10", "--dask", "tcp://127.0.0.1:9"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert err.startswith("cutproof: --dask tcp://127.0.0.1:9: the scheduler can't be reached (")


def test_an_address_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["loss", "--writes", "10", "--dask", "nonsense://x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_cluster_without_workers(capsys: pytest.CaptureFixture[str]) -> None:
    with distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address="127.0.0.1:0", host="127.0.0.1", protocol="tcp"
    ) as empty:
        assert cli.main(["loss", "--writes", "10", "--dask", empty.scheduler_address]) == 2
    assert "the scheduler has no workers" in capsys.readouterr().err
