"""`cutproof.checks.explore`: the name under which documents show it; it stands in `engines/plain/explore.py`."""

from cutproof.checks.engines.plain.explore import explore, with_both_faults

__all__ = ["explore", "with_both_faults"]
