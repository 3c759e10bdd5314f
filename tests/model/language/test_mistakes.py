"""Every mistake of a protocol file is refused with its file and line, what is wrong and what to write instead."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from mistakes import MISTAKES, RIGHT

from cutproof.model.language import LanguageError
from cutproof.model.language.protocol import Protocol


def run(file: Path, text: str) -> Protocol:
    """What a protocol file makes, as if it had been imported."""
    file.write_text(text, encoding="utf-8")
    module = ModuleType(file.stem)
    exec(compile(text, str(file), "exec"), module.__dict__)
    protocol = module.protocol
    assert isinstance(protocol, Protocol)
    return protocol


def test_the_right_file_is_right(tmp_path: Path) -> None:
    protocol = run(tmp_path / "lock.py", RIGHT)
    assert [c.property for c in protocol.claims] == ["exclusive"]
    assert [p.name for p in protocol.invariants] == ["taken_by_somebody"]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_at_its_line(name: str, tmp_path: Path) -> None:
    text, line, said = MISTAKES[name]
    file = tmp_path / "lock.py"
    with pytest.raises(LanguageError) as caught:
        run(file, text)
    message = str(caught.value)
    assert message.startswith(f"{file}:{line}: "), message
    assert said in message
    assert len(message.splitlines()) <= 2
    what, _, remedy = message.removeprefix(f"{file}:{line}: ").partition("; ")
    assert what
    assert remedy


def test_a_file_may_be_called_as_a_module_of_python(tmp_path: Path) -> None:
    text, line, _ = MISTAKES["a place outside the index"]
    with pytest.raises(LanguageError, match=rf"queue\.py:{line}: "):
        run(tmp_path / "queue.py", text)


def test_a_return_may_be_none_where_it_is_said(tmp_path: Path) -> None:
    for body in (
        "    if node == 0:\n        return None\n    else:\n        return STEP",
        "    if node == 1:\n        return STEP\n    return None",
        "    if node == 1:\n        return STEP\n    return",
        "    match node:\n        case 0:\n            return None\n        case _:\n            return STEP",
        "    while True:\n        if node == 0:\n            return None\n        return STEP",
        "    try:\n        return STEP if node else None\n    finally:\n        pass",
    ):
        text = re.sub(r"    return when\(guard\(\"free.*", lambda _, b=body: b, RIGHT)
        text = text.replace("STEP", "when().then(taken=True)")
        found = run(tmp_path / "lock.py", text)
        assert [str(t) for t in found.transitions if t.action == "take"] == ["take(node=1)"], body


@pytest.mark.parametrize(
    "body",
    [
        "    if node == 1:\n        return STEP",
        "    if node == 1:\n        return STEP\n    else:\n        STEP",
        "    for i in range(node):\n        return STEP",
        "    match node:\n        case 1:\n            return STEP",
        "    while node:\n        return STEP",
        "    while True:\n        if node == 0:\n            break\n        return STEP",
        "    try:\n        node / node\n        return STEP\n    except ZeroDivisionError:\n        STEP",
        "    with open(__file__):\n        if node:\n            return STEP",
    ],
)
def test_an_end_without_a_return_is_seen(body: str, tmp_path: Path) -> None:
    text = re.sub(r"    return when\(guard\(\"free.*", lambda _: body, RIGHT)
    text = text.replace("STEP", "when().then(taken=True)")
    text = text.replace('"""Two nodes, one lock."""', f"__file__ = {str(tmp_path / 'lock.py')!r}")
    with pytest.raises(
        LanguageError, match=r"take (ends here and returns nothing|can end here without a return)"
    ):
        run(tmp_path / "lock.py", text)


def test_a_forgotten_return_is_seen_where_there_is_no_text() -> None:
    text, _, _ = MISTAKES["a forgotten return in an action"]
    with pytest.raises(LanguageError, match=r"take returns nothing; write return before its step"):
        exec(compile(text, "<typed in>", "exec"), ModuleType("typed").__dict__)


def test_a_mistake_is_told_alike_whatever_the_hash_seed(tmp_path: Path) -> None:
    file = tmp_path / "lock.py"
    file.write_text(MISTAKES["no such variable"][0], encoding="utf-8")
    said = {
        subprocess.run(
            [sys.executable, str(file)], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True,
            text=True, check=False,
        ).stderr
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(said) == 1
