"""`python -m cutproof.checks.evidence` stands in `cutproof.checks.cutover.evidence` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.evidence", run_name="__main__", alter_sys=True)
