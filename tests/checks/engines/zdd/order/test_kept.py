"""What is kept of orders: read back as it was written, and nothing else is taken for one."""

from pathlib import Path

import pytest

from cutproof.checks.engines.zdd.order.kept import keep, order_in

NAMES = ["a", "b[1]", "c"]


def test_it_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "order.json"
    keep(file, ["c", "a", "b[1]"])
    assert order_in(file, NAMES) == ["c", "a", "b[1]"]
    assert [f.name for f in file.parent.iterdir()] == ["order.json"]
    assert order_in(file, [*NAMES, "d"]) is None


@pytest.mark.parametrize(
    "damage", ["", "[", "{}", "3", '["a"]', '["a", "b[1]", "c", "c"]', "[1, null]", "[" * 100_000, "\0"]
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "order.json"
    file.write_text(damage)
    assert order_in(file, NAMES) is None
    file.write_bytes(b"\xff\xfe")
    assert order_in(file, NAMES) is None


def test_a_folder_that_cannot_be_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keep(tmp_path / "file" / "order.json", NAMES)
    assert order_in(tmp_path / "file" / "order.json", NAMES) is None
    keep(None, NAMES)
    assert order_in(None, NAMES) is None
    assert order_in(tmp_path, NAMES) is None
