"""The action, done as a runner would do it: its steps in a shell, in a sample repository, with its inputs put in."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from places import DOCS, ROOT

from cutproof.checks.cli import main as cli

ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
PIPELINES = DOCS / "examples" / "pipelines"
FIELD = re.compile(r"\$\{\{ (.*?) \}\}")


class Runner:
    """Does the steps of a composite action in a folder. `pip` is only noted; `python` is this one."""

    def __init__(self, repository: Path, temporary: Path) -> None:
        self.repository, self.temporary = repository, temporary
        self.pip, self.output, self.summary = (temporary / name for name in ("pip", "output", "summary"))
        for file in (self.pip, self.output, self.summary):
            file.write_text("")
        (temporary / "bin").mkdir()
        python = temporary / "bin" / "python"
        python.write_text(
            f'#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then printf "%s\\n" "$@" >> "{self.pip}"; exit; fi\n'
            f'exec "{sys.executable}" "$@"\n'
        )
        python.chmod(0o755)

    def run(self, **given: str) -> tuple[int, str]:
        """The exit code of the first step that fails, or 0; and all that was said."""
        inputs = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()} | given
        said = ""
        for step in ACTION["runs"]["steps"]:
            if "run" not in step:
                assert step["if"] == "inputs.python-version != ''" and step["uses"].startswith(
                    "actions/setup-python@"
                )
                continue
            code, text = self.step(step, {f"inputs.{name}": value for name, value in inputs.items()})
            said += text
            if code:
                return code, said
        return 0, said

    def step(self, step: dict[str, Any], fields: dict[str, str]) -> tuple[int, str]:
        """One step, by the shell that GitHub gives it."""
        fields = {**fields, "github.action_path": str(ROOT)}
        assert step["shell"] == "bash" and not FIELD.search(step["run"]), (
            "a field in a script is run as a part of it"
        )
        script = self.temporary / "step.sh"
        script.write_text(step["run"], "utf-8")
        put_in = {name: FIELD.sub(lambda f: fields[f[1]], text) for name, text in step.get("env", {}).items()}
        environment = {
            **os.environ, **put_in, "PATH": f"{self.temporary / 'bin'}:{os.environ['PATH']}", "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(self.output), "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.repository),
        }  # fmt: skip
        where = FIELD.sub(lambda f: fields[f[1]], step.get("working-directory", "."))
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        ran = subprocess.run(
            command, cwd=self.repository / where, env=environment, capture_output=True, text=True, check=False
        )
        return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """A sample repository, with a protocol and a driver, and a runner beside it."""
    (tmp_path / "sample" / "models").mkdir(parents=True)
    (tmp_path / "runner").mkdir()
    monkeypatch.chdir(tmp_path / "sample")
    assert cli.main(["new", "models/moving.py"]) == 0
    capsys.readouterr()
    return Runner(tmp_path / "sample", tmp_path / "runner")


def test_what_holds_is_green(runner: Runner) -> None:
    code, said = runner.run(command="explore", args="models/moving.py")
    assert code == 0 and "::error" not in said
    assert runner.pip.read_text().split() == ["-m", "pip", "install", "--quiet", f"{ROOT}[fast]"]
    assert runner.output.read_text() == "exit-code=0\n" and "5 passed" in runner.summary.read_text()
    assert ElementTree.parse(runner.repository / "cutproof.xml").getroot().get("failures") == "0"


def test_what_is_found_is_red_marked_summed_up_and_kept(runner: Runner) -> None:
    args = "moving.py --without-guard 'switch:all is copied' --trace \"what was found\""
    code, said = runner.run(command="explore", args=args, **{"working-directory": "models"})
    assert code == 12 and runner.output.read_text() == "exit-code=12\n"
    [mark] = [line for line in said.splitlines() if line.startswith("::error ")]
    assert mark.startswith("::error file=models/moving.py,line=") and "nothing_is_lost" in mark
    assert "1 failed" in runner.summary.read_text()
    assert list((runner.repository / "models" / "what was found").glob("*.itf.json"))
    assert (runner.repository / "models" / "cutproof.xml").exists()


def test_what_stands_in_an_input_is_never_run(runner: Runner) -> None:
    hostile = "$(touch a) `touch b` ; touch c '\"' && touch d"
    runner.run(
        command=hostile, args=hostile, junitxml=hostile, extras="x]; touch e; [y", version="1; touch f"
    )
    assert not [name for name in "abcdef" if (runner.repository / name).exists()]


def test_a_release_or_no_extra_is_installed_where_that_is_asked_for(runner: Runner) -> None:
    runner.run(command="doctor", junitxml="", version="1.2.3", extras="")
    assert runner.pip.read_text().split()[-1] == "cutproof==1.2.3"


def used(file: Path) -> list[dict[str, str]]:
    """What a workflow gives to the action, step by step."""
    jobs = yaml.safe_load(file.read_text("utf-8"))["jobs"].values()
    return [step["with"] for job in jobs for step in job["steps"] if "/cutproof@" in step.get("uses", "")]


def test_the_example_workflow_does_what_it_says(runner: Runner) -> None:
    inputs = used(PIPELINES / "github.yml")
    assert [given["command"] for given in inputs] == ["explore", "drive", "conform"]
    for given in inputs:
        assert set(given) <= set(ACTION["inputs"])
    assert [runner.run(**given)[0] for given in inputs[:2]] == [0, 0]
    assert sorted(file.name for file in runner.repository.glob("*.xml")) == ["cutproof.xml", "drive.xml"]


def test_the_example_for_gitlab_does_what_it_says(runner: Runner) -> None:
    job = yaml.safe_load((PIPELINES / "gitlab.yml").read_text("utf-8"))["cutproof"]
    for line in job["script"]:
        program, *arguments = shlex.split(line)
        assert program == "cutproof" and cli.main(arguments) == 0
    assert all((runner.repository / file).exists() for file in job["artifacts"]["reports"]["junit"])


def test_the_hooks_take_the_files_of_a_commit(runner: Runner) -> None:
    hooks = {
        hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    }
    explore, replay = hooks["cutproof-explore"], hooks["cutproof-replay"]
    files = ["models/moving.py", "models/moving_driver.py", "store/tool.py", "a/model/b.py"]
    assert [f for f in files if re.search(explore["files"], f)] == ["models/moving.py", "a/model/b.py"]
    program = runner.temporary / "bin" / "cutproof"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cutproof "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}

    def code(hook: dict[str, str], *chosen: str) -> int:
        return subprocess.run(
            [*shlex.split(hook["entry"]), *chosen], env=environment, capture_output=True, check=False
        ).returncode

    assert code(explore, "models/moving.py", "models/none.py") == 2  # each of them, until one is not good
    assert code(replay, "lost-write-without-fence_epoch") == 0


def test_the_release_names_its_version_and_keeps_no_password() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    release = yaml.safe_load(text)
    assert release["jobs"]["publish"]["permissions"] == {"id-token": "write"} and "secrets." not in text
    assert release["permissions"] == {"contents": "read"}
    [check] = [
        step["run"]
        for step in release["jobs"]["wheel"]["steps"]
        if step.get("name", "").startswith("The tag")
    ]
    for tag, code in {"v0.0.0": 1, f"v{cli.metadata.version('cutproof')}": 0}.items():
        environment = {
            **os.environ,
            "GITHUB_REF_NAME": tag,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        ran = subprocess.run(
            ["bash", "-e", "-c", check], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        assert ran.returncode == code
