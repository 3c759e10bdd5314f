"""`cutproof.checks.explore`: the name under which documents show it; it stands in `engines/plain/explore.py`."""

from cutproof.checks.engines.plain.explore import explore, together

__all__ = ["explore", "together"]
