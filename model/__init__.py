"""What a protocol is (`language/`), and which there are: the cutover of this project (`cutover/`) and small public ones
with known numbers of states (`examples/`). The standard library alone is needed here.

Read `language/` first, then `examples/two_phase_commit.py`, then `cutover/`.
"""

__all__ = ["cutover", "examples", "language", "protocol"]
