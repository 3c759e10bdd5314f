"""Loss runs: how many acknowledged writes are lost, with exact bounds.

`sample.py` says what is counted, `traffic.py` and `boundary.py` run one migration each, `runs.py` adds them up, on this
machine or by `dask_executor.py`; `run_file.py` keeps what is finished. `explained/` cuts a loss down to a trace.
"""

__all__ = [
    "against_exploration",
    "boundary",
    "dask_executor",
    "explained",
    "report",
    "run_file",
    "runs",
    "sample",
    "trade_offs",
    "traffic",
]
