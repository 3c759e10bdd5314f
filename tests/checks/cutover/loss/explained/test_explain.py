"""The first loss of each kind, as a trace that both replayers take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cutproof.checks.cli.arguments import protocol_of_trace, settings_of
from cutproof.checks.cutover.loss.against_exploration import setup_of
from cutproof.checks.cutover.loss.explained.explain import explain, trace_of
from cutproof.checks.cutover.loss.explained.minimize import NotCut
from cutproof.checks.cutover.loss.runs import Run, run
from cutproof.checks.cutover.loss.sample import CALM, NEAR, Counts, Rates, Setup, parse_mix
from cutproof.checks.cutover.reference.perform import perform
from cutproof.checks.cutover.safeguards.necessity import NECESSARY
from cutproof.checks.traces.trace import Trace, read, to_bytes
from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy

UNSAFE = Policy(skip_delta_pass=True, anti_entropy=AntiEntropy.OFF, cleanup=Cleanup.IMMEDIATE, replicas=False)
FAILING = Setup(
    UNSAFE, (), None, replace(CALM, failures=0.2), parse_mix("puts=1,updates=1,deletes=1"), each=60
)


def performed(trace: Trace) -> str:
    """Whether specification and implementation both do it, and what the audit says."""
    scope, policy, _ = settings_of(trace, "trace")
    result = perform(trace, protocol_of_trace(trace, "trace"), scope, policy)
    assert result.reproduced, result.divergence
    return result.checked


@pytest.fixture(scope="module")
def losing() -> Run:
    return run(FAILING, 2_000)


def test_every_kind_of_loss_is_explained(losing: Run, tmp_path: Path) -> None:
    said = explain(losing, tmp_path)
    assert sorted(said) == ["LAW", "LU", "RD"]
    for kind, file in said.items():
        trace = read(file)
        assert trace.meta.harm == kind
        assert f"lost: 1 {kind}" in performed(trace)
        assert trace.meta.policy["skip_delta_pass"] is True
        assert len(trace.steps) < 40
    assert explain(losing, tmp_path) == said  # the same bytes: nothing is in the way


def test_nothing_is_overwritten(losing: Run, tmp_path: Path) -> None:
    files = {kind: Path(file) for kind, file in explain(losing, tmp_path).items()}
    files["RD"].write_text("mine")
    said = explain(losing, tmp_path)
    assert "another file is there" in said["RD"] and said["LAW"] == str(files["LAW"])
    assert files["RD"].read_text() == "mine"
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert all(text.startswith("no trace: ") for text in explain(losing, blocked / "below").values())


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "name", ["lost-write-without-fence_epoch", "lost-update-without-delta_compares_versions"]
)
def test_a_loss_near_the_boundary_is_explained(name: str) -> None:
    experiment = next(e for e in NECESSARY if e.file == name)
    setup = setup_of(experiment)
    found = run(setup, 500)
    number, key = found.counts.first[experiment.harm]
    trace = trace_of(setup, number, key, experiment.harm)
    assert f"lost: 1 {experiment.harm}" in performed(trace)
    assert trace.meta.why == experiment.why
    assert to_bytes(trace) == to_bytes(trace_of(setup, number, key, experiment.harm))


def test_a_loss_that_is_none_has_no_trace() -> None:
    setup = Setup(Policy(replicas=False), rates=NEAR, traffic="boundary", scope="base")
    with pytest.raises(NotCut):
        trace_of(setup, 0, "doc-0", "LAW")
    nothing = Setup(Policy(replicas=False), rates=Rates(), each=20)
    found = Run(nothing, 1, Counts(first={"LAW": (0, "n1")}))
    said = explain(found, Path("nowhere"))["LAW"]
    assert said.startswith("no trace: ") and "the implementation departs from it, please report it" in said
    assert not Path("nowhere").exists()
