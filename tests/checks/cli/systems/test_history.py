"""The command `cutproof history`."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.cli import main as cli

Row = tuple[int, str, str, str, Any]
WRITTEN: list[Row] = [(0, "invoke", "write", "x", 1), (0, "ok", "write", "x", 1)]
READ: list[Row] = [(0, "invoke", "read", "x", None), (0, "ok", "read", "x", 1)]
GONE: list[Row] = [(1, "invoke", "read", "x", None), (1, "ok", "read", "x", None)]
OTHER: list[Row] = [(2, "invoke", "add", "n", 1), (2, "info", "add", "n", 1)]
LATE: list[Row] = [
    (0, "invoke", "write", "y", 1), (0, "info", "write", "y", 1), (0, "invoke", "write", "y", 2),
    (0, "ok", "write", "y", 2), (0, "invoke", "read", "y", None), (0, "ok", "read", "y", 1),
]  # fmt: skip


def lines_of(rows: list[Row]) -> str:
    names = ("process", "type", "f", "key", "value")
    return "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)


@pytest.fixture
def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command on a history; its exit code, and what it says."""

    def run(rows: list[Row], *arguments: str) -> tuple[int, str]:
        file = tmp_path / "h.jsonl"
        file.write_text(lines_of(rows), "utf-8")
        code = cli.main(["history", str(file), *arguments])
        out, err = capsys.readouterr()
        assert err == ""
        return code, out.replace(str(file), "h.jsonl")

    return run


def test_a_history_that_has_an_order(judged: Any) -> None:
    assert judged(WRITTEN + READ) == (
        0,
        "h.jsonl: 2 operations on 1 key by 1 process\nvalid    x, 2 operations\nvalid: valid 1\n",
    )


def test_a_history_that_has_none(judged: Any) -> None:
    code, said = judged(WRITTEN + READ + GONE + OTHER)
    assert code == 12
    assert said.splitlines() == [
        "h.jsonl: 4 operations on 2 keys by 3 processes",
        "",
        "invalid  x, 3 operations",
        "lost acknowledged write: x: put #1 was acknowledged at line 2, and at line 6 process 1 reads nothing",
        "  #1  0  put 1  acknowledged  line 2  |==|",
        "  #5  1  get    -> nothing    line 6        |==|",
        "",
        "unread   n, 1 operation",
        "invalid: invalid 1, unread 1",
    ]


def test_the_two_readings_of_what_is_not_known(judged: Any) -> None:
    assert judged(LATE)[0] == judged(LATE, "--any-time")[0] == 0
    assert judged(LATE, "--versioned")[0] == 12


def test_a_history_that_says_nothing(judged: Any) -> None:
    code, said = judged(OTHER)
    assert code == 3
    assert said.endswith("unread: unread 1\n")
    assert judged([])[0] == 3


def test_what_is_too_much_is_unknown(judged: Any) -> None:
    many = [(p, "invoke", "add", "n", 3**p) for p in range(30)]
    code, said = judged([*many, (99, "invoke", "read", "n", None), (99, "ok", "read", "n", 3**29 + 2)],
                        "--max-configurations", "1000")  # fmt: skip
    assert code == 3
    assert "unknown  n, 31 operations: n: not decided within 1,000 configurations" in said


def test_as_json(judged: Any) -> None:
    code, said = judged(WRITTEN + GONE + OTHER, "--json")
    first, second, last = map(json.loads, said.splitlines())
    assert code == 12
    assert first["verdict"] == "invalid" and first["reason"].startswith("lost acknowledged write")
    assert first["part"] == [
        {"line": 1, "answered": 2, "process": "0", "asked": "put 1", "told": "acknowledged"},
        {"line": 3, "answered": 4, "process": "1", "asked": "get", "told": "-> nothing"},
    ]
    assert second["key"] == "n" and second["verdict"] == "unread"
    assert last["verdict"] == "invalid" and last["keys"]["invalid"] == 1


def test_the_worst_of_several_files_is_the_exit_code(judged: Any, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "good.jsonl").write_text(lines_of(WRITTEN + READ), "utf-8")
    assert judged(WRITTEN + GONE, str(tmp_path / "good.jsonl"))[0] == 12


def test_it_reads_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines_of(WRITTEN + READ).encode())))
    assert cli.main(["history", "-"]) == 0
    assert capsys.readouterr().out.startswith("stdin: 2 operations on 1 key by 1 process\n")


def test_many_keys_are_counted(judged: Any) -> None:
    rows = [(p, t, f, f"k{n}", v) for n in range(30) for p, t, f, _, v in (WRITTEN + (GONE if n else READ))]
    code, said = judged(rows)
    assert code == 12
    assert said.count("lost acknowledged write") == 20
    assert said.endswith("... and 9 keys more that are invalid or unknown; --json has them all\n"
                         "invalid: invalid 29, valid 1\n")  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([*WRITTEN, (0, "invoke", "append", "x", 1)],
         "key x: append, put on one key: it is a list or a register, not both"),
        ([*OTHER, (1, "invoke", "read", "n", None), (1, "ok", "read", "n", "a")],
         "key n: 'a' is no number, and this key is a counter"),
        (READ[1:], "h.jsonl:1: process 0 is answered, and has asked for nothing"),
    ],
)  # fmt: skip
def test_what_is_no_history_is_wrong_usage(
    rows: list[Row], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "h.jsonl").write_text(lines_of(rows), "utf-8")
    assert cli.main(["history", str(tmp_path / "h.jsonl")]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and reason in err


def test_names_that_no_file_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["history", "a\0b"]) == 2
    assert cli.main(["history", "none.jsonl"]) == 2
    assert "none.jsonl: No such file" in capsys.readouterr().err
