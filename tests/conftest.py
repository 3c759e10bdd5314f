"""Keep one copy of every module: only `cutproof.…` may be imported, never `model` or `checks`.

`python -m pytest` puts the current folder on `sys.path`. From the project root that
makes `import model` find the same files under a second name, with a second set of
classes that do not compare equal to the first. The root is taken off the path here,
before any test is collected, and the whole run fails if a second copy got in anyway.

Here too: that nothing is left behind in the temporary folder; which cases are of the night; a fixture that runs a
command; and how Hypothesis draws.
`ci` is what runs unless `--hypothesis-profile` says otherwise: the same examples each time, a few of them. `dev` draws
anew and keeps what failed, `nightly` has many more (`tests/support/examples.py`), and `mutation` does not shrink.
"""

import gc
import os
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import Phase, settings

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("model", "impl", "checks")


def without_root(entries: list[str]) -> list[str]:
    """The entries of a search path that do not lead to the project root ('' is the current folder)."""
    return [entry for entry in entries if Path(entry).resolve() != ROOT]


def top_level_copies() -> list[str]:
    """What is, or could be, imported by its bare folder name; empty when all is well."""
    loaded = [f"{name} is loaded" for name in sorted(sys.modules) if name.split(".")[0] in FOLDERS]
    return loaded + [f"{name} can be imported" for name in FOLDERS if PathFinder.find_spec(name)]


sys.path[:] = without_root(sys.path)
if os.environ.get("PYTHONPATH"):
    # Test workers hand their own search path down; programs started by tests must not get the root.
    os.environ["PYTHONPATH"] = os.pathsep.join(without_root(os.environ["PYTHONPATH"].split(os.pathsep)))

for name in ("COLUMNS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
    os.environ.pop(name, None)  # commands say as much wherever they are tested

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a script's `make test &`. Tests interrupt themselves and programs that they start: these are to hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "ci", derandomize=True, database=None, deadline=None, print_blob=True, max_examples=40
)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=1000)
settings.register_profile(
    "mutation", settings.get_profile("ci"), max_examples=100, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("ci")


def pytest_collection_finish() -> None:
    """What was imported stays: it need not be searched for cycles again and again."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def of_the_night(cases: list[tuple[str, int]]) -> list[bool]:
    """Which cases of one test, each with its name and the k of its marker, are left to the night: all but one in k,
    rounded up, so that something is always run by day. It hangs on the names alone: the same ones everywhere."""
    order = sorted(range(len(cases)), key=lambda i: (crc32(cases[i][0].encode()), cases[i][0]))
    place = {i: place for place, i in enumerate(order)}
    return [place[i] >= -(-len(cases) // k) for i, (_, k) in enumerate(cases)]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of many cases of one test, `sampled(k)` runs one in k by day, and all by `make nightly`."""
    together = defaultdict[str, list[tuple[pytest.Item, int]]](list)
    for item in items:
        if (mark := item.get_closest_marker("sampled")) is not None:
            together[item.nodeid.partition("[")[0]].append((item, mark.args[0]))
    for cases in together.values():
        for (item, _), left in zip(cases, of_the_night([(i.name, k) for i, k in cases]), strict=True):
            if left:
                item.add_marker(pytest.mark.nightly)


@pytest.fixture(scope="session", autouse=True)
def one_copy_of_every_module() -> Iterator[None]:
    """Fail the run when any test, at any time, let a second copy in."""
    yield
    assert top_level_copies() == []


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the run when a test, or a program that it started, leaves something in the temporary folder.

    Other programs use the real one meanwhile, so that each worker has a folder of its own for it."""
    folder = tmp_path_factory.mktemp("temporary")
    before, set_before = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir, os.environ["TMPDIR"] = str(folder), str(folder)
    yield
    tempfile.tempdir = before
    if set_before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = set_before
    # Python itself keeps its own folder for shared memory until the process ends.
    assert [p.name for p in sorted(folder.iterdir()) if not p.name.startswith("pymp-")] == []


@pytest.fixture
def find_top_level_copies() -> object:
    """The search itself, for the test that shows it finds something."""
    return top_level_copies


@pytest.fixture(scope="session")
def sample_by_day() -> object:
    """The choice itself, for the test that shows that no test is left out by day, and how many cases are."""
    return of_the_night


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in an empty folder: its exit code, and what it wrote to stdout and stderr."""
    from cutproof.checks.cli import main as cli

    monkeypatch.chdir(tmp_path)

    def running(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        return cli.main([str(a) for a in arguments]), *capsys.readouterr()

    return running
