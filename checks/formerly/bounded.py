"""`python -m cutproof.checks.bounded` stands in `cutproof.checks.cutover.gate.bounded` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.gate.bounded", run_name="__main__", alter_sys=True)
