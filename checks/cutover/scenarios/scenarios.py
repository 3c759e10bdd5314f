"""The seed's nineteen chaos scenarios as data (protocol §8): what is written when, what fails, what must be shown.

One replica of each shard unless a scenario says otherwise: once the source is deleted nothing is left to repair from.
N is the node, or the nodes, that the shards move to. `runner.py` runs them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from enum import Enum

from cutproof.model.cutover.mechanisms import AntiEntropy, Cleanup
from cutproof.model.cutover.policy import Policy

PREFIX = "cutover_chaos_"


class Form(Enum):
    """What clients write: the seed's puts with distinct ids, or updates and deletes among them."""

    PURE = "pure"
    MIXED = "mixed"


class When(Enum):
    """When a burst is written. The first seven come one after the other, the last two go along with all of them."""

    COPYING = "while copying"
    CUT_OFF = "while copying, N cut off"
    COPY_ENDS = "as the copy of each shard ends"  # so many for each shard
    COPIED = "after the copy, before the seal"
    SEALING = "when sealed, before the drain"
    DRAINING = "while draining"  # from SEAL to DELTA
    ACTIVATED = "after activation"
    AFTER_CRASH = "after the crash of the coordinators"
    TRANSITIONS = "at every transition"  # so many whenever the phase of a shard changes
    THROUGHOUT = "throughout"  # so many whenever a coordinator has done something


ALONG = frozenset({When.TRANSITIONS, When.THROUGHOUT, When.AFTER_CRASH})


@dataclass(frozen=True)
class Burst:
    """`count` writes. Of their deliveries to N every `every`-th fails (0: none), or a share of those of each shard,
    `rates`; of the clients that wait for a sealed shard every `gives_up`-th gives up."""

    count: int
    when: When
    every: int = 0
    rates: tuple[float, ...] = ()
    gives_up: int = 0

    @property
    def failing(self) -> bool:
        """Some deliveries fail."""
        return self.every > 0 or bool(self.rates)

    def __str__(self) -> str:
        nth = {1: "every", 2: "every 2nd"}.get(self.every, f"every {self.every}th")
        fails = f" ({nth} fails)" if self.every else ""
        rates = f" ({', '.join(f'{r:.0%}' for r in self.rates)} of a shard's fail)" if self.rates else ""
        return f"{self.count:,} {self.when.value}{fails}{rates}"


@dataclass(frozen=True)
class Scenario:
    """One row of the table. `before` documents are there when the migration begins; `passes` are the steps between two
    anti-entropy passes, `pages` cuts the key space; `gate` None is bypassed."""

    number: int
    name: str
    anti_entropy: AntiEntropy
    delta: bool
    before: int
    traffic: tuple[Burst, ...]
    shards: int
    claim: str  # what the seed claims
    shows: str  # what must be shown
    cleanup: Cleanup = Cleanup.AFTER_PROOF
    gate: str | None = "sound"
    nodes: tuple[str, ...] = ("old-0",)
    replicas: int = 1
    targets: tuple[str, ...] = ("new-0",)  # each gets an equal share of the shards, in one migration each
    pages: int = 4
    passes: int = 1_000

    @property
    def policy(self) -> Policy:
        """What the operator has set."""
        return Policy(
            skip_delta_pass=not self.delta,
            anti_entropy=self.anti_entropy,
            cleanup=self.cleanup,
            replicas=self.replicas > 1,
        )

    @property
    def switches(self) -> str:
        """Anti-entropy and delta in two words, as in the table."""
        on = {AntiEntropy.REPAIR: "on", AntiEntropy.ALERT: "alert", AntiEntropy.OFF: "off"}
        return f"{on[self.anti_entropy]} / {'on' if self.delta else 'skipped'}"

    @property
    def writes(self) -> int:
        """How many writes the table names; those that go along with the migration are counted when it has run."""
        return sum(
            b.count * (self.shards if b.when is When.COPY_ENDS else 1)
            for b in self.traffic
            if b.when not in (When.TRANSITIONS, When.THROUGHOUT)
        )


ON, OFF = AntiEntropy.REPAIR, AntiEntropy.OFF
DELTA, SKIPPED = True, False
NEVER = 10**9  # no pass by the schedule: only where nothing else can happen

