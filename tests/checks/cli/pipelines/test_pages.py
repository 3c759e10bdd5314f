"""`--html DIR` of the commands: a report beside what is printed, whatever came of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from places import DOCS

from cutproof.checks.cli.pipelines import cases, pages

STORE = f"{DOCS / 'examples' / 'judge_my_store.py'}"
MODEL = DOCS / "examples" / "atomic_commit.py"
LOSES = "skip_delta_pass=true,cleanup=immediate,anti_entropy=off"
RUNS = [
    (("verify", "--rung", "as written", "--workers", 1), 0, "Verified: 1 of 1 results are as expected"),
    (("verify", "--scope", "base", "--workers", 1), 0, "Verified: 1 of 1 results are as expected"),
    (("explore", MODEL), 0, "properties hold"),
    (("explore", MODEL, "--without-guard", "commit:all prepared"), 12, "1 of 2 properties are violated"),
    (("explore", MODEL, "--max-states", 2), 3, "0 of 2 properties hold"),
    (("conform", f"{STORE}:MendedAdapter", "--runs", 30), 0, "MendedAdapter: conforms"),
    (("loss", "--writes", "1e4", "--policy", LOSES, "--gate", "none"), 12, "writes are lost"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "title"), RUNS, ids=lambda v: str(v[:3]) if isinstance(v, tuple) else ""
)
def test_a_report_says_what_came_of_it(run, arguments, code, title, tmp_path: Path) -> None:
    found, out, err = run(*arguments, "--json", "--html", "report")
    assert found == code and err.endswith("report: report/index.html\n") and "report:" not in out
    index = (tmp_path / "report" / "index.html").read_text()
    assert title in index.partition("<h1>")[2].partition("</h1>")[0]
    links = set(re.findall(r'href="(views/[^"]+)"', index))
    assert links == {f"views/{f.name}" for f in (tmp_path / "report" / "views").glob("*")}


def test_a_failure_is_a_report_with_its_schedule(run, tmp_path: Path) -> None:
    code, _, err = run("conform", f"{STORE}:MyAdapter", "--html", "report")
    assert code == 12 and err.endswith("report: report/index.html\n")
    index = (tmp_path / "report" / "index.html").read_text()
    assert "MyAdapter: a promise was broken" in index and 'id="heat"' in index
    [view] = re.findall(r'href="(views/[^"]+)"', index)
    assert "Lost update in MyAdapter" in (tmp_path / "report" / view).read_text()


def test_what_is_somebody_elses_is_refused_before_the_run(run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    for command in (("verify",), ("explore",), ("loss",), ("conform", "impl")):
        code, out, err = run(*command, "--html", "mine")
        assert (code, out) == (2, "")
        assert "--html mine: holds notes.txt, which is not of a report; name another folder" in err


def test_the_command_is_told_without_where_reports_go() -> None:
    token = cases.typed.set(
        ["loss", "--html", "a b", "--writes", "1e3", "--junitxml=x", "--html=c", "--policy", "a b"]
    )
    try:
        about = pages.about(seed=7, scope="", seconds=1234.56)
    finally:
        cases.typed.reset(token)
    assert about.command == "cutproof loss --writes 1e3 --policy 'a b'"
    assert dict(about.more)["seed"] == "7" and dict(about.more)["time"] == "1,234.6 s"
