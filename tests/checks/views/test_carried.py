"""A drawing in a trace: the file alone is enough; what is no drawing is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from places import DOCS

from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.engines.verdict import Violated
from cutproof.checks.protocols.load import load
from cutproof.checks.traces.counterexample import trace_of
from cutproof.checks.traces.itf import TraceError
from cutproof.checks.traces.trace import from_bytes, read, to_bytes, write
from cutproof.checks.views import carried, make

LOADED = load(str(DOCS / "examples" / "leases.py")).without_guards(["arrive:not fenced off"])
FOUND = next(v for v in explore(LOADED.protocol).verdicts if isinstance(v, Violated) and v.form == "always")
TRACE = trace_of(FOUND)


def test_a_trace_carries_its_drawing_and_gives_it_back(tmp_path: Path) -> None:
    file = tmp_path / "leases.itf.json"
    write(carried.pictured(TRACE, LOADED.protocol), file)
    again = read(file)
    found, made = carried.of(again, "leases"), make.of_trace(TRACE, LOADED.protocol)
    assert found is not None
    assert (found.lanes, found.arrows, found.verdict) == (made.lanes, made.arrows, made.verdict)
    assert [(s.call, s.sentence, s.lane, s.choices, s.standing) for s in found.steps] == [
        (s.call, s.sentence, s.lane, s.choices, s.standing) for s in made.steps
    ]
    assert found.steps[1].state == {"holder[0]": "0", "left[0]": "2"} or "left[0]" in found.steps[1].state
    assert file.stat().st_size < 20_000


def test_a_trace_of_a_bundled_protocol_is_written_without() -> None:
    two_phase = load("two-phase-commit").protocol
    assert carried.pictured(TRACE, two_phase) is TRACE
    assert carried.of(TRACE, "bare") is None


def changed(**change: Any) -> bytes:
    whole = json.loads(to_bytes(carried.with_drawing(TRACE, LOADED.protocol)))
    whole["#meta"]["picture"].update(change)
    return json.dumps(whole).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lanes": 7}, "Expected `array`"),
        ({"steps": []}, "has no steps"),
        (
            {"arrows": [{"source": 0, "target": 99, "sent": 0, "arrives": 1, "text": ""}]},
            "an arrow is between lanes",
        ),
        (
            {"arrows": [{"source": 0, "target": 1, "sent": 5, "arrives": 1, "text": ""}]},
            "an arrow is between steps",
        ),
        (
            {"arrows": [{"source": 0, "target": 1, "sent": 1, "arrives": 1, "text": "", "fate": "eaten"}]},
            "eaten",
        ),
        ({"spans": [{"lane": -1, "begins": 0, "ends": 0, "text": ""}]}, "a span is of what is not there"),
        ({"loop": 99}, "a step is named that is not there"),
        ({"verdict": {"since": -1}}, "a step is named that is not there"),
        ({"steps": [{"lane": 44}]}, "step 0 is in lane 44"),
        ({"steps": [{"choices": {"0": 999}}]}, "step 0 has a choice that is not there"),
    ],
)
def test_what_is_no_drawing_is_refused(change: dict[str, Any], reason: str) -> None:
    trace = from_bytes(changed(**change), "file")
    with pytest.raises(TraceError, match=reason):
        carried.of(trace, "file")
