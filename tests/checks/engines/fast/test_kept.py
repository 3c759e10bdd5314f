"""What was compiled, on disk: whole, or as good as not there."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.checks.engines.fast.kernels import kept


@given(st.binary(max_size=50), st.data())
def test_what_was_changed_or_cut_off_or_renamed_is_as_good_as_not_there(
    data: bytes, draw: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept.write(folder, "loop_1", data)
        assert kept.read(folder, "loop_1") == data
        whole = (folder / "loop_1").read_bytes()
        assert os.listdir(folder) == ["loop_1"]
        (folder / "loop_2").write_bytes(whole)
        assert kept.read(folder, "loop_2") is None
        at = draw.draw(st.integers(0, len(whole) - 1))
        (folder / "loop_1").write_bytes(whole[:at])
        assert kept.read(folder, "loop_1") is None
        changed = bytes([whole[at] ^ draw.draw(st.integers(1, 255))])
        (folder / "loop_1").write_bytes(whole[:at] + changed + whole[at + 1 :])
        assert kept.read(folder, "loop_1") is None
        kept.write(folder, "loop_1", data)
        assert kept.read(folder, "loop_1") == data


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("", "utf-8")
    for folder in (None, file, tmp_path / "none"):
        kept.write(folder, "loop_1", b"data")
        assert kept.read(folder, "loop_1") is None
    (tmp_path / "taken").mkdir()
    kept.write(tmp_path, "taken", b"data")
    assert sorted(os.listdir(tmp_path)) == ["file", "taken"]


def test_a_folder_is_of_all_that_it_was_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    parts = [[b"1", b"2"], [b"12"], [b"1", b"3"], [b"2", b"1"], [b"1", b"2", b""]]
    folders = [kept.folder_for(made_of) for made_of in parts]
    assert len(set(folders)) == len(parts)
    assert kept.folder_for([b"1", b"2"]) == folders[0]
    long_ago = time.time() - kept.FORGOTTEN - 60
    for folder in folders:
        assert folder is not None
        kept.write(folder, "loop_1", b"data")
        os.utime(folder, (long_ago, long_ago))
    assert kept.read(kept.folder_for(parts[1]), "loop_1") == b"data"
    assert [folder for folder in folders if folder and folder.exists()] == [folders[1]]


def test_without_a_place_for_it_there_is_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert kept.folder_for([b"1"]) is None


def test_versions_of_what_is_not_installed() -> None:
    assert kept.version_of("numpy") == kept.version_of("numpy") != b""
    with pytest.raises(ImportError):
        kept.version_of("no_such_package")
