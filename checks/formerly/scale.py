"""`python -m cutproof.checks.scale` stands in `cutproof.checks.cutover.scale` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.scale", run_name="__main__", alter_sys=True)
