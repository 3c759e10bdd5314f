"""What the fixture `cutproof` of the pytest plugin gives: the instrument, with the options of the run. What it finds
fails the test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutproof.checks.drivers.finding import NotConforming
from cutproof.checks.protocols.load import Loaded, load
from cutproof.model.language.protocol import Protocol

if TYPE_CHECKING:  # what takes a while to import is imported where it is used
    from cutproof.checks.drivers.adapter import Adapter
    from cutproof.checks.drivers.driving.outcome import Driving
    from cutproof.checks.engines.exploration import Exploration

Model = Protocol | Loaded | str


class Found(NotConforming):
    """Something was found, or too little was looked at; `saved` is the file of it, or empty."""

    again = "cutproof replay tells it again"

    def __init__(self, lines: Iterable[str], saved: str = "") -> None:
        super().__init__("\n".join(lines), ())
        self.saved = saved


@dataclass
class Session:
    """Of one test. `folder` is where failures are written, `near` where files that are named are looked for first."""

    folder: Path
    near: Path
    scope: str
    part: tuple[int, int]
    runs: int | None
    seed: int
    seconds: float | None

    def model(self, text: str, **parameters: object) -> Loaded:
        """A protocol: `lease.py`, beside the test or below the current folder, `lease.py:NAME`, or a bundled one; with
        its parameters. Raises Wrong."""
        path, _, _ = text.partition(".py")
        beside = self.near / f"{path}.py"
        if text != path and not os.path.isabs(text) and beside.is_file():
            text = f"{self.near}{os.sep}{text}"
        if text == "cutover" and self.scope:
            parameters = {"scope": self.scope, **parameters}
        return load(text, parameters)

    def _loaded(self, model: Model) -> tuple[Protocol, dict[str, Any]]:
        given = self.model(model) if isinstance(model, str) else model
        if isinstance(given, Loaded):
            return given.protocol, dict(given.settings)
        return given, {}

    # -------------------------------------------------- what fails a test

    def explore(
        self, model: Model, *, properties: Iterable[str] | None = None, states: int | None = None
    ) -> Exploration:
        """Every interleaving; fails where a property is violated or not known. Of the shards of a test only the first
        does it."""
        from cutproof.checks.cli.reports.explorations import write_traces
        from cutproof.checks.engines.choose import explore_any
        from cutproof.checks.engines.exploration import Limits
        from cutproof.checks.engines.verdict import Violated, exit_code, line
        from cutproof.checks.traces.counterexample import trace_of

        protocol, settings = self._loaded(model)
        limits = Limits(states, self.seconds)
        names = None if properties is None else list(properties)
        found, _ = explore_any(protocol, limits=limits, properties=names)
        if not exit_code(found.verdicts):
            return found
        bad = [v for v in found.verdicts if isinstance(v, Violated)]
        told = [line(v) for v in (bad or found.verdicts)]
        paths = [replaced(v, settings) for v in bad if v.path is not None]
        files, conflict = write_traces(
            dict(enumerate(map(trace_of, paths))), self.folder, protocol.name, protocol
        )
        story = ["", *paths[0].story()] if paths else []
        raise Found([*told, *story, *([conflict] if conflict else [])], files.get(0, ""))

    def drive(
        self,
        model: Model,
        driver: Callable[[], Any],
        *,
        refusals: bool = True,
        steps: int = 100,
        states: int = 20_000,
    ) -> Driving:
        """Drive a program through the runs of a model: see docs/guides/drive.md. Fails for what is found, where the
        driver fails, where it was cut off, or drove nothing. Of the shards of a test each makes its share."""
        from cutproof.checks.cli.reports.drives import covered, write_trace
        from cutproof.checks.drivers.driving.drive import drive
        from cutproof.checks.drivers.driving.outcome import NotAsModelled
        from cutproof.checks.drivers.driving.recorded import trace_of

        protocol, settings = self._loaded(model)
        found = drive(
            protocol, driver, runs=self.runs, steps=steps, states=states, seconds=self.seconds, seed=self.seed,
            refusals=refusals, shard=self.part,
        )  # fmt: skip
        if found.failure is not None:
            trace = trace_of(found.walking, found.failure, found.name, {**settings, "seed": self.seed})
            file, conflict = write_trace(found, trace, self.folder)
            error = NotAsModelled(found.failure, found.walking, found.name, file)
            if conflict:
                error.args = (f"{error}\n{conflict}",)
            raise error
        if found.exit_code:
            raise Found([f"{found.outcome}: {found.ended}".removesuffix(": "), *covered(found)])
        return found

    def conform(self, adapter: type[Adapter]) -> Any:
        """Judge a store: see docs/verify-your-own.md. Fails for what is found, and where too little was exercised; of
        the shards of a test each makes its share of the runs. Returns the report."""
        from cutproof.checks.cli.reports.conformance import saved

        try:
            report = _check(adapter, self.seed, self.runs, self.seconds, self.part)
        except NotConforming as found:
            file, conflict = saved(found, self.folder)
            found.saved, found.again = file, "cutproof replay performs it again"  # type: ignore[attr-defined]
            if conflict:
                found.args = (f"{found}\n{conflict}",)
            raise
        if report.missing() or report.stopped:
            raise Found(str(report).splitlines())
        return report


def _check(
    adapter: type[Adapter], seed: int, runs: int | None, seconds: float | None, part: tuple[int, int]
) -> Any:
    """The one call of `conform`."""
    from cutproof.checks.cutover.conformance import conform

    return conform.check(adapter, seed=seed, runs=runs, seconds=seconds, part=part)


def replaced(verdict: Any, settings: dict[str, Any]) -> Any:
    """The verdict with the settings that its trace carries."""
    from dataclasses import replace

    return replace(verdict, settings=settings) if settings else verdict
