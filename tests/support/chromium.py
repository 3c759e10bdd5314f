"""Chromium for tests of pages, where it is: one for a module. It has no network, and the pages need none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync"]  # fmt: skip
WHERE = ("/usr/bin/chromium", "/usr/bin/chromium-browser")


def chromium() -> str | None:
    """The program, or None."""
    return next(filter(None, map(shutil.which, WHERE)), None)


@contextmanager
def started() -> Iterator[Any]:
    """A browser of its own; the test is skipped where there is none."""
    program = chromium()
    if program is None:
        pytest.skip("Chromium is not there (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
