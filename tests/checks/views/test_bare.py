"""Traces of other tools: what changed is shown, and what is missing is said."""

import json

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.traces.itf import TraceError
from cutproof.checks.views import bare, html, mermaid, svg, text
from cutproof.checks.views.drawing import check

APALACHE = {
    "#meta": {"format": "ITF", "description": "Created by a checker"},
    "vars": ["at", "bag", "n"],
    "states": [
        {"#meta": {"index": 0}, "at": {"#map": [["a", "idle"], ["b", "idle"]]}, "bag": {"#set": []}, "n": 1},
        {"at": {"#map": [["a", "busy"], ["b", "idle"]]}, "bag": {"#set": []}, "n": {"#bigint": "2"}},
        {
            "at": {"#map": [["a", "busy"], ["b", "idle"]]},
            "bag": {"#set": [{"#tup": ["m", {"kind": "ask"}]}]},
            "n": 2,
            "mbt::actionTaken": "send",
        },
    ],
}


def test_the_keys_of_maps_are_lanes() -> None:
    found = bare.of_bytes(json.dumps(APALACHE).encode(), "found.itf.json")
    assert [lane.name for lane in found.lanes] == ["a", "b", "shared"] and check(found) == ""
    assert found.steps[1].changes == ("at[a]: idle \u2192 busy", "n: 1 \u2192 2")
    assert found.steps[2].call == "send" and found.steps[2].lane == 2
    assert found.steps[2].standing[2] == (
        ("bag", "{(m, {kind: ask})}"),
        ("n", "2"),
        ("mbt::actionTaken", "send"),
    )
    assert any("--model FILE.py" in line for line in found.missing)
    assert "not known" in found.verdict.after and "does not say" in found.verdict.promise


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"states": []}', b'{"states": [1]}', b"[" * 100_000])
def test_what_is_no_trace_is_refused_with_one_line(data: bytes) -> None:
    with pytest.raises(TraceError) as error:
        bare.of_bytes(data, "odd.json")
    assert str(error.value).startswith("odd.json: ") and "\n" not in str(error.value)


VALUES = st.recursive(
    st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        | st.fixed_dictionaries(
            {"#map": st.lists(st.tuples(st.text(max_size=3), inner).map(list), max_size=3)}
        )
        | st.fixed_dictionaries({"#set": st.lists(inner, max_size=3)})
        | st.fixed_dictionaries({"#tup": st.lists(inner, max_size=3)})
    ),
    max_leaves=8,
)


@examples(25)
@given(st.lists(st.dictionaries(st.text(max_size=6), VALUES, max_size=4), min_size=1, max_size=5))
def test_any_states_are_drawn_in_every_form(states: list[dict[str, object]]) -> None:
    found = bare.of_bytes(json.dumps({"states": states}).encode(), "any")
    assert check(found) == "" and len(found.steps) == len(states)
    page = html.page([found])
    assert page.count("<script") == 2 and page.count("</script") == 2
    assert svg.svg(found).endswith("</svg>\n")
    assert all(line.startswith(("    ", "sequenceDiagram")) for line in mermaid.diagram(found).splitlines())
    assert all(line.isprintable() for line in text.lanes(found, 80))
