"""Programs, driven and judged: the functions of an adapter (`adapter.py`), calls to it (`system.py`), and the judge of
what clients then see (`judge.py`). `driving/` takes any program through the runs of any protocol; `machine` is that
under Hypothesis. Nothing here knows the reference implementation or the cutover.
"""

__all__ = ["adapter", "driving", "finding", "judge", "machine", "system", "wire"]


def __getattr__(name: str) -> object:
    """`machine`, when it is asked for: Hypothesis takes a while to import."""
    if name == "machine":
        from cutproof.checks.drivers.driving.machine import machine

        return machine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
