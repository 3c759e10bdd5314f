"""A failure as a trace: read again and performed it fails again; what it cannot be performed on is refused."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from commit_program import Driver, model
from mirror import Mirror, Wrong
from random_protocols import made, source

from cutproof.checks.drivers.driving.drive import drive
from cutproof.checks.drivers.driving.driver import InProcess
from cutproof.checks.drivers.driving.outcome import Driving, Failure
from cutproof.checks.drivers.driving.recorded import perform_again, trace_of
from cutproof.checks.drivers.driving.walking import Walking
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.plain.search import inside
from cutproof.checks.traces.replay import replay
from cutproof.checks.traces.trace import Step, Trace, TraceError, read, write

FAULTS = ["a majority is enough", "told to abort, stays prepared", "a second commit is an error"]


def driven(fault: str) -> tuple[Driving, Trace]:
    found = drive(model(), partial(Driver, fault), refusals=True)
    assert found.failure is not None
    return found, trace_of(found.walking, found.failure, found.name, {})


def again(trace: Trace, fault: str = "") -> Failure | None:
    subject = InProcess(partial(Driver, fault), model())
    return perform_again(trace, Walking(model(), subject.driven), subject)


@pytest.mark.parametrize("fault", FAULTS)
def test_it_fails_again_and_no_more_when_mended(fault: str, tmp_path: Path) -> None:
    found, trace = driven(fault)
    write(trace, tmp_path / "found.itf.json")
    kept = read(tmp_path / "found.itf.json")
    assert kept == trace
    assert replay(kept, model()).reproduced
    assert replace(again(kept, fault) or found.failure, run=found.failure.run) == found.failure
    assert again(kept) is None


def test_it_begins_where_it_began() -> None:
    for seed in range(200):
        protocol = made(source(seed))
        last = protocol.initials[-1]
        steps = inside(protocol, last)
        if len(protocol.initials) == 1 or explore(protocol, properties=[]).cut or not steps:
            continue
        wrong = partial(Mirror, protocol, Wrong(last, steps[-1][0], "refuses"))
        found = drive(protocol, wrong)
        assert found.failure is not None
        trace = trace_of(found.walking, found.failure, found.name, {})
        subject = InProcess(wrong, protocol)
        failed = perform_again(trace, Walking(protocol, subject.driven), subject)
        assert failed is not None
        assert failed.states[0] == found.failure.states[0] == last
        return


def test_what_cannot_be_performed_is_refused() -> None:
    _, trace = driven(FAULTS[0])
    other = replace(trace, meta=_with(trace, protocol="lease"))
    unknown = replace(trace, steps=(Step("prepair", {}), *trace.steps[1:]))
    forbidden = replace(trace, steps=(Step("obey_commit", {"rm": 0}), *trace.steps[1:]))
    allowed = replace(trace, meta=_with(trace, attempt=Step("abort", {})))
    for wrong, said in ((other, "'lease'"), (unknown, "no step that is driven"), (forbidden, "is not allowed"),
                        (allowed, "is allowed now")):  # fmt: skip
        with pytest.raises(TraceError, match=said):
            again(wrong)


def _with(trace: Trace, **changed: object) -> object:
    kept = {name: getattr(trace.meta, name) for name in trace.meta.__struct_fields__}
    return type(trace.meta)(**{**kept, **changed})
