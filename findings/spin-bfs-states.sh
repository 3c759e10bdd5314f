#!/bin/bash
# SPIN finds more states breadth-first than depth-first, in the same model, each time all of them.
#
# Tool: spin 6.5.2+dfsg-1 (Debian 12) with gcc 12.2.0, x86-64.
# Expected: without partial-order reduction (-DNOREDUCE) a complete search stores the reachable states,
#   each once, so depth-first and -DBFS give one number.
# Happens: -DBFS also stores the states inside an atomic sequence, which depth-first search does not; its
#   transitions are more by as many. The comparable number is its extra line, "nominal states".
# Seen:
#   depth-first: 1485 states, 3615 transitions, 796 atomic steps
#   -DBFS: 2281 states, 1485 nominal, 4411 transitions, 796 atomic steps
# Why it matters: equal state counts are the usual evidence that an exported model is the model; here the
#   choice of search alone makes them differ by half.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cannot() { echo "cannot run here: $1" >&2; exit 77; }
debian() {  # unpacks package=version here; else takes the installed one, if it is of that version
  (cd "$work" && apt-get download "$1" >/dev/null 2>&1 && dpkg -x ./*.deb "$work/root" && rm ./*.deb) ||
    [ "$(dpkg-query -W -f '${Version}' "${1%%=*}" 2>/dev/null)" = "${1#*=}" ] ||
    cannot "Debian's package $1 is neither offered nor installed"
}
judge() {
  if [ "$seen" = "$expected" ]; then echo "$seen"; echo "still so"; exit 0; fi
  echo "changed: expected and seen differ:"; diff <(echo "$expected") <(echo "$seen"); exit 1
}
cd "$work" || exit 77
PATH=$work/root/usr/bin:$PATH

debian spin=6.5.2+dfsg-1
command -v gcc >/dev/null || cannot "gcc is missing"
cat >dual.pml <<'PML'
chan source = [2] of { byte };
chan target = [2] of { byte };
byte acknowledged;

active [2] proctype writer() {
  byte left = 4;
  do
  :: atomic {
       left > 0 && len(source) < 2 && len(target) < 2 ->
       source ! left; target ! left; acknowledged++; left--
     }
  :: else -> break
  od
}

active proctype store() {
  byte value;
end:
  do
  :: source ? value
  :: target ? value
  od
}
PML
spin -a dual.pml >/dev/null || cannot "the verifier was not written"
count() { sed -nE "s/^[[:space:]]*([0-9]+) $1.*/\\1/p" out; }
search() {
  gcc -w -DSAFETY -DNOREDUCE $1 -o pan pan.c || cannot "the verifier was not built"
  ./pan >out
}
seen=$(
  search ""
  echo "depth-first: $(count 'states, stored') states, $(count transitions) transitions, $(count atomic) atomic steps"
  search -DBFS
  echo "-DBFS: $(count 'states, stored') states, $(count 'nominal states') nominal, $(count transitions) transitions," \
    "$(count atomic) atomic steps"
) || exit $?
expected="depth-first: 1485 states, 3615 transitions, 796 atomic steps
-DBFS: 2281 states, 1485 nominal, 4411 transitions, 796 atomic steps"
judge
