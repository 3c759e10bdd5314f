"""`from cutproof.checks import conform`: it stands in `cutover/conformance/conform.py`."""

from cutproof.checks.cutover.conformance.conform import *  # noqa: F403  what that module declares
