"""Programs that do what none may: each is an error that says so, never a hang, and nothing of them stays."""

from __future__ import annotations

import gc
import os
import pickle
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from processes import ended, eventually

from cutproof.checks.drivers.wire.envelope import UNSENT, Error, Pending, Reply, Request
from cutproof.checks.drivers.wire.program import CHUNK, KEPT, SHOWN, NotStarted, Program, ProgramFailed

SHORT, PATIENT, GRACE, LONGEST = 0.2, 60.0, 0.05, 10_000  # SHORT only where no answer ever comes
PRELUDE = """
import json, os, signal, sys, time
def read(): return json.loads(sys.stdin.readline())["body"]["msg_id"]
def say(number, kind="echo_ok", **more):
    print(json.dumps({"src": "s", "dest": "c1", "body": {"type": kind, "in_reply_to": number, **more}}), flush=True)
def log(text): print(text, file=sys.stderr, flush=True)
"""


class Echo(Request):
    text: str = ""


class EchoOk(Reply):
    text: str = ""


Make = Callable[..., Program]


@pytest.fixture
def make() -> Iterator[Make]:
    """Programs from the text of a script; whatever a test does, they end with it."""
    made: list[Program] = []

    def start(script: str, **options: Any) -> Program:
        chosen = {"seconds": PATIENT, "longest": LONGEST, "grace": GRACE, **options}
        made.append(Program([sys.executable, "-ISc", PRELUDE + script], EchoOk, **chosen))
        return made[-1]

    yield start
    for program in made:
        program.kill()
        assert ended(program.pid)


def failure(program: Program, times: int = 1, text: str = "") -> ProgramFailed:
    """How the last of so many requests fails; then nothing of it runs, and it goes on failing so."""
    for _ in range(times - 1):
        program.request(Echo(UNSENT, text))
    with pytest.raises(ProgramFailed) as caught:
        program.request(Echo(UNSENT, text))
    assert ended(program.pid)
    assert not program.alive
    with pytest.raises(ProgramFailed) as again:
        program.request(Echo(UNSENT))
    assert again.value is caught.value
    return caught.value


# ------------------------------------------------------------------ what is well


def test_requests_are_answered_one_after_the_other(make: Make) -> None:
    program = make("while True: n = read(); say(n, text=str(n))")
    assert [program.request(Echo(UNSENT)) for _ in range(3)] == [EchoOk(n, str(n)) for n in (1, 2, 3)]
    program.close()
    assert ended(program.pid)
    with pytest.raises(ProgramFailed, match="was closed"):
        program.request(Echo(UNSENT))


def test_an_answer_in_pieces_and_two_lines_at_once_are_understood(make: Make) -> None:
    program = make(
        "n = read(); say(n, 'pending'); read()\n"
        "line = json.dumps({'src': 's', 'dest': 'c1', 'body': {'type': 'echo_ok', 'in_reply_to': 1}}) + '\\n'\n"
        "line += line.replace('1}', '2}')\n"
        "for c in line: os.write(1, c.encode())\n"
        "read()"
    )
    assert program.request(Echo(UNSENT)) == Pending(1)
    assert program.answer_to(1) is None
    assert program.request(Echo(UNSENT)) == EchoOk(2)
    assert program.answer_to(1) == EchoOk(1)
    assert program.answer_to(1) is None


def test_an_error_is_an_answer(make: Make) -> None:
    reply = make("say(read(), 'error', code=11, text='later')").request(Echo(UNSENT))
    assert reply == Error(1, 11, "later")
    assert str(reply) == "error 11 (temporarily unavailable): later"


def test_a_request_larger_than_a_pipe_arrives(make: Make) -> None:
    program = make("line = sys.stdin.readline(); say(1, text=str(len(line)))")
    assert int(program.request(Echo(UNSENT, "x" * 3_000_000)).text) > 3_000_000


def test_much_on_stderr_neither_blocks_nor_stays(make: Make) -> None:
    program = make("while True: n = read(); [log('x' * 1000) for _ in range(1000)]; log('last'); say(n)")
    program.request(Echo(UNSENT))
    program.request(Echo(UNSENT))
    assert len(program._said) <= KEPT


# ------------------------------------------------------------------ what is not

