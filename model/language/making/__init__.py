"""How a protocol is made of what `Protocol(...)` is given.

`wellformed.py` looks at it first; `initial_states.py` reads how a run may begin; `unfolding.py` calls every function
for every tuple of its arguments, and what is left is data (`parts.py`).
"""

__all__ = ["initial_states", "unfolding", "wellformed"]
