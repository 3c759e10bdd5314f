"""Seal and copy, by a coordinator that is written as a thread: it is handed a turn, and hands it back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from strangers.right.sealed import Job, Sealed


class Turns:
    """Steps that a thread of their own goes through, one each time it is asked for the next."""

    def __init__(self, steps: Iterator[Any]) -> None:
        self.steps, self.said, self.ended = steps, None, False
        self.go, self.back = threading.Semaphore(0), threading.Semaphore(0)
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while self.go.acquire() and not self.ended:
            try:
                self.said = next(self.steps)
            except BaseException as error:
                self.ended, self.error = True, error
            self.back.release()
            if self.ended:
                return

    def __iter__(self) -> Turns:
        return self

    def __next__(self) -> Any:
        if self.ended:
            raise StopIteration
        self.go.release()
        self.back.acquire()
        if self.error is not None:
            self.thread.join()
            raise self.error
        return self.said

    def stop(self) -> None:
        """The thread ends."""
        self.ended = True
        self.go.release()
        self.thread.join()


class Threaded(Sealed):
    """Seal, copy, open, in threads that take turns."""

    def set_up(self) -> None:
        super().set_up()
        self.threads: list[Turns] = []

    def steps(self, job: Job) -> Iterator[Any]:
        self.threads.append(Turns(super().steps(job)))
        return self.threads[-1]

    def stop(self) -> None:
        for thread in self.threads:
            thread.stop()
