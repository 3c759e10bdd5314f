"""The protocol of this project: how a shard moves from its old node to a new one while clients write.

Read `slot.py` (words and variables), `coordinator.py` (the steps in their order), `delivery.py`, `clients.py`,
`anti_entropy.py` and `faults.py` (everybody else), `endless.py` (clients that never stop), `properties.py` and
`availability.py` (what is claimed) and `scopes.py` (within which bounds). `safeguards.py`, `mechanisms.py` and
`policy.py` say what can be switched and chosen, `invariants/` why it is safe; `words/` how stories speak of it.
"""

__all__ = [
    "anti_entropy",
    "availability",
    "clients",
    "coordinator",
    "delivery",
    "endless",
    "environment",
    "faults",
    "invariants",
    "mechanisms",
    "policy",
    "progress",
    "properties",
    "safeguards",
    "scopes",
    "slot",
    "words",
]
