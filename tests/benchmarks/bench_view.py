"""How long a page of a long run takes until it can be used: `python tests/benchmarks/bench_view.py [STEPS...]`.

A row for each number of steps: seconds to make the page, its size, and the seconds from the call of a fresh window to
the second frame after the lanes are drawn; the median of five."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "support")]

from chromium import started  # noqa: E402
from long_runs import long_run  # noqa: E402

from cutproof.checks.views import html  # noqa: E402

TIMES = 5
FRAME = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def main(steps: list[int]) -> None:
    print(f"{'steps':>8} {'make s':>8} {'kB':>8} {'open s':>8}")
    with started() as browser, tempfile.TemporaryDirectory() as folder:
        for many in steps:
            run, file, opened = long_run(many), Path(folder) / f"{many}.html", []
            began = time.perf_counter()
            file.write_text(html.page([run]), encoding="utf-8")
            made = time.perf_counter() - began
            for _ in range(TIMES):
                with browser.new_context() as context:
                    page = context.new_page()
                    began = time.perf_counter()
                    page.goto(file.as_uri())
                    page.wait_for_selector("svg.lanes .number")
                    page.evaluate(FRAME)
                    opened.append(time.perf_counter() - began)
            size = file.stat().st_size / 1000
            print(f"{many:>8,} {made:>8.2f} {size:>8,.0f} {statistics.median(opened):>8.2f}", flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [20, 1_000, 10_000])
