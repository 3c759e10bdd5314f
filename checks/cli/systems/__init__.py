"""Commands about programs that are not ours: `conform.py` drives a store through the schedules of a cutover, `drive.py`
any program along any protocol, `history.py` judges what clients recorded, `check_log.py` explains a log by a protocol,
`serve.py` has the reference behind the wire.
`programs.py` finds the system that a command is about, `replay_schedule.py` performs a schedule on it again.
"""

__all__ = ["check_log", "conform", "drive", "history", "programs", "replay_schedule", "serve"]
