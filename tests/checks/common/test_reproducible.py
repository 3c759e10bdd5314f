"""The same draws, whatever else is imported."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

from cutproof.checks.common.reproducible import same_draws


def drawn() -> list[int]:
    """What a derandomized test draws."""
    found: list[int] = []

    @settings(derandomize=True, database=None, max_examples=300)
    @given(st.integers(0, 10**6))
    def draw(number: int) -> None:
        found.append(number)

    draw()
    return found


def import_constants(folder: Path, name: str) -> None:
    """Import a module of the project's that has many numbers in it."""
    file = folder / f"{name}.py"
    file.write_text(f"NUMBERS = {list(range(1000, 2000))}\n", "utf-8")
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


@pytest.mark.skipif(not hasattr(providers, "_get_local_constants"), reason="this Hypothesis looks for none")
def test_an_import_changes_nothing(tmp_path: Path) -> None:
    with same_draws():
        before = drawn()
    import_constants(tmp_path, "plain_numbers")
    try:
        with same_draws():
            after = drawn()
        without = drawn()  # outside of `same_draws` Hypothesis does as it always does
    finally:
        del sys.modules["plain_numbers"]
    assert before == after
    assert without != before


def test_a_version_without_it_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(providers, "_get_local_constants")
    with same_draws():
        assert not hasattr(providers, "_get_local_constants")
