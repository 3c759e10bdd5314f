"""The report of verify: each row with its outcome and its view, safeguards with their harm, and the gate's map."""

from __future__ import annotations

import json
import re
from collections import Counter

import reports

from cutproof.checks.cutover.gate.lattice import Decided
from cutproof.checks.engines.verdict import HOLDS
from cutproof.checks.pages import verifying
from cutproof.checks.pages.policies import the_map
from cutproof.checks.pages.viewed import Views
from cutproof.checks.views import html
from cutproof.model.cutover.policy import Strength, policies, sound_gate


def test_every_row_is_there_and_every_link_leads_somewhere() -> None:
    pages = reports.of_verify()
    index = pages["index.html"]
    rows = index.partition('<table id="rows">')[2].partition("</table>")[0]
    assert rows.count("<tr>") == len(reports.ROWS) + 1
    links = set(re.findall(r'href="(views/[^"]+)"', index)) | set(
        re.findall(r'"view":"(views/[^"]+)"', index)
    )
    assert links == pages.keys() - {"index.html"} and len(links) > 19
    assert all(html.MARK in pages[place] for place in links)
    for said in ("is not installed", "out of memory", "not run", "✗</span> no", "?</span> unknown"):
        assert said in rows


def test_the_heading_says_how_it_came_out() -> None:
    index = reports.of_verify()["index.html"]
    assert "<h1>Not verified: 5 of 8 results are as expected, 1 not, 1 unknown, 1 not run</h1>" in index
    good = verifying.files(reports.ROWS[:1], reports.ABOUT, "verified: all", HOLDS)["index.html"]
    assert "<h1>Verified: 1 of 1 results are as expected</h1>" in good
    assert 'id="gate"' not in good and 'id="removals"' not in good


def test_a_safeguard_is_told_with_what_is_lost_without_it() -> None:
    index = reports.of_verify()["index.html"]
    table = index.partition('<table id="removed">')[2].partition("</table>")[0]
    assert table.count("<tr>") == 4
    for said in ("<code>tombstones</code>", "resurrected delete", "a delta pass always compares", ">17</td>"):
        assert said in table


def test_the_map_is_what_the_gates_and_the_search_say() -> None:
    found = the_map(reports.decided(), Views())
    every = list(policies())
    assert len(found.squares) == len(every) == 2592
    for policy, square, decided in zip(every, found.squares, reports.decided(), strict=True):
        safe = [sound_gate(policy, strength) is None for strength in Strength]
        assert (square.worth == 0) is safe[0] is decided.strict
        assert (square.worth <= 1) is safe[1] is decided.eventual
        assert bool(square.clauses) is not safe[0]
    at = dict(zip(every, found.squares, strict=True))
    first = next(d for d in reports.decided() if not d.eventual)
    steps = dict(zip(found.properties, at[first.policy].steps, strict=True))
    assert {name: many for name, many in steps.items() if many} == first.steps
    assert len({c.letter for c in found.clauses}) == len(found.clauses)
    assert all(c.view for c in found.clauses) and sum(c.steps > 0 for c in found.clauses) > 15


def test_where_the_search_and_the_gate_differ_it_is_said() -> None:
    wrong = [*reports.decided()]
    wrong[0] = Decided(wrong[0].policy, {"no_lost_write": 3}, False)
    said = verifying.files(reports.ROWS[-1:], reports.ABOUT, "", HOLDS, lambda: wrong)["index.html"]
    assert "The search and the strict gate differ on 1." in said
    assert "exactly as safe as the strict gate says" in reports.of_verify()["index.html"]
    none = verifying.files(reports.ROWS[-1:], reports.ABOUT, "", HOLDS, list)["index.html"]
    assert "it needs the extra `fast`" in none
    data = json.loads(none.partition('id="data">')[2].partition("</script>")[0])
    assert Counter(square[1] for square in data["squares"]) == {0: 54, 1: 141, 2: 2397}
