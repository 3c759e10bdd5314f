"""One run, performed: the program is taken through the steps of a model, and compared after each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from cutproof.checks.drivers.driving.comparing import Difference
from cutproof.checks.drivers.driving.driver import DriverFailed, Subject
from cutproof.checks.drivers.driving.outcome import ALLOWS, DIFFERS, ERRED, REFUSES, Failure
from cutproof.checks.drivers.driving.walking import Walking
from cutproof.model.language.protocol import State

Took = Callable[[State, int], None]  # a step was taken on both sides: from this state, by this transition


def beginnings(walking: Walking, subject: Subject) -> Failure | None:
    """Leave to the driven protocol, of several initial states, those in which the program begins: all, if it `starts`,
    else those that are like its own. A failure where there is none."""
    initials = walking.driven.initials
    if subject.starts or len(initials) == 1:
        return None
    try:
        subject.begin({})
        own = subject.state()
        alike = tuple(s for s in initials if not walking.differences(s, own))
        differences = walking.differences(initials[0], own)
        subject.end()
    except DriverFailed as error:
        return Failure(ERRED, initials[:1], (), str(error), told=error.told)
    if not alike:
        return Failure(DIFFERS, initials[:1], (), differences=differences)
    walking.driven.initials = alike
    return None


def perform(
    walking: Walking,
    subject: Subject,
    start: State,
    numbers: Iterable[int],
    attempts: Callable[[State], Sequence[int]] | None = None,
    took: Took | None = None,
) -> Failure | None:
    """Take a program through these transitions, each of which the model allows when its turn comes; then try those that
    `attempts` gives for the last state, which the model forbids. What failed first; None if nothing did.

    Raises KeyError for a transition that the model does not allow."""
    performing = Performing(walking, subject, start, took)
    try:
        failure = performing.begin()
        for number in numbers:
            if failure is not None:
                return failure
            failure = performing.take(number)
        if failure is None and attempts is not None:
            failure = performing.attempt(attempts(performing.state))
    except BaseException:
        with suppress(DriverFailed):
            subject.end()
        raise
    return performing.end(failure)


class Performing:
    """One run under way, step by step."""

    def __init__(self, walking: Walking, subject: Subject, start: State, took: Took | None = None) -> None:
        self.walking, self.subject, self.took = walking, subject, took
        self.states, self.transitions = [start], list[int]()

    @property
    def state(self) -> State:
        """The state in which the model is."""
        return self.states[-1]

    def begin(self) -> Failure | None:
        """Begin the run, and compare."""
        try:
            self.subject.begin(self.walking.whole.decode(self.state))
        except DriverFailed as error:
            return self._erred(error)
        return self._compare()

    def take(self, number: int) -> Failure | None:
        """Take one step on both sides. Raises KeyError where the model does not allow it."""
        before, after = self.state, self.walking.steps(self.state)[number]
        self.states.append(after)
        self.transitions.append(number)
        try:
            done = self.subject.perform(*self.walking.called(number))
        except DriverFailed as error:
            return self._erred(error)
        if not done:
            return self._failure(REFUSES)
        failure = self._compare()
        if failure is None and self.took:
            self.took(before, number)
        return failure

    def attempt(self, numbers: Iterable[int]) -> Failure | None:
        """Try transitions that the model forbids here: the program must refuse each, and stay as it is."""
        for number in numbers:
            try:
                if self.subject.perform(*self.walking.called(number)):
                    failed = self._compare()
                    differences = failed.differences if failed else ()
                    return self._failure(ALLOWS, "does it", differences, number)
                failed = self._compare()
            except DriverFailed as error:
                return self._erred(error, number)
            if failed is not None and failed.kind == ERRED:
                return replace(failed, attempt=number)
            if failed is not None:
                reason = "refuses it and is in another state now"
                return self._failure(ALLOWS, reason, failed.differences, number)
        return None

    def end(self, failure: Failure | None) -> Failure | None:
        """The run is over: what failed in it."""
        try:
            self.subject.end()
        except DriverFailed as error:
            return failure or self._erred(error)
        return failure

    def _compare(self) -> Failure | None:
        try:
            differences = self.walking.differences(self.state, self.subject.state())
        except DriverFailed as error:
            return self._erred(error)
        return self._failure(DIFFERS, differences=differences) if differences else None

    def _erred(self, error: DriverFailed, attempt: int | None = None) -> Failure:
        return replace(self._failure(ERRED, str(error), attempt=attempt), told=error.told)

    def _failure(
        self,
        kind: str,
        reason: str = "",
        differences: tuple[Difference, ...] = (),
        attempt: int | None = None,
    ) -> Failure:
        return Failure(kind, tuple(self.states), tuple(self.transitions), reason, differences, attempt)
