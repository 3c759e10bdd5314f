"""`python -m cutproof.checks.hunt` stands in `cutproof.checks.cutover.reference.hunt` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.reference.hunt", run_name="__main__", alter_sys=True)
