"""The screenshots of the documentation, docs/pictures: `python tests/checks/views/shots.py`, where Chromium is.

With `--look FOLDER` it writes ten runs at three widths, light and dark, to be looked at."""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "support")]

import reports  # noqa: E402
from chromium import started  # noqa: E402
from served import served  # noqa: E402
from ten_runs import drawings, stored  # noqa: E402

from cutproof.checks.pages import folder  # noqa: E402
from cutproof.checks.protocols.load import load  # noqa: E402
from cutproof.checks.views import html  # noqa: E402
from cutproof.checks.views.drawing import Drawing  # noqa: E402

MOST = 150_000  # bytes of a picture
WIDTHS = (360, 1024, 1600)


def shoot(browser: Any, runs: Sequence[Drawing], file: Path, width: int, height: int, **options: Any) -> None:
    """One picture of a page. `whole`: down to its end; `step`: chosen before; `dark`."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "run.html"
        written.write_text(html.page(runs), encoding="utf-8")
        scheme = "dark" if options.get("dark") else "light"
        with browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
            page = context.new_page()
            page.goto(written.as_uri())
            if "step" in options:
                page.keyboard.press("Home")
                for _ in range(options["step"]):
                    page.keyboard.press("ArrowRight")
            file.write_bytes(small(page.screenshot(full_page=bool(options.get("whole")))))


def shoot_map(browser: Any, file: Path) -> None:
    """The gate's policies, as a report of verify has them, with one that was pressed."""
    with tempfile.TemporaryDirectory() as place:
        folder.replace(Path(place) / "report", reports.of_verify())
        with browser.new_context(viewport={"width": 1560, "height": 900}) as context:
            page = context.new_page()
            page.goto((Path(place) / "report" / "index.html").as_uri())
            page.locator("td[data-square]").nth(18).click()
            page.locator("#gate").scroll_into_view_if_needed()
            page.evaluate("document.querySelector('#gate').scrollIntoView()")
            file.write_bytes(small(page.screenshot()))


def by_hand(browser: Any, file: Path, width: int, height: int) -> None:
    """A picture of a protocol explored by hand, after a jump to a violation."""
    loaded = load(str(ROOT / "docs" / "examples" / "leases.py")).without_guards(["arrive:not fenced off"])
    with (
        served(loaded) as server,
        browser.new_context(viewport={"width": width, "height": height}) as context,
    ):
        page = context.new_page()
        page.goto(server.address)
        page.get_by_role("button", name="Jump").click()
        page.locator(".broken li").first.wait_for()
        file.write_bytes(small(page.screenshot()))


def small(png: bytes) -> bytes:
    """The same picture in at most 256 colours: the most frequent ones, and of the others the nearest of those."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    place, packed = 8, b""
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        packed += png[place + 8 : place + 8 + length] if png[place + 4 : place + 8] == b"IDAT" else b""
        place += 12 + length
    pixels = _unfiltered(zlib.decompress(packed), width, height, 4 if kind == 6 else 3)[:, :, :3].reshape(
        -1, 3
    )
    colours, which, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-counts, kind="stable")[:256]].astype(int)
    nearest = np.array(
        [np.abs(kept - colour).sum(axis=1).argmin() for colour in colours.astype(int)], dtype=np.uint8
    )
    rows = np.hstack([np.zeros((height, 1), np.uint8), nearest[which.reshape(-1)].reshape(height, width)])
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", kept.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return png[:8] + b"".join(chunks)


def _unfiltered(data: bytes, width: int, height: int, size: int) -> Any:
    """The bytes of a picture, (height, width, size), of the rows of a PNG, each filtered in one of five ways."""
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + width * size)
    found = np.zeros((height + 1, width, size), int)
    for y in range(height):
        how, raw, above = rows[y, 0], rows[y, 1:].reshape(width, size).astype(int), found[y]
        if how in (0, 2):
            found[y + 1] = (raw + (above if how == 2 else 0)) % 256
        elif how == 1:
            found[y + 1] = np.cumsum(raw, axis=0) % 256
        else:
            left = corner = np.zeros(size, int)
            for x in range(width):
                guess = (left + above[x]) // 2 if how == 3 else _paeth(left, above[x], corner)
                left, corner = (raw[x] + guess) % 256, above[x]
                found[y + 1, x] = left
    return found[1:].astype(np.uint8)


def _paeth(left: Any, above: Any, corner: Any) -> Any:
    guess = left + above - corner
    far = np.abs(np.stack([guess - left, guess - above, guess - corner]))
    return np.choose(far.argmin(axis=0), [left, above, corner])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--look", type=Path, default=None, metavar="FOLDER")
    look = parser.parse_args().look
    with started() as browser:
        if look is not None:
            look.mkdir(parents=True, exist_ok=True)
            for name, run in drawings().items():
                for width in WIDTHS:
                    for dark in (False, True):
                        file = look / f"{name}-{width}{'-dark' * dark}.png"
                        shoot(browser, [run], file, width, 1000, dark=dark, whole=True)
            return 0
        into = ROOT / "docs" / "pictures"
        into.mkdir(exist_ok=True)
        lost = drawings()["lost-write"]
        shoot(browser, [lost], into / "lost-write.png", 1300, 1500, step=18)
        shoot(
            browser,
            [lost, stored("lost-write-without-drain_waits_for_applied")],
            into / "side-by-side.png",
            1600,
            900,
        )
        by_hand(browser, into / "by-hand.png", 1600, 900)
        shoot(browser, [drawings()["strangers"]], into / "leases-dark.png", 1200, 1000, dark=True)
        shoot_map(browser, into / "policies.png")
    large = [file.name for file in into.glob("*.png") if file.stat().st_size > MOST]
    print(
        f"{into}: {len(list(into.glob('*.png')))} pictures",
        *[f"too large: {name}" for name in large],
        sep="\n",
    )
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())