# fmt: off
SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        1, "with_anti_entropy", ON, DELTA, 1_000,
        (Burst(1_000, When.COPIED, every=50), Burst(100, When.DRAINING)),
        3, "0 of 2100", "0 of 2100 lost; delta repaired > 0",
        passes=3_000,
    ),
    # Both ways of cleaning up are run, and a third one with a second replica.
    Scenario(
        2, "skip_delta_with_ae", ON, SKIPPED, 500,
        (Burst(200, When.COPIED, every=20), Burst(50, When.COPIED)),
        2, "measurable, anti-entropy repairs",
        "divergence measured; healed to 0 only if clean-up waits for a clean pass; permanent otherwise",
        cleanup=Cleanup.AFTER_CLEAN_PASS, gate="seed", passes=NEVER,
    ),
    Scenario(
        3, "no_ae_with_delta", OFF, DELTA, 1_000,
        (Burst(1_000, When.COPYING, every=50), Burst(200, When.COPIED, every=100)),
        3, "0 of 1200", "0 lost",
    ),
    # Any number of documents will do before what is refused.
    Scenario(
        4, "no_ae_no_delta_blocked", OFF, SKIPPED, 100,
        (),
        1, "refused", "refused, UnsafeCutoverNoAntiEntropy",
    ),
    Scenario(
        5, "boundary_burst", ON, DELTA, 500,
        (
            Burst(50, When.COPYING), Burst(100, When.COPIED, every=25), Burst(1, When.TRANSITIONS),
            Burst(50, When.SEALING), Burst(50, When.DRAINING, gives_up=10),
        ),
        2, "0", "0 lost; writes while sealed wait or fail, none is acknowledged and lost",
        passes=300,
    ),
    Scenario(
        6, "high_volume", ON, DELTA, 1_000,
        (Burst(100_000, When.COPYING, every=100), Burst(100, When.DRAINING)),
        1, "0 of 100K", "0 of 100K",
        pages=2, passes=200_000,
    ),
    Scenario(
        7, "loss_rate_no_ae_delta", OFF, DELTA, 500,
        (Burst(50_000, When.COPYING, every=100),),
        2, "0 of 50K", "0 of 50K",
    ),
    # All pairs, and what a migration under each of them loses: the writes are those of each such run.
    Scenario(
        8, "validation_gates", ON, DELTA, 100,
        (Burst(100, When.COPIED, every=10),),
        1, "gates answer as the seed's rule", "sound gate, seed gate, warning, side by side",
        gate=None, passes=NEVER,
    ),
    Scenario(
        9, "tight_loop_boundary", ON, DELTA, 1_000,
        (
            Burst(200, When.COPYING), Burst(500, When.COPYING), Burst(50, When.COPY_ENDS),
            Burst(300, When.COPIED, every=20), Burst(200, When.DRAINING, gives_up=10),
        ),
        3, "0 of 2350+", "0 of 2350+",
    ),
    Scenario(
        10, "loss_rate_1m_ae_on", ON, DELTA, 1_000,
        (Burst(1_000_000, When.COPYING, every=100), Burst(500, When.DRAINING)),
        1, "0 of 1M: below 1 per million", "0 of 1M, with its exact upper bound",
        pages=2, passes=2_600_000,
    ),
    Scenario(
        11, "loss_rate_no_ae_no_delta", OFF, SKIPPED, 1_000,
        (Burst(100_000, When.COPIED, every=50), Burst(500, When.ACTIVATED)),
        1, "about 2.0 %", "2,000 lost = 2.0 % of the 100K in the pure form; refused by the gate",
        cleanup=Cleanup.IMMEDIATE, gate=None,
    ),
    Scenario(
        12, "concurrent_migration_writes", ON, DELTA, 500,
        (
            Burst(5_000, When.COPYING), Burst(500, When.COPIED, every=50),
            Burst(300, When.DRAINING, gives_up=10), Burst(2, When.THROUGHOUT),
        ),
        2, "0 of 6300+", "0 of 6300+",
        passes=10_000,
    ),
    Scenario(
        13, "three_node_cluster", ON, DELTA, 1_000,
        (
            Burst(1_000, When.COPYING), Burst(50, When.COPY_ENDS), Burst(200, When.COPIED, every=20),
            Burst(200, When.DRAINING, gives_up=10),
        ),
        4, "0 of 2600+", "0 of 2600+",
        nodes=("old-0", "old-1"),
    ),
    Scenario(
        14, "three_node_no_ae_with_delta", OFF, DELTA, 1_000,
        (Burst(5_000, When.COPYING, every=100),),
        4, "0 of 5000", "0 of 5000",
        nodes=("old-0", "old-1"),
    ),
    # Of what is sent to N meanwhile half fails in the end, and half arrives once it is healed.
    Scenario(
        15, "network_partition_new_node", ON, DELTA, 500,
        (Burst(500, When.COPYING), Burst(200, When.CUT_OFF, every=2)),
        2, "0 of 700+", "0 of 700+ after it heals",
    ),
    # One write more is stuck; where it is stuck and when it lands is tried in turn.
    Scenario(
        16, "drain_timeout_boundary", ON, DELTA, 0,
        (Burst(100, When.COPIED),),
        1, "ignored: it fails", "abort or wait, 0 lost, also when the stuck write lands late",
        passes=200,
    ),
    Scenario(
        17, "concurrent_migrations", ON, DELTA, 0,
        (Burst(1_000, When.COPYING, every=50),),
        4, "ignored: it loses 20", "0 of 1000",
        targets=("new-0", "new-1"), passes=3_000,
    ),
    Scenario(
        18, "partial_shard_failure", ON, DELTA, 1_000,
        (Burst(2_000, When.COPYING, rates=(0.10, 0.01, 0.05, 0.0)),),
        4, "0 of 3000+", "0 of 3000",
        passes=5_000,
    ),
    # Run once for every step of the coordinators at which they may crash.
    Scenario(
        19, "coordinator_crash_recovery", ON, DELTA, 500,
        (Burst(500, When.COPYING, every=50), Burst(100, When.AFTER_CRASH, every=20)),
        2, "0 of 1100+", "0 of 1100, crash tried at every step",
        pages=2, passes=2_000,
    ),
)
# fmt: on


def part_of(scenario: Scenario, parts: int) -> Scenario:
    """The scenario with one in `parts` of the writes of each burst, rounded up, and anti-entropy as much oftener:
    quicker, and else the same."""
    bursts = tuple(replace(burst, count=-(-burst.count // parts)) for burst in scenario.traffic)
    return replace(scenario, traffic=bursts, passes=scenario.passes // parts)


def find(name: str | int) -> Scenario:
    """The scenario of this name or number, with or without the seed's prefix. Raises ValueError with near matches."""
    wanted = str(name).removeprefix(PREFIX)
    for scenario in SCENARIOS:
        if wanted in (scenario.name, str(scenario.number)):
            return scenario
    names = [s.name for s in SCENARIOS]
    near = difflib.get_close_matches(wanted, names, 3, 0.4) or [n for n in names if wanted and wanted in n]
    hint = (
        f"did you mean {', '.join(near)}?" if near else f"there are 1 to {len(names)}, {names[0]} and others"
    )
    raise ValueError(f"no scenario {str(name)!r}: {hint}")
