"""`python -m cutproof.checks.sampled` stands in `cutproof.checks.cutover.loss.against_exploration` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.loss.against_exploration", run_name="__main__", alter_sys=True)
