"""What pages are put together from: nothing of a run is markup, and equal facts give equal bytes."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.pages.parts import (
    About,
    Column,
    Heading,
    Mark,
    code,
    joined,
    lines,
    link,
    page,
    section,
    table,
    viewing,
)

COLUMNS = (Column("what", choose=True), Column("many", number=True), Column("said", wide=True))


class Tags(HTMLParser):
    """Which tags a page has, and its texts outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.texts, self.attributes = list[str](), list[str](), list[str]()
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.texts.append(data)


def made(said: str) -> str:
    rows = [[said, 12_345, said], [Mark("bad", said), 1.0, code(said)]]
    inside = [table("t", said, COLUMNS, rows), lines([said, joined([said, link("views/a.html", said)])])]
    parts = [section("s", said, *inside, viewing("views/a.html", said), about=said)]
    heading = Heading(Mark("good", said), said, said)
    return page(heading, About(said, (("seed", said),)), parts, [("s", said), ("t", said)], {"said": said})


@given(st.text(alphabet=st.sampled_from("<>&\"'/!-ab=` \u202e\x1b\u2028"), min_size=1))
def test_nothing_of_a_run_is_markup(said: str) -> None:
    shown, plain = Tags(made(said)), Tags(made("plain"))
    assert shown.tags == plain.tags and shown.attributes == plain.attributes
    assert "\u202e" not in "".join(shown.texts) and "\x1b" not in "".join(shown.texts)


def test_a_table_tells_what_it_sorts_by() -> None:
    said = table("t", "some", COLUMNS, [["a", 12_345, Mark("unknown", "who knows")], ["b", 0.5, None]])
    assert '<td class="number" data-value="12345">12,345</td>' in said
    assert '<td class="wide" data-value="who knows">' in said and '<td class="wide"></td>' in said
    assert said.count('<th scope="row">') == 2
    assert "data-choose" in said and "data-number" in said


def test_equal_facts_give_equal_bytes() -> None:
    assert made("a") == made("a") != made("b")
