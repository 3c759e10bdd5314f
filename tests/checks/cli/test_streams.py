"""stdin, stdout and stderr are not always there, or cannot be written: one line says so, or nobody is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f"{sys.executable} -m cutproof"


def run(line: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a line of a shell."""
    done = subprocess.run(
        ["sh", "-c", f"{COMMAND} {line}"], check=False, cwd=folder, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("protocols > /dev/full", 2, "cutproof: stdout: No space left on device\n"),
        ("--help > /dev/full", 2, "cutproof: No space left on device\n"),
        ("history none.jsonl 2> /dev/full", 2, ""),
        ("protocols <&- >&-", 0, ""),
        ("history - <&-", 3, ""),
    ],
)
def test_a_stream_that_is_full_or_closed_is_no_fault_of_ours(
    tmp_path: Path, line: str, code: int, said: str
) -> None:
    ended, _, complained = run(line, tmp_path)
    assert (ended, complained) == (code, said)


def test_what_is_said_on_a_closed_stream_is_not_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "h.jsonl").write_text('{"process":0,"type":"invoke","f":"read","key":1}\n')
    assert run("history h.jsonl --junitxml said.xml <&- >&- 2>&-", tmp_path)[0] == 3
    assert (tmp_path / "said.xml").read_text().startswith("<?xml")
    assert "operation on" not in (tmp_path / "said.xml").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h.jsonl", "said.xml"]


SIGNS = {
    "process": 0,
    "type": "invoke",
    "f": "write",
    "key": "\u043a\u043b\u044e \xe4 \U0001f600",
    "value": 1,
}


@pytest.mark.parametrize(
    "signs",
    ["PYTHONIOENCODING=ascii", "PYTHONIOENCODING=latin-1", "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"],
)
def test_a_stream_that_has_not_all_signs_gets_their_numbers(tmp_path: Path, signs: str) -> None:
    name = "\u043a\xe4.jsonl"
    (tmp_path / name).write_text(json.dumps(SIGNS), "utf-8")
    for line in (
        "history {} --json",
        "history {} --junitxml x.xml",
        "view {} --ascii",
        "view {} -o - > page.html",
    ):
        done = subprocess.run(
            ["sh", "-c", f"{signs} {COMMAND} {line.format(name)}"],
            check=False,
            cwd=tmp_path,
            capture_output=True,
        )
        assert (done.returncode, done.stderr) == (3 if line.startswith("history") else 0, b""), line
        if "--json" in line:
            assert json.loads(done.stdout.splitlines()[0])["key"] == SIGNS["key"]
    assert str(SIGNS["key"]) in (tmp_path / "page.html").read_text("utf-8")
