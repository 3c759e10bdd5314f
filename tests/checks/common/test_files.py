"""Files that users name: ordinary ones are read, others are refused at once."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.common.files import content, ordinary, why_no_folder
from cutproof.checks.common.refusals import LINE, WORD, Wrong, one_line, plain


@pytest.mark.parametrize("limit", [3, 4])
def test_an_ordinary_file_is_read_up_to_a_limit(tmp_path: Path, limit: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"1234")
    if limit < 4:
        with pytest.raises(OSError, match="holds 4 bytes; it may have 3 at most"):
            content(file, limit)
    else:
        assert content(file, limit) == b"1234"


def test_what_would_be_waited_for_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as there:
        there.bind(str(tmp_path / "socket"))
    for file, said in {
        tmp_path: "is a folder", tmp_path / "pipe": "is a pipe", tmp_path / "socket": "is a socket",
        Path("/dev/zero"): "is a device", Path("/dev/null"): "is a device",
    }.items():  # fmt: skip
        for reading in (ordinary, lambda path: content(path, 99)):
            with pytest.raises(OSError) as refused:
                reading(file)
            assert str(refused.value).startswith(said)


def test_a_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.rglob("*"))
    assert why_no_folder(tmp_path / "a" / "b") == why_no_folder(tmp_path) == ""
    assert why_no_folder(tmp_path / "file") == "is not a folder"
    assert why_no_folder(tmp_path / "file" / "below") and why_no_folder(Path("/proc/none"))
    assert why_no_folder(tmp_path / "a\0") == "is a name that no folder can have"
    assert sorted(tmp_path.rglob("*")) == before


@given(st.text() | st.text("\x1b\u202e\u2066\r\n\0a "))
def test_a_refusal_is_one_line_that_a_terminal_prints_as_it_is(text: str) -> None:
    for said in (one_line(text), str(Wrong(text)), plain(text)):
        assert said.isprintable()
    assert plain("an é") == one_line("an é") == "an é"


@given(st.integers(1, 10**6), st.integers(1, 3))
def test_a_refusal_has_an_end_whatever_it_repeats(letters: int, words: int) -> None:
    said = one_line(" ".join(["x" * letters] * words) + " is no such thing")
    assert len(said) <= LINE and said.endswith("is no such thing")
    assert len(said) <= words * (WORD + 101) + 20 and len(plain("x" * letters)) <= 60
