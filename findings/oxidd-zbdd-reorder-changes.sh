#!/bin/bash
# Another order of variables changes what OxiDD's ZBDDs mean.
#
# Tool: oxidd 0.13.0 (PyPI, Python 3.11), Debian 12, x86-64; 0.11.2 and 0.12.0 do the same.
# Expected: set_var_order changes how large diagrams are, and no function: as it is with BDDs.
# Happens: functions in zero-suppressed diagrams become others, without a word. "Exactly one of two" is "at
#   least one" afterwards: the two variables change places, and a part that should be empty is not.
# Seen ("exactly one of x and y", before and after x and y change places):
#   BDDManager: 2 states, 2 states; x and y both true: False, False
#   BCDDManager: 2 states, 2 states; x and y both true: False, False
#   ZBDDManager: 2 states, 3 states; x and y both true: False, True
# Why it matters: sets of states are counted and compared with these diagrams; whoever reorders a set that
#   grew too large gets states that nothing reaches, and a violation or a count that is not there.
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

pypi oxidd==0.13.0
cat >order.py <<'PY'
from oxidd.bcdd import BCDDManager
from oxidd.bdd import BDDManager
from oxidd.zbdd import ZBDDManager

for kind in (BDDManager, BCDDManager, ZBDDManager):
    manager = kind(1000, 1000, 1)
    manager.add_vars(2)
    one = manager.var(0) ^ manager.var(1)
    counts, both = [], []
    for order in ([0, 1], [1, 0]):
        manager.set_var_order(order)
        counts.append(f"{one.sat_count(2)} states")
        both.append(str(one.eval([(0, True), (1, True)])))
    print(f"{kind.__name__}: {', '.join(counts)}; x and y both true: {', '.join(both)}")
PY
seen=$(venv/bin/python order.py 2>"$work/errors")
expected="BDDManager: 2 states, 2 states; x and y both true: False, False
BCDDManager: 2 states, 2 states; x and y both true: False, False
ZBDDManager: 2 states, 3 states; x and y both true: False, True"
judge
