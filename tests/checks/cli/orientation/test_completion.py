"""What shells complete: commands and the names behind them; and completing slows no start."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cutproof.checks.cli.orientation import completion
from cutproof.model.cutover.safeguards import SAFEGUARDS

ENTRY = "import sys; from cutproof.checks.cli.start import main; sys.argv[0] = 'cutproof'; sys.exit(main())"


def completed(shell: str, line: str) -> str:
    """What is said to a shell for a line that ends where the cursor is."""
    words = line.split(" ")
    environment = {
        **os.environ, "_CUTPROOF_COMPLETE": f"complete_{shell}", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", ENTRY], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_names(shell: str) -> None:
    assert "lost-write-without-fence_epoch" in completed(shell, "cutproof replay lost-write-without-fe")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_it(tmp_path: Path) -> None:
    program = tmp_path / "cutproof"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{ENTRY}" "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(_CUTPROOF_COMPLETE=source_bash cutproof)"
        complete -p cutproof
        COMP_WORDS=(cutproof expl); COMP_CWORD=1
        _cutproof_completion cutproof; printf '%s\\n' "${COMPREPLY[@]}"
        COMP_WORDS=(cutproof explore --scope reads_); COMP_CWORD=3
        _cutproof_completion cutproof; printf '%s\\n' "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    how, command, *words = ran.stdout.splitlines()
    assert how.endswith("cutproof") and command == "explore"
    assert "reads_and_faults" in words and all(word.startswith("reads_") for word in words)


def test_names_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completion.removable("fence_ep") == ["fence_epoch"]
    after = completion.removable("fence_epoch,")
    assert [name.removeprefix("fence_epoch,") for name in after] == [
        n for n in SAFEGUARDS if n != "fence_epoch"
    ]
    assert "base" in completion.scopes("b") and completion.engines("z") == ["zdd"]
    assert completion.rungs("co") == ["counterexample", "coverage"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    for file in ("tool.py", "models/two.py", "models/text.txt"):
        (tmp_path / file).write_text("")
    assert completion.protocols("t") == ["two-phase-commit", "tool.py"]
    assert completion.protocols("models/") == ["models/two.py"]


def test_nothing_that_takes_long_is_imported_at_the_start() -> None:
    slow = ("numpy", "z3", "scipy", "hypothesis", "xml", "cutproof.model.cutover", "cutproof.checks.ladder")
    code = f"import sys, cutproof.checks.cli.main; print([m for m in {slow} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
