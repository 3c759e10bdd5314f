"""Where a report may be written: a new folder, an empty one, one of ours; and it is there whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.pages.folder import MARK, check, replace
from cutproof.checks.views import html

PAGES = {"index.html": f"<!doctype html>\n{MARK}\n", "views/run.html": f"<!doctype html>\n{html.MARK}\n"}


def names(folder: Path) -> list[str]:
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())


def test_a_report_takes_the_place_of_a_report(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "report"
    replace(place, PAGES | {"views/other.html": PAGES["views/run.html"]})
    replace(place, PAGES)
    assert names(tmp_path) == ["deep/report/index.html", "deep/report/views/run.html"]
    assert [f.name for f in place.parent.iterdir()] == ["report"]


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    replace(tmp_path / "empty", PAGES)
    (tmp_path / "other").mkdir()
    replace(tmp_path / "other", PAGES)
    assert names(tmp_path / "other") == names(tmp_path / "empty") == [*PAGES]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes.txt", "mine"),
        ("index.html", "<!doctype html><title>my own page</title>"),
        ("views/mine.html", "<!doctype html>"),
        ("views/deep/run.html", html.MARK),
        ("more/run.html", html.MARK),
    ],
)
def test_what_is_not_ours_stays(tmp_path: Path, name: str, text: str) -> None:
    place = tmp_path / "report"
    replace(place, PAGES)
    mine = place / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text(text)
    before = names(tmp_path)
    for refused in (check, lambda at: replace(at, PAGES)):
        with pytest.raises(Wrong, match="which is not of a report; name another folder"):
            refused(place)
    assert names(tmp_path) == before and mine.read_text() == text


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for name in ("file", "nowhere"):
        with pytest.raises(Wrong, match="is not a folder"):
            check(tmp_path / name)
    with pytest.raises(Wrong, match="is not a folder"):
        check(tmp_path / "file" / "report")


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    replace(tmp_path / "link", PAGES)
    assert (tmp_path / "link").is_symlink() and names(tmp_path / "real") == [*PAGES]


def test_a_link_within_a_report_is_somebody_elses(tmp_path: Path) -> None:
    replace(tmp_path / "report", PAGES)
    (tmp_path / "report" / "views").rename(tmp_path / "elsewhere")
    (tmp_path / "report" / "views").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Wrong, match="holds views, which is not of a report"):
        replace(tmp_path / "report", PAGES)


def test_the_old_report_stays_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    place = tmp_path / "report"
    replace(place, PAGES)
    with pytest.raises(Wrong, match="report: "):
        replace(place, {"index.html": "new", "index.html/inside": "it cannot be both"})
    assert (place / "index.html").read_text() == PAGES["index.html"]
    assert [f.name for f in tmp_path.iterdir()] == ["report"]
