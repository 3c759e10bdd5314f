#!/bin/bash
# A rumur verifier that found errors exits 0 if it was allowed to find more.
#
# Tool: rumur 2022.08.20-1 (Debian 12) with gcc 12.2.0, x86-64.
# Expected: --max-errors says when to stop looking; a verifier that found an error exits with 1.
# Happens: it exits 1 only if the limit was reached. With a larger limit the search runs to its end, the
#   output says "1 error(s) found", and the exit status is 0.
# Seen (one invariant, violated):
#   --max-errors 1: 1 error(s) found, exit 1
#   --max-errors 2: 1 error(s) found, exit 0
# Why it matters: asking for all counterexamples of a protocol instead of the first turns the failing
#   check into a passing one.
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

debian rumur=2022.08.20-1
command -v gcc >/dev/null || cannot "gcc is missing"
cat >copy.m <<'M'
var copied: 0..9;

startstate begin
  copied := 0;
end;

rule "copy" copied < 9 ==> begin
  copied := copied + 1;
end;

rule "back" copied > 0 ==> begin
  copied := copied - 1;
end;

invariant "half" copied < 5;
M
seen=$(for limit in 1 2; do
  rumur --max-errors $limit --output copy.c copy.m && gcc -w -O1 -o copy copy.c -lpthread -mcx16 ||
    cannot "the verifier was not built"
  timeout 60 ./copy >out 2>&1; status=$?
  echo "--max-errors $limit: $(grep -oE '[0-9]+ error\(s\) found' out), exit $status"
done) || exit $?
expected="--max-errors 1: 1 error(s) found, exit 1
--max-errors 2: 1 error(s) found, exit 0"
judge
