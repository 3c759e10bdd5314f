"""The file of a loss run: whole at any moment, refused where it is not ours, never overwritten by another run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from cutproof.checks.cutover.loss.run_file import VERSION, RunFile, _digest, _File
from cutproof.checks.cutover.loss.runs import do_chunk
from cutproof.checks.cutover.loss.sample import CALM, Counts, Setup

SETUP = Setup(each=20)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    run_file = RunFile(path, SETUP, 20)
    run_file.add(1, do_chunk(SETUP, 1, 20))
    run_file.add(0, do_chunk(SETUP, 0, 20))
    return path


def test_chunks_come_back_as_they_were(file: Path) -> None:
    found = RunFile(file, SETUP, 20)
    assert found.chunks == {0: do_chunk(SETUP, 0, 20), 1: do_chunk(SETUP, 1, 20)}
    before = file.read_bytes()
    found.write()
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (replace(SETUP, seed=1), "of another run: its seed is 0, not 1"),
        (replace(SETUP, each=21), "its each is 20, not 21"),
        (replace(SETUP, rates=CALM), "its rates is"),
        (replace(SETUP, without=("fence_epoch",)), 'its without is [], not ["fence_epoch"]'),
    ],
)
def test_a_file_of_another_run_is_refused(file: Path, other: Setup, says: str) -> None:
    before = file.read_bytes()
    with pytest.raises(ValueError, match="of another run") as refused:
        RunFile(file, other, 20)
    assert says in str(refused.value)
    assert file.read_bytes() == before


def test_chunks_of_another_size_are_another_run(file: Path) -> None:
    with pytest.raises(ValueError, match=r"counts its migrations 20 at a time, and a run .* 10 at a time"):
        RunFile(file, SETUP, 10)


def broken(change: Any) -> Any:
    """The text, changed and given the digest of what it then holds: made by hand, and not damaged."""

    def made(text: str) -> str:
        found = json.loads(text)
        change(found)
        try:
            kept = msgspec.convert(found, _File, strict=False)
            return msgspec.json.encode(msgspec.structs.replace(kept, digest=_digest(kept))).decode()
        except msgspec.ValidationError:
            return json.dumps(found)

    return made


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: json.dumps({"version": VERSION}),
        broken(lambda f: f.update(more=1)),
        broken(lambda f: f["chunks"]["0"].update(writes="many")),
        broken(lambda f: f["chunks"]["0"].update(permanent={"LAW": 1})),
        broken(lambda f: f["chunks"]["0"].update(in_vain={"write": 1})),
        broken(lambda f: f["chunks"]["0"].update(writes=-1)),
        broken(lambda f: f["chunks"]["0"].update(acknowledged=10**9)),
        broken(lambda f: f["chunks"]["0"]["permanent"].update(LAW=10**6)),
        broken(lambda f: f["chunks"]["0"].update(losing=21)),
        broken(lambda f: f["chunks"]["0"].update(steps=10**30)),
        broken(lambda f: f["chunks"]["0"].update(refused=10**6)),
        broken(lambda f: f["chunks"]["0"].update(migrations=19)),
        broken(lambda f: f["chunks"]["0"].update(first={"STK": [1, "a"]})),
        broken(lambda f: f["chunks"]["0"].update(first={"LAW": [-1, "a"]})),
        broken(lambda f: f["chunks"].update({"-1": f["chunks"]["0"]})),
        broken(lambda f: f["chunks"].update({"x": f["chunks"]["0"]})),
    ],
)
def test_what_is_no_file_of_a_run_is_refused(file: Path, change: Any) -> None:
    text = change(file.read_text())
    file.write_text(text)
    with pytest.raises(ValueError, match="is not a file of a loss run") as refused:
        RunFile(file, SETUP, 20)
    assert "\n" not in str(refused.value)
    assert file.read_text() == text


def test_another_version_is_refused(file: Path) -> None:
    """The older one too, which had no digest: in one line, and it is left as it is."""
    for version in (*range(1, VERSION), VERSION + 1):
        text = json.dumps({**json.loads(file.read_text()), "version": version, "more": 1})
        file.write_text(text)
        with pytest.raises(
            ValueError, match=f"is of version {version}; this program reads version {VERSION}"
        ):
            RunFile(file, SETUP, 20)
        assert file.read_text() == text


def damaged(data: bytes, draw: Random) -> bytes:
    """One byte changed (a digit by another one, half of the time), left out, or there twice; or the end is missing."""
    place = draw.randrange(len(data))
    digits = [i for i, byte in enumerate(data) if byte in b"0123456789"]
    if draw.random() < 0.5:
        place = draw.choice(digits)
        return data[:place] + draw.choice(b"0123456789").to_bytes() + data[place + 1 :]
    ways = [data[:place], data[:place] + data[place + 1 :], data[: place + 1] + data[place:],
            data[:place] + (data[place] ^ 1 << draw.randrange(8)).to_bytes() + data[place + 1 :]]  # fmt: skip
    return draw.choice(ways)


@pytest.mark.parametrize("times", [100, pytest.param(5_000, marks=pytest.mark.nightly)])
def test_a_damaged_file_is_refused_or_says_the_same(file: Path, times: int) -> None:
    whole, draw = file.read_bytes(), Random(times)
    chunks = RunFile(file, SETUP, 20).chunks
    for _ in range(times):
        data = damaged(whole, draw)
        file.write_bytes(data)
        try:
            assert RunFile(file, SETUP, 20).chunks == chunks
        except ValueError as refused:
            assert "\n" not in str(refused)
        assert file.read_bytes() == data


def test_one_digit_of_a_count_is_noticed(file: Path) -> None:
    found = json.loads(file.read_text())
    found["chunks"]["0"]["acknowledged"] -= 1
    file.write_text(json.dumps(found))
    with pytest.raises(ValueError, match="is damaged"):
        RunFile(file, SETUP, 20)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder"):
        RunFile(tmp_path, SETUP, 20)
    with pytest.raises(ValueError, match="there is no such folder"):
        RunFile(tmp_path / "none" / "run.json", SETUP, 20)


def test_a_file_that_cannot_be_written_leaves_nothing_beside(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = file.read_bytes()
    run_file = RunFile(file, SETUP, 20)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        run_file.add(7, Counts())
    assert file.read_bytes() == before
    assert [p.name for p in file.parent.iterdir()] == ["run.json"]
