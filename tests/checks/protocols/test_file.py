"""A protocol in a file of somebody's own: found without guessing, and every mistake told with its line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cutproof.checks.common.refusals import Wrong
from cutproof.checks.engines.plain.explore import explore
from cutproof.checks.protocols.load import Loaded, load

HEAD = """\
from enum import Enum
from cutproof.model.language import *
from cutproof.model.protocol import Protocol

@action
def up(s):
    return when(guard("room", s.x < 3)).then(x=s.x + 1)

@always
def small(s):
    return s.x < 9

def made(top=3):
    return Protocol("counter", {"x": count(0, top)}, [up], [small])

"""
LINE = HEAD.count("\n") + 1  # of what is written after it


def written(folder: Path, rest: str, name: str = "mine.py", head: str = HEAD) -> Path:
    file = folder / name
    file.write_text(head + rest, "utf-8")
    return file


def refusal(text: str, parameters: str = "") -> str:
    with pytest.raises(Wrong) as found:
        load(text, parameters)
    said = str(found.value)
    assert "\n" not in said and said.isprintable() and len(said) < 700
    return said


def states(loaded: Loaded) -> int:
    return len(explore(loaded.protocol).states)


# ------------------------------------------------------------------ what is found


@pytest.mark.parametrize(
    ("rest", "name"),
    [
        ("anything = made()", ""),
        ("anything = made()", ":anything"),
        ("one = made()\nanother = one", ""),  # two names of one protocol
        ("def mine(top: int = 3) -> Protocol:\n    return made(top)", ""),
        ("def mine(top: int = 3) -> 'Protocol':\n    return made(top)", ""),
        ("def mine(top: int = 3) -> 'not.there.Protocol':\n    return made(top)", ""),
        ("import functools\n@functools.cache\ndef mine() -> Protocol:\n    return made()", ""),
        ("def protocol():\n    return made()", ""),
        ("def protocol(top=3):\n    return made(top)", ""),
        ("def other():\n    return made()", ":other"),
        ("mine = lambda: made()", ":mine"),
        ("one = made()\ntwo = made()", ":two"),
        ("def mine(*, top: int = 3) -> Protocol:\n    return made(top)", ""),
        ("def mine(top: int = 3, /) -> Protocol:\n    return made(top)", ""),
        ("if __name__ == '__main__':\n    raise SystemExit\none = made()", ""),
    ],
)
def test_the_protocol_is_found(tmp_path: Path, rest: str, name: str) -> None:
    loaded = load(f"{written(tmp_path, rest)}{name}")
    assert loaded.protocol.name == "counter" and states(loaded) == 4


def test_an_example_that_was_only_imported_is_not_the_protocol_of_the_file(tmp_path: Path) -> None:
    rest = "from cutproof.model.examples.barrier import barrier\nmine = made()"
    assert load(str(written(tmp_path, rest))).protocol.name == "counter"


def test_several_are_refused_with_their_names(tmp_path: Path) -> None:
    file = written(tmp_path, "one = made()\ndef two() -> Protocol:\n    return made()")
    said = refusal(str(file))
    assert said == f"{file}: has several protocols: one, two; say which: {file}:one"


@pytest.mark.parametrize(
    ("rest", "name", "said"),
    [
        (
            "",
            "",
            "has no protocol: write `protocol = Protocol(...)`, or a function `-> Protocol`; or name a function",
        ),
        ("def protocol(top):\n    return made(top)", "", "has no protocol"),
        ("one = made()", ":on", "has no 'on'; did you mean one?"),
        ("one = made()", ":nothing", "has no 'nothing'; the protocols in it are one"),
        ("one = made()", ":", "write FILE.py, or FILE.py:NAME"),
        ("one = made()", ":a.b", "write FILE.py, or FILE.py:NAME"),
        ("one = made()", ":HEAD", "has no 'HEAD'"),
        ("a = 1", ":a", "a is a int, not a Protocol or a function that returns one"),
        ("a = 1", ":up", "up is a Action, not a Protocol"),
        ("a = 1", ":Enum", "not a Protocol or a function"),
        ("def two():\n    return 7", ":two", "two() returned a int, not a Protocol"),
        ("def two() -> Protocol:\n    pass", "", "two() returned a NoneType, not a Protocol"),
    ],
)
def test_what_is_not_clear_is_refused(tmp_path: Path, rest: str, name: str, said: str) -> None:
    file = written(tmp_path, rest)
    found = refusal(f"{file}{name}")
    assert found.startswith(str(file)) and said in found


# ------------------------------------------------------------------ mistakes in the file

RAISES = {
    "a syntax error": ("x = = 1", 0, "SyntaxError: invalid syntax"),
    "an indentation": ("x = 1\n  y = 2", 1, "IndentationError: unexpected indent"),
    "an unclosed bracket": ("x = (1,", 0, "SyntaxError: '(' was never closed"),
    "a null byte": ("x = '\0'", None, "null bytes"),
    "an exception": ("1 / 0", 0, "ZeroDivisionError: division by zero"),
    "an exception without a message": ("raise ValueError", 0, "ValueError"),
    "an exception of two lines": ("raise ValueError('two\\nlines\\x1b[31m')", 0, "ValueError: two lines"),
    "an exception that is endless": ("raise ValueError('x' * 10**6)", 0, "ValueError: xxx"),
    "an exception that cannot be shown": (
        "class Odd(Exception):\n    def __str__(self):\n        return 1 / 0\nraise Odd", 3, "cannot be shown",
    ),
    "an exception of its own kind": ("class End(BaseException): pass\nraise End('so')", 1, "End: so"),
    "an import": ("import no_such_module_here", 0, "ModuleNotFoundError: No module named 'no_such_module_here'"),
    "a relative import": ("from .other import x", 0, "ImportError: attempted relative import"),
    "an exit": ("import sys\nsys.exit(0)", 1, "it ends with 0: a protocol file is only read"),
    "an exit with a text": ("raise SystemExit('bye')", 0, "it ends with bye"),
    "endless recursion": ("def f():\n    f()\nf()", 1, "RecursionError: maximum recursion depth exceeded"),
    "deep nesting": ("x = " + "(" * 500 + ")" * 500, 0, "SyntaxError: too many nested parentheses"),
    "an assertion": ("assert made() is None, 'no'", 0, "AssertionError: no"),
    "a domain": ("p = Protocol('n', {'x': count(0, 1)}, [up], [small], initial={'x': 7})", 0, "gives x 7"),
    "Python's and": (
        "@always\ndef bad(s):\n    return s.x == 1 and s.x == 2\np = Protocol('n', {'x': count(0, 1)}, [], [bad])",
        2, "write &",
    ),
    "a function that raises": ("def p() -> Protocol:\n    raise KeyError('top')", 1, "KeyError: 'top'"),
    "a function that says no": ("def p() -> Protocol:\n    raise ValueError('no')", 1, "ValueError: no"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", RAISES)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, mistake: str) -> None:
    rest, after, said = RAISES[mistake]
    file = written(tmp_path, rest)
    found = refusal(str(file))
    assert said in found
    if after is not None:
        assert found.startswith(f"{file}:{LINE + after}: ")


def test_what_is_not_utf_8_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_bytes(b"x = '\xff'\n")
    assert refusal(str(file)).startswith(f"{file}:1: SyntaxError: ")


def test_mechanisms_without_a_value_are_refused(tmp_path: Path) -> None:
    rest = """
