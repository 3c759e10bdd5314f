"""`python -m cutproof.checks.accepted` stands in `cutproof.checks.cutover.gate.accepted` now."""

import runpy

runpy.run_module("cutproof.checks.cutover.gate.accepted", run_name="__main__", alter_sys=True)
