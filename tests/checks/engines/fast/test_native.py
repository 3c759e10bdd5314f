"""Compiled loops are called from what was kept of them: by numba once, and without it from then on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cutproof.checks.engines.fast.kernels import choice, kept, vectorised

if not choice.COMPILED:
    pytest.skip("numba is not installed, or switched off", allow_module_level=True)

from cutproof.checks.engines.fast.kernels import native
from cutproof.checks.engines.fast.kernels.signatures import GIVEN, TAKEN

BUILDING = "cutproof.checks.engines.fast.kernels.building"
NAMES = """
import sys
from cutproof.checks.engines.fast.kernels.choice import COMPILED, kernels
from cutproof.checks.engines.fast.visited import Visited
import numpy as np
visited = Visited(1)
visited.pour(np.array([[3, 5, 3], [1, 2, 4]], np.uint64))
print(COMPILED, "numba" in sys.modules, visited.seen, visited.rows)
"""


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is kept yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_later_process_does_not_import_numba(empty: Path) -> None:
    told = [subprocess.check_output([sys.executable, "-c", NAMES], text=True) for _ in range(2)]
    assert told == ["True True 3 2\n", "True False 3 2\n"]


def test_what_is_damaged_is_compiled_anew(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, scratch = np.array([7, 7, 9, 0], np.uint64), np.zeros(16, np.uint64)
    assert native.loops().distinct(words, scratch) == 3
    (file,) = files(empty)
    whole = file.read_bytes()
    with monkeypatch.context() as without_numba:
        without_numba.setitem(sys.modules, BUILDING, None)
        assert native.loops().distinct(words, scratch) == 3
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ImportError):
            native.loops().distinct(words, scratch)
    assert native.loops().distinct(words, scratch) == 3
    assert kept.read(file.parent, file.name) == whole[32:]
    assert files(empty) == [file]


def test_where_numba_cannot_be_imported_and_nothing_is_kept_there_are_no_loops(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, BUILDING, None)
    with pytest.raises(ImportError):
        native.loops()
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ImportError):
        native.Machine()


def test_other_arrays_than_a_loop_takes_are_refused() -> None:
    scratch = np.zeros(16, np.uint64)
    for words in (np.zeros(4, np.int64), np.zeros((2, 2), np.uint64), np.zeros(8, np.uint64)[::2]):
        with pytest.raises(TypeError):
            choice.kernels.distinct(words, scratch)


def test_arrays_that_come_after_others_at_the_same_place_are_not_taken_for_them() -> None:
    scratch = np.zeros(1 << 10, np.uint64)
    for size in [*range(1, 2 * native.MOST), 3]:
        assert choice.kernels.distinct(np.arange(size % 300, dtype=np.uint64), scratch) == size % 300


def test_each_loop_has_a_signature_and_a_namesake() -> None:
    assert set(vectorised.__all__) == set(TAKEN) >= set(GIVEN)
