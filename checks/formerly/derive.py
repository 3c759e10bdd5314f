"""`python -m cutproof.checks.derive` stands in `cutproof.checks.cutover.gate.derive` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.gate.derive", run_name="__main__", alter_sys=True)
