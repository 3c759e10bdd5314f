"""Programs, driven and judged: the functions of an adapter (`adapter.py`), calls to it (`system.py`), and what is raised
where it does what it should not (`finding.py`). `histories/` judges what clients saw, `wire/` speaks with programs in
other languages; `driving/` takes any program through the runs of any protocol, and `machine` is that under Hypothesis.
Nothing here knows the reference implementation or the cutover.
"""

__all__ = ["adapter", "driving", "finding", "histories", "machine", "system", "wire"]


def __getattr__(name: str) -> object:
    """`machine`, when it is asked for: Hypothesis takes a while to import."""
    if name == "machine":
        from cutproof.checks.drivers.driving.machine import machine

        return machine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
