"""The pytest plugin: the fixture `cutproof`, the marker of that name, and options. See docs/guides/pytest.md.

It is loaded in every run of pytest where Cutproof is installed: so what takes a while to import is imported where it is
used, and a run that does not use it is as before.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cutproof.checks.testing.session import Session

NAME = "cutproof"
MARKER = (
    "cutproof(shards=1, runs=None, seed=0, seconds=None): how the fixture `cutproof` makes its runs in this test; with "
    "shards it is as many tests, each of its share of the runs"
)
TAKES = ("shards", "runs", "seed", "seconds")
FINDINGS = "cutproof.checks.drivers.finding"  # looked up where it was imported, and only there
SAVED = "cutproof saved"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; those of a marker go before them."""
    group = parser.getgroup(NAME, "Cutproof")
    group.addoption("--cutproof-runs", type=_positive, metavar="N", help="How many runs a test makes.")
    group.addoption(
        "--cutproof-seed", type=int, metavar="N", default=0, help="Run n of a seed is always the same."
    )
    group.addoption(
        "--cutproof-seconds", type=float, metavar="S", help="After so many a test is cut off, and fails."
    )
    group.addoption("--cutproof-shards", type=_positive, metavar="N", default=1,
                    help="Make every test that uses it into so many, for -n.")  # fmt: skip
    group.addoption(
        "--cutproof-scope", metavar="SCOPE", default="", help="Of the cutover: where a test names none."
    )
    group.addoption("--cutproof-trace", metavar="FOLDER", default="counterexamples",
                    help="Where failures are written.")  # fmt: skip


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError(text)
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each shard."""
    if NAME not in metafunc.fixturenames:
        return
    shards = _asked(metafunc.definition, metafunc.config)["shards"]
    if shards > 1:
        parts = [(i, shards) for i in range(shards)]
        metafunc.parametrize(NAME, parts, indirect=True, ids=[f"{i + 1}of{shards}" for i, _ in parts])


def _asked(item: pytest.Item | Any, config: pytest.Config) -> dict[str, Any]:
    """What the options say, and the marker of the test. Refuses what the marker does not take."""
    asked = {name: config.getoption(f"cutproof_{name}") for name in TAKES}
    for mark in reversed(list(item.iter_markers(NAME))):
        if mark.args or (strange := [name for name in mark.kwargs if name not in TAKES]):
            wrong = repr(mark.args[0]) if mark.args else strange[0]
            pytest.fail(
                f"mark.cutproof does not take {wrong}; it takes {', '.join(TAKES)} by name", pytrace=False
            )
        asked |= mark.kwargs
    if not isinstance(asked["shards"], int) or asked["shards"] < 1:
        pytest.fail(f"mark.cutproof(shards={asked['shards']!r}): is no number of tests", pytrace=False)
    return asked


@pytest.fixture
def cutproof(request: pytest.FixtureRequest) -> Session:
    """Drive programs, judge stores, explore models: what is found fails the test, and is saved."""
    from cutproof.checks.testing.session import Session

    asked = _asked(request.node, request.config)
    return Session(
        folder=request.config.rootpath / request.config.getoption("cutproof_trace"),
        near=request.path.parent,
        scope=request.config.getoption("cutproof_scope"),
        part=getattr(request, "param", (0, 1)),
        runs=asked["runs"], seed=asked["seed"], seconds=asked["seconds"],
    )  # fmt: skip


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What is found is told as it is, without the source of Cutproof between."""
    report = yield
    findings = sys.modules.get(FINDINGS)
    if findings is None or call.excinfo is None or not isinstance(call.excinfo.value, findings.NotConforming):
        return report
    error = call.excinfo.value
    saved = str(getattr(error, "saved", ""))
    if report.failed:
        again = [f"saved: {saved}: {error.again}"] if saved else []
        report.longrepr = "\n".join([str(error), "", *again, _where(item, call.excinfo)])
    if saved:
        report.user_properties.append((SAVED, saved))
    return report


def _where(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The line of the test."""
    lines = [entry.lineno + 1 for entry in excinfo.traceback if entry.path == item.path]
    name = item.nodeid.partition("::")[0]
    return f"{name}:{lines[-1]}" if lines else name


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name what was saved."""
    files: dict[str, str] = {}
    for report in terminalreporter.stats.get("failed", ()):
        for name, value in getattr(report, "user_properties", ()):
            if name == SAVED:
                files.setdefault(value, report.nodeid)
    if files:
        terminalreporter.section("cutproof: saved failures")
        for file, test in files.items():
            terminalreporter.write_line(f"{file}  ({test})")
