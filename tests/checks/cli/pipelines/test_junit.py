"""Cases as JUnit: what Jenkins' schema allows and nothing else, whatever stands in the texts."""

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.cli.pipelines.cases import BAD, FAILED, OUTCOMES, PASSED, SKIPPED, Case
from cutproof.checks.cli.pipelines.junit import junit

TIMES = {"tests", "failures", "errors", "time"}
ALLOWED = {  # by element: the attributes that it has here, all of them in the schema, and what may stand in it
    "testsuites": ({"name", *TIMES}, {"testsuite"}),
    "testsuite": ({"name", *TIMES, "skipped"}, {"testcase"}),
    "testcase": ({"name", "classname", "time"}, {"failure", "error", "skipped"}),
    "failure": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "skipped": ({"type", "message"}, set()),
}
hostile = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["</failure>", "]]>", "&amp;", "\x00\x1b[31m", "\ud800", "\ufffe", "\u202eabc", 'a"b', "\r\n"]
)
cases = st.lists(
    st.builds(
        Case, suite=hostile, name=hostile, outcome=st.sampled_from(OUTCOMES), said=hostile, again=hostile, file=hostile,
        line=st.integers(0, 99), seconds=st.floats(0, 1e4), details=st.lists(hostile, max_size=2).map(tuple),
    ), max_size=6,
)  # fmt: skip


@given(cases)
def test_the_file_is_what_the_schema_allows_and_counts_right(made: list[Case]) -> None:
    top = ElementTree.fromstring(junit("explore", made))
    for element in top.iter():
        attributes, inside = ALLOWED[element.tag]
        assert set(element.attrib) == attributes and {e.tag for e in element} <= inside
    assert [len(top.findall(f"*/*/{tag}")) for tag in ("failure", "error", "skipped")] == [
        sum(c.outcome == FAILED for c in made),
        sum(c.outcome in BAD and c.outcome != FAILED for c in made),
        sum(c.outcome == SKIPPED for c in made),
    ]
    assert (top.get("tests"), top.get("failures")) == (str(len(made)), str(len(top.findall("*/*/failure"))))
    assert len(top.findall("*/testcase")) == len(made)
    assert [len(suite) for suite in top] == [int(suite.get("tests", "")) for suite in top]


@given(cases)
def test_only_characters_of_xml_are_in_it(made: list[Case]) -> None:
    text = junit("explore", made).decode()
    assert all(
        c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" for c in text
    )


def test_a_failure_says_what_where_and_how_to_see_it_again() -> None:
    case = Case(
        "lease",
        "always one",
        FAILED,
        "violated  after\n2 steps",
        "cutproof replay 'a b'",
        "m.py",
        7,
        0.25,
        ("x",),
    )
    top = ElementTree.fromstring(junit("explore", [case, Case("lease", "sometimes", PASSED)]))
    [found] = top.findall("*/*/failure")
    assert found.get("message") == "violated after 2 steps"
    assert found.text == "violated  after\n2 steps\nm.py:7\nx\nagain: cutproof replay 'a b'"
    first, second = top.findall("*/testcase")
    assert (
        first.attrib == {"name": "always one", "classname": "explore.lease", "time": "0.250"}
        and len(second) == 0
    )
