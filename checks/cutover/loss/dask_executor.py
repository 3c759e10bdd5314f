"""Chunks of a loss run on other machines: a Dask cluster as an executor. Needs the extra `dask`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import Any

SECONDS = 10  # to reach a scheduler


def _gone() -> tuple[type[BaseException], ...]:
    try:
        from distributed.comm.core import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        return (CancelledError,)
    return (CancelledError, CommClosedError, KilledWorker)


GONE = _gone()  # how the executor says that its workers were ended


@contextmanager
def connected(address: str) -> Iterator[tuple[Executor, int]]:
    """An executor for the cluster of this scheduler, and how many threads its workers have.

    Raises OSError where the scheduler can't be reached, ValueError where Dask or a worker is not there."""
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("Dask is not installed: pip install distributed") from None
    for name in ("distributed", "distributed.client", "distributed.comm", "distributed.batched"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what went wrong is said once, by us
    try:
        client: Any = Client(address, timeout=SECONDS, set_as_default=False)
    except Exception as error:
        said = " ".join(str(error).split())[:120] or type(error).__name__
        raise OSError(f"the scheduler can't be reached ({said})") from None
    try:
        cores = sum(client.nthreads().values())
        if not cores:
            raise ValueError("the scheduler has no workers; start some with `dask worker`")
        yield client.get_executor(pure=False), cores
    finally:
        client.close()
