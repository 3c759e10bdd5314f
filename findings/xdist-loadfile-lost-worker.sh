#!/bin/bash
# After a lost worker, pytest-xdist --dist loadfile reports one test nine times and drops its file's rest.
#
# Tool: pytest-xdist 3.8.0 with pytest 9.2.0 (PyPI, Python 3.11), Debian 12, x86-64; -n2.
# Expected: a test whose worker process ends is reported failed once, a new worker takes the file's other
#   tests: so it is with --dist load.
# Happens: with --dist loadfile each new worker is handed the same test first, until as many workers as are
#   replaced by default (four for each of -n) are used up. The test counts as 9 failures; the tests behind
#   it are never run, and no line and no number says so: 10 results for a file of four tests.
# Seen (a file of four tests, of which the second ends its process):
#   --dist load: 1 failed, 3 passed; tests behind it run: 2 of 2
#   --dist loadfile: 9 failed, 1 passed; tests behind it run: 0 of 2
# Why it matters: suites with expensive set-ups (a server, a cluster) are split by file, and their workers
#   do get killed for memory; the summary then hides which tests have no result.
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

pypi pytest==9.2.0 pytest-xdist==3.8.0
mkdir suite
cat >suite/test_store.py <<'PY'
import os
import pathlib


def test_first():
    pass


def test_that_ends_its_process():
    os._exit(1)


def test_third():
    pathlib.Path("third").touch()


def test_fourth():
    pathlib.Path("fourth").touch()
PY
cd suite || exit 77
seen=$(for dist in load loadfile; do
  rm -f third fourth
  counts=$(timeout 240 ../venv/bin/python -m pytest -q -n2 --dist "$dist" -p no:cacheprovider 2>&1 | tail -n 1)
  ran=$(find . -name third -o -name fourth | wc -l)
  echo "--dist $dist: ${counts%% in *}; tests behind it run: $ran of 2"
done)
expected="--dist load: 1 failed, 3 passed; tests behind it run: 2 of 2
--dist loadfile: 9 failed, 1 passed; tests behind it run: 0 of 2"
judge
