#!/bin/bash
# SPIN's verifier exits 0 on a violated assertion, and on a search that it cut off.
#
# Tool: spin 6.5.2+dfsg-1 (Debian 12) with gcc 12.2.0, x86-64.
# Expected: ./pan, and spin -run which calls it, exit with a status other than 0 if a property is violated
#   or the search is incomplete; at least as spin's own simulation does.
# Happens: both exit 0 on a violation. With too small a depth limit pan says "errors: 0" too, and exits 0,
#   although the violation is there: the only sign is one line in the output. Replaying the violation
#   with spin -t exits 0 as well; a simulation without a trail that meets it exits 1.
# Seen (an assertion that the one run of the model violates):
#   pan: assertion violated, errors: 1, exit 0
#   pan -m20: error: max search depth too small, errors: 0, exit 0
#   spin -run: exit 0
#   spin -t: exit 0
#   spin: exit 1
# Why it matters: a build step that runs the verifier on a protocol is green whatever it finds, unless it
#   reads both lines of the output.
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
cat >move.pml <<'PML'
byte moved;
active proctype migration() {
  do
  :: moved < 50 -> moved++
  :: else -> break
  od;
  assert(moved != 50)
}
PML
spin -a move.pml >/dev/null && gcc -w -DSAFETY -o pan pan.c || cannot "the verifier was not built"
found() {  # its assertion or depth line, if any, its count of errors
  grep -oE 'assertion violated|error: max search depth too small' "$1" | head -n 1 | tr '\n' ','
  grep -oE 'errors: [0-9]+' "$1"
}
seen=$(
  ./pan >out 2>&1; status=$?
  echo "pan: $(found out | sed 's/,/, /'), exit $status"
  ./pan -m20 >out 2>&1; status=$?
  echo "pan -m20: $(found out | sed 's/,/, /'), exit $status"
  spin -run move.pml >/dev/null 2>&1; echo "spin -run: exit $?"
  spin -t move.pml >/dev/null 2>&1; echo "spin -t: exit $?"
  spin move.pml >/dev/null 2>&1; echo "spin: exit $?"
)
expected="pan: assertion violated, errors: 1, exit 0
pan -m20: error: max search depth too small, errors: 0, exit 0
spin -run: exit 0
spin -t: exit 0
spin: exit 1"
judge
