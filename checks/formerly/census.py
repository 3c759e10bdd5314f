"""`python -m cutproof.checks.census` stands in `cutproof.checks.cutover.gate.census` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.gate.census", run_name="__main__", alter_sys=True)
