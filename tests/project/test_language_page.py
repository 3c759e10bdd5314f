"""The page of the language: its examples are one file that runs, and it has every word."""

import re
from typing import Any

import pytest
from places import ROOT

from cutproof.model import language

PAGE = ROOT / "docs" / "reference" / "language.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What users of Python need and a protocol does not name: types of values, and what other modules use.
UNNAMED = {
    "Action", "Domain", "Family", "FamilyDomain", "Guard", "Kind", "Operand", "Property", "Step", "When", "complain",
    "conditions_of", "Changed", "Loss", "Now", "Run", "Taken",
}  # fmt: skip


def unnamed(text: str) -> list[str]:
    """The words that a text does not use in its examples."""
    words = [w for w in language.__all__ if callable(getattr(language, w, None)) and w not in UNNAMED]
    code = "".join(BLOCK.findall(text)) + "".join(re.findall(r"`[^`\n]+`", text))
    return [w for w in words if not re.search(rf"(@{w}\b|\b{w}\(|except {w}\b)", code)]


def run(text: str) -> dict[str, Any]:
    """The examples, one after the other, as one file whose lines are those of the page."""
    lines = [""] * len(text.splitlines())
    for found in BLOCK.finditer(text):
        first = text[: found.start(1)].count("\n")
        block = found[1].splitlines()
        lines[first : first + len(block)] = block
    space: dict[str, Any] = {"__name__": "language_page"}
    exec(compile("\n".join(lines) + "\n", str(PAGE), "exec"), space)
    return space


def test_the_examples_run() -> None:
    space = run(PAGE.read_text("utf-8"))
    assert {"lock", "moving", "sets", "rows", "votes", "leases"} <= set(space)


def test_every_word_has_an_example() -> None:
    assert unnamed(PAGE.read_text("utf-8")) == []


def test_a_missing_word_and_a_wrong_example_are_seen() -> None:
    text = PAGE.read_text("utf-8")
    assert unnamed(re.sub(r"\bkeep_first\b", "cut", text)) == ["keep_first"]
    with pytest.raises(AssertionError):
        run(text.replace("assert len(found.states) == 3", "assert len(found.states) == 4"))
    with pytest.raises(NameError):
        run(text.replace("smaller, total)", "smaller)", 1))
