#!/bin/bash
# A z3 solver that says unsat writes a file that is satisfiable.
#
# Tool: z3-solver 5.4.1.0 and, as a second reader, cvc5 1.4.2 (PyPI, Python 3.11), Debian 12, x86-64.
# Expected: Solver.to_smt2() and Solver.sexpr() write the problem that check() decided.
# Happens: of assert_and_track(claim, "p") they write (assert (=> p claim)) and leave p free: nothing in
#   the file asserts p, so every reader may drop every tracked claim, z3's own too. translate() keeps them.
# Seen:
#   z3, the solver itself: unsat
#   z3, translate(): unsat
#   z3, from to_smt2(): sat
#   z3, from sexpr(): sat
#   cvc5, from to_smt2(): sat
# Why it matters: whoever files a proof obligation as SMT-LIB for a second solver to confirm files another
#   problem; where "sat" is the hoped-for answer nobody notices.
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

pypi z3-solver==5.4.1.0 cvc5==1.4.2
cat >tracked.py <<'PY'
import cvc5
import z3

x = z3.Int("x")
solver = z3.Solver()
solver.assert_and_track(x > 3, "low")
solver.assert_and_track(x < 2, "high")
print("z3, the solver itself:", solver.check())
print("z3, translate():", solver.translate(z3.Context()).check())
for name, text in {"to_smt2()": solver.to_smt2(), "sexpr()": solver.sexpr()}.items():
    reader = z3.Solver()
    reader.from_string(text)
    print(f"z3, from {name}: {reader.check()}")

other = cvc5.Solver()
other.setLogic("QF_LIA")
parser = cvc5.InputParser(other)
parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, solver.to_smt2(), "tracked")
symbols = parser.getSymbolManager()
while not (command := parser.nextCommand()).isNull():
    answer = command.invoke(other, symbols).strip()
    if answer:
        print("cvc5, from to_smt2():", answer)
PY
seen=$(venv/bin/python tracked.py 2>&1)
expected="z3, the solver itself: unsat
z3, translate(): unsat
z3, from to_smt2(): sat
z3, from sexpr(): sat
cvc5, from to_smt2(): sat"
judge
