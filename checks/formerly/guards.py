"""`python -m cutproof.checks.guards` stands in `cutproof.checks.cutover.safeguards.guards` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.safeguards.guards", run_name="__main__", alter_sys=True)
