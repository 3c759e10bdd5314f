"""Every stored trace is performed on the implementation, in the specification's states; what differs is said."""

from pathlib import Path
from typing import Any

import pytest
from places import TRACES

from cutproof.checks.cli.arguments import protocol_of_trace, settings_of
from cutproof.checks.cli.main import main
from cutproof.checks.cutover.reference.perform import perform
from cutproof.checks.traces.replay import Replay
from cutproof.checks.traces.trace import Trace, TraceError, read
from cutproof.impl.node import Replica

STORED = sorted(TRACES.glob("*.itf.json"))
SOME = TRACES / "lost-write-without-fence_epoch.itf.json"


def performed(trace: Trace, name: str = "trace") -> Replay:
    scope, policy, _ = settings_of(trace, name)
    return perform(trace, protocol_of_trace(trace, name), scope, policy, name)


@pytest.mark.parametrize("file", STORED, ids=lambda file: file.name.removesuffix(".itf.json"))
def test_every_trace_is_performed(file: Path) -> None:
    trace = read(file)
    result = performed(trace, file.name)
    assert result.reproduced, result.divergence
    said = result.checked.partition("and audits: ")[2]
    if trace.meta.property == "no_lost_write" and trace.meta.safeguards_removed != (
        "target_holds_no_replica",
    ):
        assert said.partition("; in vain")[0].endswith(
            f"lost: 1 {trace.meta.harm}"
        )  # counted by the implementation itself, at the owner


def test_there_are_traces() -> None:
    assert len(STORED) > 60


def test_where_the_implementation_does_otherwise_the_step_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replica, "is_fenced", lambda self, message: message.epoch < self.fence)
    result = performed(read(SOME))
    assert not result.reproduced
    assert result.divergence is not None
    assert result.divergence.reason.startswith("on the implementation what may happen next differs; only the")
    assert len(result.walked) == result.divergence.number - 1


def test_a_path_that_the_specification_refuses_is_not_performed() -> None:
    trace = read(SOME)
    shorter = Trace(trace.meta, trace.variables, trace.states[:-1], trace.steps[:-1])
    result = performed(shorter)
    assert not result.reproduced
    assert result.notes[-1].startswith("it was not performed")


def test_only_the_cutover_can_be_performed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import msgspec

    trace: Any = read(SOME)
    other = Trace(
        msgspec.structs.replace(trace.meta, protocol="barrier"), *(trace.variables, trace.states, trace.steps)
    )
    scope, policy, _ = settings_of(trace, "x")
    with pytest.raises(TraceError, match="only a cutover can be performed"):
        perform(other, protocol_of_trace(trace, "x"), scope, policy)


def test_the_command_says_on_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(SOME), "--on", "impl"]) == 0
    assert "the implementation performed it, in equal states" in " ".join(capsys.readouterr().out.split())
    assert main(["replay", str(SOME), "--on", "paper"]) == 2
    assert "a trace is replayed on model or on impl" in capsys.readouterr().err
    assert main(["replay", str(SOME), "--on", "impl", "--json"]) == 0
    assert '"on": "impl"' in " ".join(capsys.readouterr().out.split())