CRASHES = {
    "raises": ("read(); raise ValueError('broken')", "ended with code 1 before it answered echo"),
    "is killed": ("read(); os.kill(os.getpid(), signal.SIGKILL)", "ended by SIGKILL before it answered echo"),
    "ends early": ("read()", "ended with code 0 before it answered echo"),
    "never reads": ("sys.exit(3)", "ended with code 3 before it answered echo"),
    "half a line": ("read(); print('{\"src\"', end='', flush=True)", "ended with code 0"),
    "garbage": ("print('hello', flush=True); time.sleep(60)", "a line of its stdout is no JSON"),
    "no UTF-8": ("os.write(1, b'\\xff\\n'); time.sleep(60)", "a line of its stdout is no JSON"),
    "empty line": ("print(flush=True); time.sleep(60)", "a line of its stdout is no JSON"),
    "no envelope": ("print('{}', flush=True); time.sleep(60)", "is not a reply: .* missing required field `src`"),
    "too deep": ("print('[' * 9000, flush=True); time.sleep(60)", "stdout (is not a reply|is no JSON)"),
    "nested field": (
        "print('{\"src\": ' + '[' * 4000 + ']' * 4000 + '}', flush=True); time.sleep(60)",
        "is no reply: it is nested too deeply|is not a reply",
    ),
    "other type": ("say(read(), 'other'); time.sleep(60)", "is not a reply: Invalid value 'other'"),
    "wrong number": ("read(); say(99); time.sleep(60)", "replied to message 99, which nobody asked"),
    "twice": ("n = read(); say(n); say(n); read(); time.sleep(60)", "replied to message 1, which nobody asked"),
    "a float": ("read(); say(1.5); time.sleep(60)", "is not a reply: Expected `int`, got `float`"),
    "NaN": ("read(); say(float('nan')); time.sleep(60)", "is no JSON"),
    "pending twice": ("n = read(); say(n, 'pending'); say(n, 'pending'); read()", "once more that message 1 is"),
    "endless line": ("read()\nwhile True: os.write(1, b'x' * 65536)", "has more than 10,000 bytes"),
    "long line": ("read(); os.write(1, b'x' * 20000 + b'\\n'); time.sleep(60)", "has more than 10,000 bytes"),
    "closes stdout": ("read(); os.close(1); time.sleep(60)", "closed its stdout before it .*, and lives on"),
    "a child holds the pipes": ("read()\nif os.fork(): os._exit(0)\ntime.sleep(60)", "ended with code 0"),
}  # fmt: skip
HANGS = {
    "answers once": "say(read()); read(); time.sleep(60)",
    "ignores signals": (
        "say(read()); [signal.signal(s, signal.SIG_IGN) for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]\n"
        "while True: time.sleep(60)"
    ),
    "floods stderr": "say(read())\nwhile True: os.write(2, b'x' * 65536)",
    "closes stdin": "say(read()); os.close(0); time.sleep(60)",
    "has a child": "say(read())\nos.fork()\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
}


@pytest.mark.parametrize("name", CRASHES)
def test_what_none_may_do_is_said(make: Make, name: str) -> None:
    script, said = CRASHES[name]
    program = make(script, grace=PATIENT if "ended" in said else GRACE)
    error = failure(program, 2 if "twice" in name else 1)
    assert re.search(said, error.reason), error.reason
    assert "\n" not in error.reason
    assert len(program._buffer) <= LONGEST + CHUNK
    assert [line for line in error.exchanges if line.startswith("> ")][-1].count("echo") == 1
    assert str(error).startswith(error.reason)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize("name", HANGS)
def test_who_does_not_answer_is_ended(make: Make, name: str) -> None:
    error = failure(make(HANGS[name], seconds=SHORT), 2)
    assert re.search(r"did not answer echo within 0\.2 s", error.reason)


def test_who_never_said_anything_may_have_forgotten_to_flush(make: Make) -> None:
    error = failure(make("print(read()); time.sleep(60)", seconds=SHORT / 4))
    assert error.reason.endswith(
        "within 0.3 s, and said nothing ever: is what it prints flushed after each line?"
    )
    assert "flushed" not in failure(make(HANGS["answers once"], seconds=SHORT), 2).reason


def test_who_never_reads_is_ended_too(make: Make) -> None:
    error = failure(make("say(read()); time.sleep(60)", seconds=SHORT), 2, "x" * 200_000)
    assert "did not answer echo" in error.reason


def test_who_speaks_without_end_while_it_is_asked_is_ended(make: Make) -> None:
    program = make("while True: os.write(1, b'x' * 65536)")
    assert "has more than" in failure(program, 1, "x" * 2_000_000).reason
    assert len(program._buffer) <= LONGEST + 2 * CHUNK


