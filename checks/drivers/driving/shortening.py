"""A run that fails, made short: by the shortest way to the step that fails, and by leaving out steps."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from cutproof.checks.drivers.driving.driver import Subject
from cutproof.checks.drivers.driving.outcome import ERRED, Failure
from cutproof.checks.drivers.driving.performing import perform
from cutproof.checks.drivers.driving.walking import Numbers, Walking
from cutproof.model.language.protocol import State

AROUND = 20_000  # states that are looked at for a shorter way
ATTEMPTS = 2_000  # runs that are performed to make one short
OTHERWISE = (
    "the same run, performed again, came out otherwise: something happens by itself in the program, or is left over "
    "from another run"
)


def shorten(walking: Walking, subject: Subject, failure: Failure) -> Failure:
    """The same failure (its kind, and the action in which it shows) by a run from which no step can be left out. Where
    the run does not fail again, that is the failure: the program cannot be judged."""
    return _Shortening(walking, subject, failure).shortest()


class _Shortening:
    def __init__(self, walking: Walking, subject: Subject, failure: Failure) -> None:
        self.walking, self.subject, self.best = walking, subject, failure
        self.left = ATTEMPTS

    def shortest(self) -> Failure:
        first, run = self.best, self.best.run
        again = self._fails(first.states[0], self._before(first), first.failing)
        if again is None:
            said = f"{OTHERWISE}; at first it was: {first.headline(self.walking)}"
            return replace(first, kind=ERRED, reason=said)
        self.best = again
        self._directly()
        self._leave_out()
        return replace(self.best, run=run)

    def _before(self, failure: Failure) -> Numbers:
        """The steps before the one that fails."""
        return failure.transitions if failure.attempt is not None else failure.transitions[:-1]

    def _fails(self, start: State, numbers: Numbers, last: int | None) -> Failure | None:
        """The same failure by these steps, and then the one that fails; None where the model does not allow them, or
        the program does not fail so. It may fail earlier."""
        state = start
        for number in numbers:
            after = self.walking.steps(state).get(number)
            if after is None:
                return None
            state = after
        forbidden = last is not None and last not in self.walking.steps(state)
        if forbidden != (self.best.attempt is not None):
            return None
        self.left -= 1
        if forbidden:
            assert last is not None
            found = perform(self.walking, self.subject, start, numbers, lambda _: [last])
        else:
            found = perform(self.walking, self.subject, start, (*numbers, *([] if last is None else [last])))
        return found if found is not None and self._is_like(found) else None

    def _is_like(self, found: Failure) -> bool:
        if found.kind != self.best.kind or (found.attempt is None) != (self.best.attempt is None):
            return False
        actions = {n: t.action for n, t in enumerate(self.walking.driven.transitions)}
        mine, other = self.best.failing, found.failing
        return (mine is None) == (other is None) and (
            mine is None or actions[mine] == actions.get(other or 0)
        )

    def _directly(self) -> None:
        """By the shortest way to the state before the step that fails."""
        failure, before = self.best, self._before(self.best)
        way = self._way(failure.states[len(before)], len(before))
        if way is not None and (found := self._fails(*way, failure.failing)):
            self.best = found

    def _way(self, to: State, longest: int) -> tuple[State, Numbers] | None:
        """A way to a state from an initial one, of fewer than so many steps."""
        came: dict[State, tuple[State, int] | None] = dict.fromkeys(self.walking.driven.initials)
        queue = deque((state, 0) for state in came)
        while queue and len(came) < AROUND and to not in came:
            state, depth = queue.popleft()
            if depth + 1 >= longest:
                break
            for number, after in self.walking.steps(state).items():
                if after not in came:
                    came[after] = state, number
                    queue.append((after, depth + 1))
        if to not in came:
            return None
        numbers, here = list[int](), to
        while (step := came[here]) is not None:
            here, number = step
            numbers.append(number)
        return here, tuple(reversed(numbers))

    def _leave_out(self) -> None:
        """From halves down to single steps, until none can be left out."""
        size = max(1, len(self._before(self.best)) // 2)
        while self.left > 0:
            place, shorter = 0, False
            while place < len(self._before(self.best)) and self.left > 0:
                steps = self._before(self.best)
                rest = steps[:place] + steps[place + size :]
                found = self._fails(self.best.states[0], rest, self.best.failing)
                if found is not None and len(found.states) < len(self.best.states):
                    self.best, shorter = found, True
                else:
                    place += size
            if size == 1 and not shorter:
                return
            size = max(1, size // 2)