from dataclasses import dataclass
@dataclass
class M:
    fast: bool
@always
def so(s):
    return s.mechanisms.fast
p = Protocol("m", {"x": count(0, 3)}, [up], [so], mechanisms=M)
q = p.resolve(M(True))
"""
    file = written(tmp_path, rest)
    assert "p has mechanisms without a value; return protocol.resolve(...)" in refusal(f"{file}:p")
    assert states(load(f"{file}:q")) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nowhere.py", "nowhere.py: No such file"),
        ("nowhere/mine.py:a", "nowhere/mine.py: No such file"),
        ("folder.py", "folder.py: is a folder"),
        ("pipe.py", "pipe.py: is a pipe, not a file"),
        ("large.py", "large.py: holds 1,000,000,000 bytes"),
        ("a\0b.py", "is a name that no file can have"),
        ("x" * 5000 + ".py", "File name too long"),
        ("mine.txt", "mine.txt: a protocol is in a file that ends in .py"),
        ("./mine", "./mine: a protocol is in a file that ends in .py"),
        ("barier", "unknown protocol 'barier'; did you mean barrier?"),
        ("nonsense", "or FILE.py[:NAME]"),
        ("two phase", "unknown protocol"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch, text: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "mine.txt").write_text("")
    with (tmp_path / "large.py").open("wb") as out:
        out.truncate(10**9)
    with pytest.raises(Wrong) as found:
        load(text)
    assert said in str(found.value)


# ------------------------------------------------------------------ beside the file


def test_its_own_folder_can_be_imported_from_and_nothing_else_remains(tmp_path: Path) -> None:
    before, modules = list(sys.path), set(sys.modules)
    for name, top in (("one", 2), ("two", 5)):  # a sibling of the same name in each
        (tmp_path / name).mkdir()
        (tmp_path / name / "sibling_of_mine.py").write_text(f"TOP = {top}\n")
        file = written(tmp_path / name, "from sibling_of_mine import TOP\np = made(TOP)")
        assert states(load(str(file))) == min(top, 3) + 1
        assert not list(file.parent.glob("__pycache__"))
    assert sys.path == before
    assert set(sys.modules) - modules <= {"sibling_of_mine", "_protocol_mine"}


def test_a_mistake_in_a_sibling_is_told_with_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "sibling_with_a_fault.py").write_text("x = 1\nx.y\n")
    file = written(tmp_path, "import sibling_with_a_fault")
    assert refusal(str(file)).startswith(f"{tmp_path / 'sibling_with_a_fault.py'}:2: AttributeError: ")


@pytest.mark.parametrize(
    "name", ["queue.py", "token.py", "random.py", "enum.py", "two words.py", "ünïcode.py"]
)
def test_it_may_have_any_name(tmp_path: Path, name: str) -> None:
    """That of a module of Python too: errors are still told with its line."""
    assert states(load(str(written(tmp_path, "p = made()", name)))) == 4
    file = written(tmp_path, "p = Protocol('n', {'x': count(0, 1)}, [up], [small], initial={'y': 7})", name)
    assert refusal(str(file)).startswith(f"{file}:{LINE}: ")


def test_a_file_that_was_changed_is_run_anew(tmp_path: Path) -> None:
    for top in (1, 2):
        assert states(load(str(written(tmp_path, f"p = made({top})")))) == top + 1


def test_what_it_prints_goes_to_stderr(tmp_path: Path, capsys) -> None:
    load(str(written(tmp_path, "print('loud')\np = made()")))
    assert capsys.readouterr() == ("", "loud\n")


def test_it_is_loaded_again_in_another_process_or_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "def mine(top: int = 3) -> Protocol:\n    return made(top)")
    loaded = load(str(file), "top=2").without_guards(["up:room"])
    program = (
        "import pickle, sys\nfrom cutproof.checks.common.refusals import Wrong\n"
        "source = pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "try: print(source.load().protocol.digest)\nexcept Wrong as error: print(error)\n"
    )

    def elsewhere(loaded: Loaded) -> str:
        import pickle

        command = [sys.executable, "-c", program, pickle.dumps(loaded.source).hex()]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert elsewhere(loaded) == loaded.protocol.digest
    chance = written(tmp_path, "import os\np = made(int.from_bytes(os.urandom(3), 'big') + 3)", "chance.py")
    assert "is another protocol each time that it is made (the digests differ)" in elsewhere(
        load(str(chance))
    )


def test_an_endless_file_can_be_interrupted(tmp_path: Path) -> None:
    file = written(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nwhile True: pass")
    program = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from cutproof.checks.cli.main import main\nsys.exit(main(['explore', sys.argv[1]]))"
    ran: Any = subprocess.run(
        [sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 3 and ran.stdout == "" and ran.stderr.startswith("interrupted: ")
