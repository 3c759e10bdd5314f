"""A plan or a schedule performed on a fresh system, from its start to its end, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cutproof.checks.cutover.conformance.ending import end
from cutproof.checks.cutover.conformance.lanes import Lanes
from cutproof.checks.cutover.conformance.planning.probe import Probe
from cutproof.checks.cutover.conformance.planning.script import Settle, To
from cutproof.checks.cutover.conformance.run import Run
from cutproof.checks.cutover.conformance.steps import SHARDS, Step
from cutproof.checks.drivers.adapter import Adapter
from cutproof.checks.drivers.finding import NotConforming


def perform(
    adapter: type[Adapter],
    script: Sequence[Step | To | Settle],
    seed: int,
    probe: Probe,
    *,
    shards: int = SHARDS,
    beside: bool = False,
    lanes: Lanes | None = None,
    brief: bool = False,
) -> tuple[Run | None, NotConforming | None]:
    """Perform it. The run (None where the system did not even start), and what was found, or None.

    `beside`: the oracle performs it too. `brief`: what was found is not told, which takes longer than to find it."""
    run, found = None, None
    try:
        run = Run(adapter, seed, shards)
        run.brief = brief
        if lanes is not None:
            run.watch = lanes.watch
        for one in script:
            if isinstance(one, Step):
                run.do(one)
            else:
                one.go(run)
        end(run, probe, beside)
    except NotConforming as error:
        found = error
    if run is not None:
        try:
            run.stop()
        except NotConforming as error:
            found = found or error
    return run, found


def again(adapter: type[Adapter], probe: Probe, shards: int) -> Callable[..., NotConforming | None]:
    """What performs steps again with a seed, for the shrinker."""

    def fails(seed: int, steps: Sequence[Step]) -> NotConforming | None:
        return perform(adapter, steps, seed, probe, shards=shards, brief=True)[1]

    return fails
