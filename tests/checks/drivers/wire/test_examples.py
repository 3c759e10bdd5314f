"""The smallest programs, in four languages: each converses, and is right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from places import DOCS

from cutproof.checks.drivers.adapter import Adapter, NotSupported
from cutproof.checks.drivers.wire.client import adapter_of

STORES = DOCS / "examples" / "wire"
NODES = ["node-0", "node-1", "node-2"]
KEYS = ["doc-1", "doc-2", "dök-3"]
CRATES = Path("/usr/share/cargo/registry")  # where Debian's librust-serde-json-dev puts them
MANIFEST = """
[package]
name = "store"
version = "1.0.0"
edition = "2021"
[dependencies]
serde_json = "1"
[profile.dev]
debug = 0
"""
CONFIGURATION = f"""
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "{CRATES}"
"""


def needs(program: str) -> str:
    """The path of a program; without it the test is skipped, and says so."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def go(folder: Path) -> list[str]:
    made = folder / "store"
    environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GO111MODULE": "off"}
    subprocess.run([needs("go"), "build", "-o", made, STORES / "store.go"], env=environment, check=True)
    return [str(made)]


def rust(folder: Path) -> list[str]:
    cargo = needs("cargo")
    if not any(CRATES.glob("serde_json-1.*")):
        pytest.skip("librust-serde-json-dev is not installed")
    for name, text in (
        ("Cargo.toml", MANIFEST),
        (".cargo/config.toml", CONFIGURATION),
        ("src/main.rs", (STORES / "store.rs").read_text("utf-8")),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    subprocess.run([cargo, "build", "--quiet", "--offline"], cwd=folder, check=True)
    return [str(folder / "target" / "debug" / "store")]


COMMANDS = {
    "store.py": lambda _: [sys.executable, str(STORES / "store.py")],
    "store.js": lambda _: [needs("node"), str(STORES / "store.js")],
    "store.go": go,
    "store.rs": rust,
}


@pytest.fixture(scope="session", params=COMMANDS)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Each of them as an adapter; what has to be compiled is compiled once."""
    folder = tmp_path_factory.mktemp("store")
    made = adapter_of(COMMANDS[request.param](folder), seconds=60)
    yield made
    made.close()
    shutil.rmtree(folder)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from(KEYS)),
        st.tuples(st.just("delete"), st.sampled_from(KEYS)),
        st.tuples(st.just("advance"), st.just("")),
        st.tuples(st.just("advance"), st.just("")),
        st.tuples(st.just("begin"), st.sampled_from(NODES)),
    ),
    max_size=40,
)


def converse(adapter: Adapter, steps: list[tuple[str, str]], shards: int) -> list[Any]:
    """Perform a schedule: every read shows the last write. Returns the phases."""
    adapter.start(NODES, shards, 1)
    held: dict[str, str] = {}
    owner, phases = NODES[0], []
    for number, (what, about) in enumerate(steps):
        if what == "put":
            held[about] = f"value-{number}"
            assert adapter.put(about, held[about]) == "acknowledged"
        elif what == "delete":
            held.pop(about, None)
            assert adapter.delete(about) == "acknowledged"
        elif what == "advance":
            moved = adapter.phase() != "idle"
            assert adapter.advance() is moved
        elif adapter.phase() == "idle" and about != owner:
            adapter.begin_migration(about)
            owner = about
            assert adapter.phase() != "idle"
        phases.append(adapter.phase())
        assert {key: adapter.get(key) for key in KEYS} == {key: held.get(key) for key in KEYS}
    adapter.stop()
    return phases


@given(steps=STEPS, shards=st.integers(1, 3))
@examples(day=25, night=500)
def test_a_store_is_right(store: Any, steps: list[tuple[str, str]], shards: int) -> None:
    assert converse(store(), steps, shards) == converse(store(), steps, shards)


def test_a_migration_has_small_steps_and_an_end(store: Any) -> None:
    steps = [("put", key) for key in KEYS] + [("begin", "node-1")] + [("advance", "")] * 12
    phases = converse(store(), steps, 2)
    assert phases[:3] == ["idle"] * 3
    assert phases[3:6] == ["copy"] * 3 and phases[-1] == "idle"


def test_what_it_has_not_it_says(store: Any) -> None:
    adapter = store()
    adapter.start(NODES, 2, 1)
    for call in (
        lambda: adapter.add("counter-1", 1),
        lambda: adapter.inject("cut", "node-0"),
        lambda: adapter.split(0),
        adapter.scan,
    ):
        with pytest.raises(NotSupported):
            call()
    adapter.heal()
    assert adapter.observe() == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_they_are_short(name: str) -> None:
    assert len((STORES / name).read_text("utf-8").splitlines()) < 60
    assert "cutproof" not in (STORES / name).read_text("utf-8").lower()


def test_no_example_is_left_out() -> None:
    assert sorted(path.name for path in STORES.iterdir()) == sorted(COMMANDS)
