#!/bin/bash
# OxiDD says that it is out of memory while all of its nodes are garbage.
#
# Tool: oxidd 0.13.0 (PyPI, Python 3.11), Debian 12, x86-64.
# Expected: garbage is collected by itself; DDMemoryError is raised where what is in use does not fit into
#   inner_node_capacity.
# Happens: garbage is collected by a thread of its own, from some 95 % on, and the operation that fills the
#   rest meanwhile does not wait for it. Small diagrams, made and dropped one after the other, fail with
#   nothing in use. gc() collects at once, but not while that thread is at it: then it returns 0, and the
#   nodes are still there. Whoever calls gc() early, or tries again a little later, has room.
#   With room for 400,000 nodes or more the thread came in time here; on a busy machine it need not.
# Seen (room for 50,000 nodes, 2,000 functions of a few hundred nodes, each dropped before the next):
#   as it is: DDMemoryError; in use a second later: 0 nodes
#   gc() after every 20: 2000 functions
# Why it matters: a check by diagrams of what a cutover can reach ends as too large although it would fit,
#   and on another day, with the machine idle, it does not.
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
cat >memory.py <<'PY'
import random
import time

from oxidd.bcdd import BCDDManager
from oxidd.util import DDMemoryError


def some(manager, pick):
    found = manager.false()
    for _ in range(6):
        term = manager.true()
        for variable in pick.sample(range(64), 8):
            term = term & manager.var(variable)
        found = found | term


def made(every):
    manager, pick = BCDDManager(50_000, 1 << 14, 1), random.Random(1)
    manager.add_vars(64)
    for number in range(2000):
        if every and number % every == 0:
            manager.gc()
        try:
            some(manager, pick)
        except DDMemoryError:
            break
    else:
        return "2000 functions"
    time.sleep(1)
    manager.gc()
    return f"DDMemoryError; in use a second later: {manager.num_inner_nodes()} nodes"


print("as it is:", made(0))
print("gc() after every 20:", made(20))
PY
seen=$(venv/bin/python memory.py 2>"$work/errors")
expected="as it is: DDMemoryError; in use a second later: 0 nodes
gc() after every 20: 2000 functions"
judge
