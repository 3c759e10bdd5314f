"""The studies: what the instrument was asked about this project's own protocol.

`safeguards/` (what is lost without each), `gate/` (which policies are safe), `proofs/` (why), `reference/` (the
implementation held to the specification), `conformance/` (other implementations), `loss/` (how much is lost, sampled)
and `scenarios/` (the seed's nineteen). `evidence.py` draws the documents from them.
"""

__all__ = [
    "conformance",
    "evidence",
    "gate",
    "loss",
    "proofs",
    "reference",
    "safeguards",
    "scale",
    "scenarios",
]