def test_the_last_lines_are_shown(make: Make) -> None:
    error = failure(
        make("for i in range(9): say(read())\nlog('warning'); read(); raise KeyError('doc-1')"), 10
    )
    assert len(error.exchanges) == SHOWN
    assert error.exchanges[-1].startswith('> {"src":"c1","dest":"s","body":{"type":"echo","msg_id":10')
    assert error.exchanges[-2].startswith('< {"src": "s"')
    assert error.stderr[0] == "warning" and error.stderr[-1] == "KeyError: 'doc-1'"
    assert "  stderr: KeyError: 'doc-1'" in str(error).splitlines()


def test_what_it_says_moves_no_terminal(make: Make) -> None:
    error = failure(
        make("read(); os.write(2, b'\\x1b[31m red'); os.write(1, b'\\x1b[2J\\n'); time.sleep(60)")
    )
    assert all(c.isprintable() or c == "\n" for c in str(error))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ([], "no program is named"),
        (["./there-is-no-such-program"], "cannot be started: No such file or directory"),
        ([str(Path(__file__))], "cannot be started: Permission denied"),
        (["a\0b"], "cannot be started: embedded null byte"),
    ],
)
def test_what_cannot_be_started_is_refused(command: list[str], said: str) -> None:
    with pytest.raises(NotStarted, match=said):
        Program(command, EchoOk)


# ------------------------------------------------------------------ nothing stays


def child_of(program: Program, **about: Any) -> int:
    return int(program.request(Echo(UNSENT, **about)).text)


FORKS = "n = read(); child = os.fork()\nif child: say(n, text=str(child)); read()\nelse: time.sleep(60)"


def test_what_it_started_ends_with_it(make: Make) -> None:
    program = make(FORKS)
    child = child_of(program)
    assert not ended(child)
    program.close()
    assert eventually(lambda: ended(child))


def test_what_left_the_group_makes_nobody_wait(make: Make) -> None:
    program = make(FORKS.replace("else: ", "else: os.setsid(); ") + "; read()")
    child = child_of(program)
    try:
        assert "ended with code" in failure(program).reason
    finally:
        os.kill(child, signal.SIGKILL)


def test_an_interrupt_ends_it(make: Make) -> None:
    program = make("read(); os.kill(os.getppid(), signal.SIGINT); time.sleep(60)")
    with pytest.raises(KeyboardInterrupt):
        program.request(Echo(UNSENT))
    assert ended(program.pid)


def test_it_has_time_to_end_by_itself(make: Make, tmp_path: Path) -> None:
    left = tmp_path / "left"
    program = make(
        f"say(read()); sys.stdin.read(); time.sleep(0.05); open({str(left)!r}, 'w').close()", grace=PATIENT
    )
    program.request(Echo(UNSENT))
    program.close()
    assert left.exists()


def test_it_hears_that_it_is_to_end(make: Make, tmp_path: Path) -> None:
    left = tmp_path / "left"
    script = f"signal.signal(signal.SIGTERM, lambda *_: open({str(left)!r}, 'w').close() or os._exit(0))\n"
    program = make(script + "say(read()); time.sleep(60)", grace=1.0)
    program.request(Echo(UNSENT))
    program.close()
    assert left.exists()


def test_a_forgotten_one_ends(make: Make) -> None:
    program = Program([sys.executable, "-ISc", PRELUDE + "say(read()); read()"], EchoOk, grace=GRACE)
    program.request(Echo(UNSENT))
    pid = program.pid
    del program
    gc.collect()
    assert ended(pid)


def test_one_that_is_left_ends_with_python() -> None:
    script = (
        "import sys\n"
        "from cutproof.checks.drivers.wire.messages import *\n"
        "from cutproof.checks.drivers.wire.program import Program\n"
        "program = Program([sys.executable, '-ISc', 'import time; time.sleep(60)'], PutOk, grace=0.05)\n"
        "print(program.pid)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended(int(ran.stdout))


def test_a_fork_leaves_it_alone(make: Make) -> None:
    program = make("while True: say(read())")
    program.request(Echo(UNSENT))
    if not (child := os.fork()):
        alive = program.alive
        program.close()
        os._exit(alive)
    assert os.waitpid(child, 0)[1] == 0
    assert program.request(Echo(UNSENT)) == EchoOk(2)
