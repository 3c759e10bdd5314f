"""A failing schedule made short: steps are left out, and taken less often, as long as it still fails in the same way.

The schedule is a list of plain steps, performed anew on a fresh system each time. Hypothesis would shrink its own
draws, of which one may stand for a dozen steps; here each of the dozen can go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from cutproof.checks.cutover.conformance.run import Run, Step
from cutproof.checks.drivers.adapter import Adapter
from cutproof.checks.drivers.finding import NotConforming

BUDGET = 1_000  # schedules that are tried at most
SEEDS = 12  # that are tried beside the one that failed
LAST = (4, 6, 8, 10, 13, 17, 22, 30, 40)  # so many of the last steps

Steps = tuple[Step, ...]
Fails = Callable[[int, Steps], NotConforming | None]


def perform(adapter: type[Adapter], shards: int, seed: int, steps: Steps) -> NotConforming | None:
    """Perform a schedule on a fresh system, to the end; what was found, or None."""
    run, found = None, None
    try:
        run = Run(adapter, shards, seed, set())
        for step in steps:
            run.perform(step)
        run.end()
    except NotConforming as error:
        found = error
    try:
        if run is not None:
            run.stop()
    except NotConforming as error:
        found = found or error
    return found


def shrink(steps: Steps, seed: int, fails: Fails) -> NotConforming | None:
    """The finding of the shortest schedule that was met; None if these steps don't fail again.

    `fails` says what a schedule finds with a seed. Only findings of the same class count."""
    best = fails(seed, steps)
    if best is None:
        return None
    kind, tried = type(best), {(seed, steps)}

    def first(candidates: Iterable[tuple[int, Steps]]) -> bool:
        """Take the first of these that fails too; whether there is one."""
        nonlocal best, seed, steps
        for candidate in candidates:
            if candidate in tried or len(tried) >= BUDGET:
                continue
            tried.add(candidate)
            found = fails(*candidate)
            if found is not None and type(found) is kind:
                best, (seed, steps) = found, candidate
                return True
        return False

    # Leaving steps out changes what the seed draws afterwards, so other seeds are tried too: at first with the last
    # steps alone, where it mostly is, and again when nothing else can be left out.
    others = range(SEEDS)
    first((s, steps[-n:]) for n in LAST if n < len(steps) for s in (seed, *others))
    while first((seed, c) for c in _shorter(steps)) or first((s, c) for c in _shorter(steps) for s in others):
        pass
    return best


def _shorter(steps: Steps) -> Iterator[Steps]:
    """Candidates, the boldest first."""
    size = len(steps)
    while size:
        # From the end: what comes after the failure goes first.
        for end in range(len(steps), 0, -size):
            yield steps[: max(end - size, 0)] + steps[end:]
        size //= 2
    for i, (name, arguments) in enumerate(steps):
        if name == "write" and arguments[1]:
            yield (
                *steps[:i],
                ("write", (arguments[0], False)),
                *steps[i + 1 :],
            )  # a put reads easier than a delete
        if name != "advance":
            continue
        if i + 1 < len(steps) and steps[i + 1][0] == "advance":
            both = arguments[0] + steps[i + 1][1][0]
            yield (*steps[:i], ("advance", (both,)), *steps[i + 2 :])
        for fewer in sorted({1, arguments[0] // 2, arguments[0] * 3 // 4, arguments[0] - 1}):
            if 0 < fewer < arguments[0]:
                yield (*steps[:i], ("advance", (fewer,)), *steps[i + 1 :])
