"""Reports of small runs as pages, each made once: of `verify` with every kind of row, of `loss`, of `conform`."""

from __future__ import annotations

import csv
from functools import cache

from places import DOCS

from cutproof.checks.cutover.gate.lattice import Decided
from cutproof.checks.cutover.loss.runs import Run
from cutproof.checks.cutover.loss.sample import Counts, Setup
from cutproof.checks.engines.verdict import HOLDS, SAFETY, UNKNOWN
from cutproof.checks.ladder.tasks import NOT_RUN, Row
from cutproof.checks.pages import verifying
from cutproof.checks.pages.parts import About
from cutproof.model.cutover.policy import policies

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"
ABOUT = About("cutproof verify", (("version", "0.1.0"), ("time", "3.0 s")))


def removed(harm: str, name: str, safeguard: str, states: int) -> Row:
    """A row in which a safeguard was taken away."""
    return Row(
        "counterexample", name, "base", "violated", HOLDS, (safeguard,), "violated", "no_lost_write", harm,
        trace=f"traces/{name}.itf.json", states=states, transitions=3 * states, depth=16, seconds=0.3,
        facts={"steps": 17},
    )  # fmt: skip


ROWS = (
    Row("scope", "base", "writes=2", "holds", HOLDS, states=12_239, transitions=42_345, depth=33, seconds=0.3),
    Row("scope", "kinds", HOSTILE, "violated", SAFETY, property="no_lost_write", harm="LAW", detail=HOSTILE),
    Row("scope", "crash", "crashes=1", "unknown", UNKNOWN, property="no_lost_write", detail="out of memory"),
    Row("proof", "confirmed", "", NOT_RUN, HOLDS, detail="cvc5 is not installed"),
    removed("LAW", "lost-write-without-delta_always", "delta_always", 7_290),
    removed("LU", "lost-update-without-copy_checks_version", "copy_checks_version", 9_385),
    removed("RD", "resurrected-delete-without-tombstones", "tombstones", 1_663),
    Row("gate", "strict", "", "holds", HOLDS),
)  # fmt: skip


@cache
def decided() -> tuple[Decided, ...]:
    """Every policy with its violations, as docs/policies.csv has them."""
    with (DOCS / "policies.csv").open(encoding="utf-8", newline="") as text:
        lines = list(csv.DictReader(text))
    first = [*lines[0]].index("sound_gate") + 1
    names = [*lines[0]][first:]
    steps = [{name: int(line[name]) for name in names if line[name]} for line in lines]
    found = zip(policies(), steps, lines, strict=True)
    return tuple(Decided(policy, mine, line["heals"] == "true") for policy, mine, line in found)


@cache
def of_verify() -> dict[str, str]:
    """The pages of these rows."""
    return verifying.files(ROWS, ABOUT, "not verified (exit code 12)", SAFETY, decided)


def loss_run(lost: int) -> Run:
    """A run of ten chunks, in which so many writes of each chunk are lost for good."""
    chunks = {n: counts(n, lost) for n in range(10)}
    total = Counts()
    for chunk in chunks.values():
        total += chunk
    return Run(Setup(seed=7), 10_000, total, 1.5, "", chunks)


def counts(number: int, lost: int) -> Counts:
    """What a chunk counts."""
    found = Counts(
        migrations=20, finished=20, attempts=20, writes=1_100, acknowledged=1_000, losing=min(lost, 20)
    )
    if lost:
        found.permanent["LAW"] = lost
        found.first = {"LAW": (20 * number, "n1")}
    return found
