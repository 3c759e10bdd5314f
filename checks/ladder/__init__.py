"""`cutproof verify`: what is run, in which order, on all cores."""

__all__ = ["loss", "proofs", "reference", "tasks", "verify"]
