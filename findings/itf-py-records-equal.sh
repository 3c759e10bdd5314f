#!/bin/bash
# Trace records with different field names compare equal in itf-py.
#
# Tool: itf-py 0.5.0 (PyPI, Python 3.11), Debian 12, x86-64.
# Expected: {"node": 1, "epoch": 2} and {"shard": 1, "version": 2} are different values; the order in which
#   the fields of a record are written makes no difference.
# Happens: a record is read as a named tuple, which compares by position: the two are equal, each equals
#   the tuple (1, 2), a set that holds all three has one element and is written back with one, and the
#   same record with its fields in another order is another value.
# Seen:
#   records with other fields equal: True
#   record equals tuple: True
#   three elements read as 1, written as 1
#   same record, fields in another order, equal: False
# Why it matters: a message set in a trace can lose messages by being read, and a comparison of an
#   implementation's state with the trace's can pass or fail for the wrong reason.
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

pypi itf-py==0.5.0
cat >records.py <<'PY'
from itf_py import value_from_json, value_to_json


def number(value):
    return {"#bigint": str(value)}


owner = {"node": number(1), "epoch": number(2)}
row = {"shard": number(1), "version": number(2)}
pair = {"#tup": [number(1), number(2)]}
turned = {"epoch": number(2), "node": number(1)}
print("records with other fields equal:", value_from_json(owner) == value_from_json(row))
print("record equals tuple:", value_from_json(owner) == value_from_json(pair))
messages = value_from_json({"#set": [owner, row, pair]})
print(f"three elements read as {len(messages)}, written as {len(value_to_json(messages)['#set'])}")
print("same record, fields in another order, equal:", value_from_json(owner) == value_from_json(turned))
PY
seen=$(venv/bin/python records.py 2>&1)
expected="records with other fields equal: True
record equals tuple: True
three elements read as 1, written as 1
same record, fields in another order, equal: False"
judge
