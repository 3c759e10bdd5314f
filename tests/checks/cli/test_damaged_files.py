"""Files that were damaged: whatever is read of them, the command ends in a declared way, never by its own fault."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
from places import DOCS

from cutproof.checks.cli import main as cli
from cutproof.checks.traces.stored import FOLDER

DECLARED = {0, 1, 2, 3, 12, 13}
STRANGE = [
    b"\xff",
    b"\0",
    b"\x1b[2J",
    "\u202e".encode(),
    b'"',
    b"{",
    b"[",
    b"9" * 50,
    b"-1",
    b"1e400",
    b"true",
]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Some bytes turned, left out, doubled, moved or replaced, or the end cut off."""
    data = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2, 5])):
        at = draw.randrange(len(data) + 1)
        length = min(draw.choice([1, 1, 4, 40, 400]), len(data) - at)
        part = bytes(data[at : at + length])
        kind = draw.choice(["bit", "cut", "double", "end", "put", "digit"])
        if kind == "bit" and length:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == "cut":
            del data[at : at + length]
        elif kind == "double":
            data[at:at] = part
        elif kind == "end" and draw.random() < 0.2:
            del data[at:]
        elif kind == "put":
            data[at : at + draw.choice([0, length])] = draw.choice(STRANGE)
        elif digits := [i for i, byte in enumerate(data) if chr(byte).isdigit()]:
            data[draw.choice(digits)] = draw.choice(b"0123456789")
    return bytes(data)


def commands(kind: str, folder: Path, draw: random.Random) -> tuple[Path, list[str]]:
    """A whole file of the kind in a folder, and the command that reads it."""
    if kind == "trace":
        file = Path(shutil.copy(draw.choice(sorted(FOLDER.glob("*.itf.json"))), folder / "t.itf.json"))
        return file, ["replay", "--max-states", "1000", str(file)]
    if kind == "policy":
        file = Path(shutil.copy(draw.choice(sorted((DOCS / "examples").glob("*.toml"))), folder / "p.toml"))
        return file, ["gate", str(file)]
    return folder, []


@pytest.mark.parametrize("kind", ["trace", "policy"])
@pytest.mark.parametrize("number", [20, pytest.param(5000, marks=pytest.mark.nightly)])
def test_a_damaged_file_ends_in_a_declared_way(
    kind: str, number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(number):
        draw = random.Random(seed)
        file, command = commands(kind, tmp_path, draw)
        file.write_bytes(damaged(file.read_bytes(), draw))
        code = cli.main(command)
        out, err = capsys.readouterr()
        assert code in DECLARED, (seed, err)
        assert all(c.isprintable() or c == "\n" for c in out + err), (seed, out, err)
        assert "Traceback" not in err and (code != 2 or err.count("\n") == 1), (seed, err)


@pytest.mark.parametrize("number", [5, pytest.param(1000, marks=pytest.mark.nightly)])
def test_a_damaged_search_is_refused_or_gives_the_same_answer(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = tmp_path / "whole"
    assert cli.main(["explore", "--scope", "writes=1", "--resume", str(whole)]) == 0
    told = capsys.readouterr().out.split("out-degree")[0]
    names = sorted(f.name for f in whole.iterdir() if f.suffix in (".json", ".npy"))
    for seed in range(number):
        draw = random.Random(seed)
        folder = tmp_path / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(whole, folder)
        file = folder / draw.choice(names)
        file.write_bytes(damaged(file.read_bytes(), draw))
        code = cli.main(["explore", "--scope", "writes=1", "--resume", str(folder)])
        out, err = capsys.readouterr()
        assert code == 2 or (code == 0 and out.split("out-degree")[0] == told), (seed, file, code, err)
        assert "Traceback" not in err
