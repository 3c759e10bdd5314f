"""A failing schedule made short: steps are left out, one by one and two by two, and taken less often, as long as it
still fails in the same way. In the end no step, and no two, can be left out.

The schedule is a list of plain steps, performed anew on a fresh system each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

import msgspec

from cutproof.checks.cutover.conformance.steps import CLIENTS, Step, Steps
from cutproof.checks.drivers.finding import NotConforming

BUDGET = 3_000  # schedules that are tried at most
SEEDS = 12  # that are tried beside the one that failed
LAST = (4, 6, 8, 10, 13, 17, 22, 30, 40)  # so many of the last steps
SHORT = 40  # steps of which all pairs are tried

Fails = Callable[[int, Steps], NotConforming | None]


class Short:
    """The shortest that was met: the finding, its seed and its steps. `whole`: nothing was left untried."""

    def __init__(self, best: NotConforming, seed: int, steps: Steps, whole: bool) -> None:
        self.best, self.seed, self.steps, self.whole = best, seed, steps, whole


def shrink(
    steps: Steps,
    seed: int,
    fails: Fails,
    budget: int = BUDGET,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Short | None:
    """A short schedule that shows what these steps show; None if they don't fail again.

    `fails` says what a schedule finds with a seed. Only findings of the same class count. An interrupt ends it with
    what is short so far, as `out_of_time` does."""
    best = fails(seed, steps)
    if best is None:
        return None
    kind, tried, cut = type(best), {(seed, steps)}, list[tuple[int, Steps]]()

    def first(candidates: Iterable[tuple[int, Steps]]) -> bool:
        """Take the first of these that fails too; whether there is one."""
        nonlocal best, seed, steps
        for candidate in candidates:
            if candidate in tried or len(tried) >= budget:
                continue
            if out_of_time():
                tried.add(candidate)
                cut.append(candidate)
                return False
            tried.add(candidate)
            found = fails(*candidate)
            if found is not None and type(found) is kind:
                best, (seed, steps) = found, candidate
                return True
        return False

    # Leaving steps out changes what the seed draws afterwards, so other seeds are tried too: at first with the last
    # steps alone, where it mostly is, and again when nothing else can be left out.
    others = range(SEEDS)
    try:
        first((s, steps[-n:]) for n in LAST if n < len(steps) for s in (seed, *others))
        while (
            first((seed, c) for c in _shorter(steps))
            or first((seed, c) for c in _by_two(steps))
            or first((s, c) for c in _shorter(steps) for s in others)
            or first((seed, c) for c in _plainer(steps))
        ):
            pass
    except KeyboardInterrupt:
        cut.append((seed, steps))
    return Short(best, seed, steps, len(tried) < budget and not cut)


def _shorter(steps: Steps) -> Iterator[Steps]:
    """Candidates, the boldest first."""
    size = len(steps)
    while size:
        # From the end: what comes after the failure goes first.
        for end in range(len(steps), 0, -size):
            yield steps[: max(end - size, 0)] + steps[end:]
        size //= 2
    for i, step in enumerate(steps):
        before, after = steps[:i], steps[i + 1 :]
        if step.do == "advance":
            if after and after[0].do == "advance":
                yield (*before, _times(step, step.times + after[0].times), *after[1:])
            for fewer in sorted({1, step.times // 2, step.times * 3 // 4, step.times - 1}):
                if 0 < fewer < step.times:
                    yield (*before, _times(step, fewer), *after)
        if step.do == "delete":  # a put reads easier than a delete
            yield (*before, msgspec.structs.replace(step, do="put"), *after)
        if step.client not in ("", CLIENTS[0]) and step.do != "fault":
            yield (*before, msgspec.structs.replace(step, client=CLIENTS[0]), *after)


def _by_two(steps: Steps) -> Iterator[Steps]:
    """Two steps at once, wherever they are; or one, and another is taken less often: what alternates changes its turn
    with every step that is left out."""
    if len(steps) > SHORT:
        return
    for a, b in combinations(range(len(steps)), 2):
        yield steps[:a] + steps[a + 1 : b] + steps[b + 1 :]
    for a, step in enumerate(steps):
        if step.do != "advance" or step.times < 2:
            continue
        for b in range(len(steps)):
            if a != b:
                less = (*steps[:a], _times(step, step.times - 1), *steps[a + 1 :])
                yield less[:b] + less[b + 1 :]


def _plainer(steps: Steps) -> Iterator[Steps]:
    """The same with the first of the documents, the nearest node, the first role."""
    keys = sorted({step.key for step in steps if step.key})
    for key in keys:
        word, _, number = key.partition("-")
        for lower in range(int(number) if number.isdecimal() else 0):
            if (name := f"{word}-{lower}") not in keys:
                yield tuple(msgspec.structs.replace(s, key=name) if s.key == key else s for s in steps)
    for i, step in enumerate(steps):
        for plain in (msgspec.structs.replace(step, hop=1), msgspec.structs.replace(step, role=0)):
            if plain != step:
                yield (*steps[:i], plain, *steps[i + 1 :])


def _times(step: Step, times: int) -> Step:
    return msgspec.structs.replace(step, times=times)
