"""Programs, driven and judged: the functions of an adapter (`adapter.py`), calls to it (`system.py`), and what is
raised where it does what it should not (`finding.py`). `recording/` writes what clients see, `histories/` judges it;
`logs/` explains by a protocol what a system logged; `wire/` speaks with programs in other languages. `driving/` takes
any program through the runs of any protocol: `machine` is that under Hypothesis, and `Refused` what a driver raises.
Nothing here knows the reference implementation or the cutover.
"""

__all__ = [
    "Refused",
    "adapter",
    "driving",
    "finding",
    "histories",
    "logs",
    "machine",
    "recording",
    "system",
    "wire",
]


def __getattr__(name: str) -> object:
    """`machine` and `Refused`, when they are asked for: they take a while to import."""
    if name == "machine":
        from cutproof.checks.drivers.driving.machine import machine

        return machine
    if name == "Refused":
        from cutproof.checks.drivers.driving.driver import Refused

        return Refused
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
