"""Every stored trace, shown: it says what was promised, what became of it, by which step, and after which it was
inevitable, in words; and its lanes say how each one stands at the end."""

import re
from functools import cache
from pathlib import Path

import pytest
from places import TRACES

from cutproof.checks.cli.arguments import protocol_of_trace
from cutproof.checks.traces.trace import read
from cutproof.checks.views import html, make, mermaid, svg, text
from cutproof.checks.views.drawing import Drawing, check, standing_at

STORED = sorted(TRACES.glob("*.itf.json"))
each = pytest.mark.parametrize("file", STORED, ids=lambda file: file.name.removesuffix(".itf.json"))
AFTER = re.compile(r"It was inevitable (after step \d+ \(.+\), and not before|from the beginning)\.|"
                   r"It was never inevitable: ")  # fmt: skip


@cache
def drawn(file: Path) -> Drawing:
    trace = read(file)
    return make.of_trace(trace, protocol_of_trace(trace, str(file)), file.name)


@pytest.mark.sampled(10)
@each
def test_it_says_promise_loss_and_when_it_was_inevitable(file: Path) -> None:
    found = drawn(file)
    verdict, last = found.verdict, len(found.steps) - 1
    assert check(found) == ""
    assert verdict.promise.endswith(".") and len(verdict.promise.split()) > 4
    assert "nothing of document" not in verdict.promise  # nobody is promised nothing
    assert re.search(
        r"\b(lost|back|lacks|missing|less than|wrong|ever|no|never|any more)\b", verdict.loss, re.I
    ), verdict.loss
    assert "a read now asks" in verdict.loss and "holds" in verdict.loss
    assert verdict.since is not None and 0 <= verdict.since <= last
    assert re.search(r"^By step \d+ \(.+\)\.$|^From the beginning\.$|go round for ever", verdict.by), (
        verdict.by
    )
    assert AFTER.match(verdict.after), verdict.after
    assert verdict.inevitable is None or verdict.inevitable <= verdict.since
    assert dict(verdict.lasts).keys() == {lane.name for lane in found.lanes}
    assert "holds" in dict(verdict.lasts)["O"] and "holds" in dict(verdict.lasts)["N"]
    assert [row[0] for row in verdict.rows][:2] == ["at the end", "clients were told"]


@pytest.mark.sampled(10)
@each
def test_its_steps_have_lanes_arrows_and_choices(file: Path) -> None:
    found = drawn(file)
    assert all(step.lane >= 0 and step.sentence and step.call for step in found.steps[1:])
    choices: dict[int, int] = {}
    for step, then in zip(found.steps, found.steps[1:], strict=False):
        choices |= step.choices
        enabled = {found.calls[call] for call, guard in choices.items() if guard < 0}
        assert then.call in enabled  # what is done next could be done
    assert any(arrow.text for arrow in found.arrows) or not any("fence" in s.call for s in found.steps)
    assert standing_at(found, 0).keys() <= set(range(len(found.lanes)))


@pytest.mark.sampled(10)
@each
def test_it_is_drawn_in_every_form(file: Path) -> None:
    found = drawn(file)
    page = html.page([found])
    assert len(page.encode()) < 400_000 and "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert svg.svg(found).startswith("<svg ") and found.verdict.promise in svg.svg(found)
    assert mermaid.diagram(found).startswith("sequenceDiagram\n")
    for width in (40, 80, 100, 160):
        lines = text.lanes(found, width)
        assert any(line.startswith("Promise: ") for line in lines)
        assert max(map(len, lines)) <= max(width, 5 + 7 * len(found.lanes))


def test_a_lost_write_is_told_in_words_that_need_no_other() -> None:
    verdict = drawn(TRACES / "lost-write-without-fence_epoch.itf.json").verdict
    assert verdict.promise == "The client was told that write 1 of document 0 is saved."
    assert verdict.loss == (
        "Write 1 of document 0 is lost: N holds nothing of it. "
        "O holds write 1, N holds nothing; a read now asks N and shows nothing."
    )
    assert verdict.by == "By step 18 (The client is told that write 1 of document 0 succeeded)."
    assert verdict.inevitable == 15 and "Until then a run could avoid it" in verdict.after


def test_messages_are_late_lost_or_refused() -> None:
    kinds = set()
    for name in ("lost-write-without-command_epoch-late-wipe", "lost-write-without-drain_waits_for_applied",
                 "lost-write-gate-eventual-delta-one-copy", "lost-write-without-failed_page_is_retried"):  # fmt: skip
        for arrow in drawn(TRACES / f"{name}.itf.json").arrows:
            kinds |= {arrow.fate, "late" * arrow.late}
    assert {"arrives", "failed", "late", "under way"} <= kinds
