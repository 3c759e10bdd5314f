"""`cutproof.checks.verdict`: the name under which documents show it; it stands in `engines/verdict.py`."""

from cutproof.checks.engines.verdict import *  # noqa: F403  what that module declares
