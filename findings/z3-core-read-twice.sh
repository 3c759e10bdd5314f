#!/bin/bash
# A z3 unsat core that was asked to be minimal can be read once.
#
# Tool: z3-solver 5.4.1.0 (PyPI, Python 3.11), Debian 12, x86-64.
# Expected: after check() said unsat, unsat_core() names the same assertions however often it is called,
#   as it does without core.minimize.
# Happens: with core.minimize = True the second call returns an empty list, with no error. An empty core
#   means "unsat whatever you assume". A new check() makes the core readable once more.
# Seen:
#   core.minimize=False: unsat, then core of 2, core of 2
#   core.minimize=True: unsat, then core of 2, core of 0
# Why it matters: a report that logs the core and then stores it says that a proof needs none of the
#   protocol's guards.
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

pypi z3-solver==5.4.1.0
cat >core.py <<'PY'
import z3

x = z3.Int("x")
for minimize in (False, True):
    solver = z3.Solver()
    solver.set("core.minimize", minimize)
    for name, claim in {"low": x > 3, "high": x < 2, "positive": x > 0, "small": x < 10}.items():
        solver.assert_and_track(claim, name)
    verdict = solver.check()
    first, second = len(solver.unsat_core()), len(solver.unsat_core())
    print(f"core.minimize={minimize}: {verdict}, then core of {first}, core of {second}")
PY
seen=$(venv/bin/python core.py 2>&1)
expected="core.minimize=False: unsat, then core of 2, core of 2
core.minimize=True: unsat, then core of 2, core of 0"
judge
