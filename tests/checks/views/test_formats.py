"""Page, SVG, Mermaid and text, of runs whose every text is hostile; and what they say of arrows."""

import re
from xml.etree import ElementTree

import pytest
from long_runs import hostile_run, long_run
from ten_runs import drawings

from cutproof.checks.views import html, mermaid, svg, text
from cutproof.checks.views.drawing import Arrow, Drawing, Lane, Step, check


def one(**about: object) -> Drawing:
    steps = (Step(), Step("say()", "Ann says it.", 0), Step("hear()", "Bob hears it.", 1))
    return Drawing("t", "w", (Lane("ann"), Lane("bob")), steps, **about)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "run", [hostile_run(), *drawings().values()], ids=lambda run: re.sub(r"\W+", "-", run.title)
)
def test_an_image_is_well_formed_and_has_no_script(run: Drawing) -> None:
    root = ElementTree.fromstring(svg.svg(run))
    tags = {node.tag.removeprefix("{http://www.w3.org/2000/svg}") for node in root.iter()}
    assert tags <= {"svg", "style", "rect", "text", "line", "path", "circle", "g", "title"}
    assert not any(name.startswith("on") for node in root.iter() for name in node.attrib)


def test_the_data_of_a_page_cannot_end_its_script() -> None:
    data = html.page([hostile_run()]).partition('id="data">')[2].partition("</script>")[0]
    assert "<" not in data and ">" not in data and "&" not in data and "\u2028" not in data
    assert "\\u003c/script\\u003e" in data


def test_a_page_allows_its_own_script_alone() -> None:
    page = html.page([one()])
    assert "default-src 'none'" in page and "unsafe-inline" not in page and "unsafe-eval" not in page


def test_mermaid_reads_no_sign_of_a_text_as_its_own() -> None:
    for line in mermaid.diagram(hostile_run()).splitlines()[1:]:
        words = line.partition(": ")[2] or line.partition(" as ")[2]
        assert not re.search(r"[<>;\"`${}\[\]\\]", re.sub(r"#\d+;", "", words)), line
    assert mermaid.escaped("a;b #1 end") == "a#59;b #35;1 e#110;d"


def test_mermaid_has_a_note_where_a_message_is_sent_and_an_arrow_where_it_ends() -> None:
    run = one(arrows=(Arrow(0, 1, 1, 2, "hi", late=True), Arrow(0, 1, 1, None, "lost one", "under way")))
    assert mermaid.diagram(run).splitlines()[3:] == [
        "    Note over L0: 1. sends hi, to bob",
        "    Note over L0: 1. sends lost one, to bob",
        "    L0-->>L1: 2. hi (late)",
    ]


def test_text_has_a_letter_for_what_is_on_its_way() -> None:
    lines = text.lanes(one(arrows=(Arrow(0, 1, 1, 2, "hi"), Arrow(1, 0, 2, 2, "no", "refused"))), 100)
    assert lines[4:9] == [
        "   0         |               |        at the start",
        "   1         o-----------a   |        Ann says it.",
        "   2         |           a-->o        Bob hears it.",
        "             |X--------------|",
        "",
    ]


def test_how_far_two_runs_are_the_same() -> None:
    assert html.parting(long_run(5), long_run(5)) == "The two take the same 5 steps."
    assert html.parting(long_run(5), long_run(7)).endswith("goes on with the end, the other with throw(n=6).")
    assert html.parting(one(), long_run(2)).startswith("They part at the first step")


def test_a_drawing_that_points_to_nothing_is_found() -> None:
    assert check(one()) == ""
    assert check(one(arrows=(Arrow(0, 5, 1, 2, ""),))) == "an arrow is between lanes that are not there"
    assert check(one(loop=3)) == "a step is named that is not there"
