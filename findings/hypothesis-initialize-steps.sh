#!/bin/bash
# A hypothesis state machine whose rules never run passes.
#
# Tool: hypothesis 6.170.15 (PyPI, Python 3.11), Debian 12, x86-64.
# Expected: stateful_step_count limits the rules of a run; the @initialize rules come before them.
# Happens: each @initialize rule takes one of the steps. With as many of them as steps, no rule is ever
#   run, a rule that always fails is not noticed, and the test passes without a word.
# Seen (a machine of two @initialize rules and one rule that always fails):
#   stateful_step_count=2: rules run 0, passed
#   stateful_step_count=3: rules run at least once, failed
# Why it matters: a short step count, chosen to keep the runs of a cutover comparable, and one set-up step
#   more turn a model-based test into one that tests nothing.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cannot() { echo "cannot run here: $1" >&2; exit 77; }
pypi() {
  python3 -m venv "$work/venv" && "$work/venv/bin/pip" install -q "$@" >"$work/pip.log" 2>&1 ||
    cannot "pip install $* ($(tail -n 1 "$work/pip.log"))"
}
judge() {
  if [ "$seen" = "$expected" ]; then echo "$seen"; echo "still so"; exit 0; fi
  echo "changed: expected and seen differ:"; diff <(echo "$expected") <(echo "$seen"); exit 1
}
cd "$work" || exit 77

pypi hypothesis==6.170.15
cat >steps.py <<'PY'
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

ran = 0


class Machine(RuleBasedStateMachine):
    @initialize()
    def start_source(self):
        pass

    @initialize()
    def start_target(self):
        pass

    @rule()
    def write(self):
        global ran
        ran += 1
        raise AssertionError("the write was lost")


for count in (2, 3):
    ran = 0
    limits = settings(stateful_step_count=count, database=None, derandomize=True, phases=[Phase.generate])
    try:
        run_state_machine_as_test(Machine, settings=limits)
        verdict = "passed"
    except AssertionError:
        verdict = "failed"
    print(f"stateful_step_count={count}: rules run {'at least once' if ran else 0}, {verdict}")
PY
seen=$(venv/bin/python steps.py 2>"$work/errors")
expected="stateful_step_count=2: rules run 0, passed
stateful_step_count=3: rules run at least once, failed"
judge
