"""The language: whatever Python would decide now about a value that is known only later is refused.

Each entry of `LIES` is one line of Python inside an action. It must raise a LanguageError that names this
file, that line, and what to write instead.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutproof.model.examples.two_phase_commit import two_phase_commit
from cutproof.model.language import (
    Domain,
    Family,
    FamilyDomain,
    LanguageError,
    action,
    all_of,
    always,
    any_of,
    boolean,
    can_always,
    choose,
    constant,
    count,
    each,
    enumeration,
    family,
    guard,
    implies,
    larger,
    number_of,
    pick,
    put,
    smaller,
    sometimes,
    total,
    when,
)
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol


class Fruit(Enum):
    APPLE = "apple"
    PEAR = "pear"
    PLUM = "plum"


class Tree(Enum):
    OAK = 1
    ELM = 2


class Rank(IntEnum):
    LOW = 0
    HIGH = 1


VARIABLES: dict[str, Domain | FamilyDomain] = {
    "flag": boolean(),
    "other": boolean(),
    "n": count(0, 3),
    "m": count(0, 3),
    "fruit": enumeration(Fruit),
    "tree": enumeration(Tree),
    "rank": enumeration(Rank),
    "fixed": boolean(varies=False),
    "heap": family("slot", of=count(0, 3)),
    "heap2": family("slot", of=count(0, 3)),
    "flags": family("slot", of=boolean()),
    "net": family("slot", "side", of=enumeration(Fruit)),
}
INDICES = {"slot": range(3), "side": ("left", "right")}


@dataclass(frozen=True)
class Mechanisms:
    careful: bool = True
    fruit: Fruit = Fruit.APPLE


def make(step: Callable[..., Any], **others: Any) -> Protocol:
    """A protocol with one action that does what `step` says."""

    def act(s: Any) -> Any:
        return step(s)

    settings: dict[str, Any] = {"indices": INDICES, "mechanisms": Mechanisms, "properties": [], **others}
    return Protocol("test", VARIABLES, [action(act)], **settings)


def chained(s: Any) -> Any:
    return 0 < s.n < 3


def conditional(s: Any) -> Any:
    if s.flag:
        return 1


def looped(s: Any) -> Any:
    while s.flag:
        return 1


def asserted(s: Any) -> Any:
    assert s.n == 1


def matched(s: Any) -> Any:
    match s.n:
        case 1:
            return 1


def matched_member(s: Any) -> Any:
    match s.fruit:
        case Fruit.APPLE:
            return 1


def assigned(s: Any) -> Any:
    s.heap[0] = 1


def grown(s: Any) -> Any:
    s.heap[0] += 1


def mechanism(s: Any) -> Any:
    if s.mechanisms.careful:
        return 1


LIES: list[Callable[[Any], Any]] = [
    chained,
    conditional,
    looped,
    asserted,
    matched,
    matched_member,
    assigned,
    grown,
    mechanism,
    # and, or, not, if, in
    lambda s: s.flag and s.other,
    lambda s: s.flag or s.other,
    lambda s: not s.flag,
    lambda s: 1 if s.flag else 2,
    lambda s: s.fixed and s.flag,
    lambda s: bool(s.n),
    lambda s: any([s.flag, s.other]),
    lambda s: all(s.flags),
    lambda s: 1 in s.n,
    lambda s: 1 in s.heap,
    lambda s: s.n in [1, 2],
    lambda s: s.n in range(3),
    lambda s: 1 in [s.n],
    lambda s: [s.n] == [s.m],
    lambda s: (s.n, 1) < (s.m, 2),
    lambda s: list(filter(None, s.flags)),
    lambda s: [x for x in s.heap if x == 1],
    lambda s: min(s.n, s.m),
    lambda s: max(s.heap),
    lambda s: sorted([s.n, s.m]),
    lambda s: list(s.heap).index(1),
    lambda s: list(s.heap).count(1),
    lambda s: np.array([1, 2]) == s.n,
    # families as a whole
    lambda s: not s.flags,
    lambda s: s.flags and s.flag,
    lambda s: s.heap == s.heap2,
    lambda s: s.heap != s.heap2,
    lambda s: s.heap == 1,
    lambda s: s.n == s.heap,
    lambda s: s.flag & s.flags,
    lambda s: s.flags & s.flag,
    lambda s: choose(s.flag, s.heap, s.flags),
    lambda s: choose(s.flag, s.heap, s.n),
    # mixed types
    lambda s: s.fruit == 0,
    lambda s: s.fruit == "apple",
    lambda s: s.fruit == s.n,
    lambda s: s.fruit == Tree.OAK,
    lambda s: s.fruit == s.tree,
    lambda s: s.fruit == Tree.OAK,
    lambda s: s.flag == 1,
    lambda s: s.flag != 0,
    lambda s: s.flag == s.n,
    lambda s: s.n == True,  # noqa: E712
    lambda s: True + s.n,
    lambda s: s.n - False,
    lambda s: s.n == 1.0,
    lambda s: s.n < 1.5,
    lambda s: s.n == Fraction(1),
    lambda s: s.n == Decimal(1),
    lambda s: s.n == np.int64(1),
    lambda s: s.n == None,  # noqa: E711
    lambda s: s.rank == 0,
    lambda s: s.n == Rank.LOW,
    lambda s: s.n + Rank.HIGH,
    lambda s: choose(s.flag, 1, True),
    lambda s: choose(s.flag, Fruit.APPLE, Tree.OAK),
    lambda s: choose(s.flag, 1.5, 2.5),
    lambda s: choose(s.flag, "a", "b"),
    lambda s: choose(True, s.n, s.m),
    lambda s: choose(s.n, 1, 2),
    lambda s: constant(1.5),
    lambda s: constant("a"),
    lambda s: constant(np.int64(1)),
    # booleans and numbers
    lambda s: True & s.flag,
    lambda s: s.flag & True,
    lambda s: False | s.flag,
    lambda s: s.flag | False,
    lambda s: np.bool_(True) & s.flag,
    lambda s: s.n & s.m,
    lambda s: ~s.n,
    lambda s: ~s.fruit,
    lambda s: s.flag + s.other,
    lambda s: s.flag - s.other,
    lambda s: s.flag < s.other,
    lambda s: s.fruit < s.fruit,
    lambda s: sum(s.flags),
    lambda s: larger(s.fruit, s.fruit),
    lambda s: all_of(s.flags),
    lambda s: any_of(True),
    lambda s: all_of(s.n),
    lambda s: implies(s.flag, True),
    # operators and texts that are not in the language
    lambda s: s.n * s.flag,
    lambda s: 2 * s.fruit,
    lambda s: s.n * 2.0,
    lambda s: s.n / 2,
    lambda s: s.n // s.m,
    lambda s: s.n // 0,
    lambda s: s.n % 0,
    lambda s: 7 % s.n,
    lambda s: (s.n * 9000) % 8999,
    lambda s: s.n**2,
    lambda s: s.flag ^ s.other,
    lambda s: s.n << 1,
    lambda s: s.n @ s.m,
    lambda s: -s.flag,
    lambda s: larger(),
    lambda s: smaller(s.n, s.flag),
    lambda s: smaller(s.heap),
    lambda s: total(s.n),
    lambda s: total(s.net),
    lambda s: total([True]),
    lambda s: number_of(s.n),
    lambda s: number_of(True),
    lambda s: abs(s.n),
    lambda s: round(s.n),
    lambda s: divmod(s.n, 2),
    lambda s: int(s.n),
    lambda s: float(s.n),
    lambda s: complex(s.n),
    lambda s: len(s.n),
    lambda s: iter(s.n),
    lambda s: s.n(),
    lambda s: s.n[0],
    lambda s: f"{s.n}",
    lambda s: str(s.n),
    lambda s: "%s" % s.n,  # noqa: UP031
    # look-ups by a state value
    lambda s: s.heap[s.n],
    lambda s: {0: 1}[s.n],
    lambda s: {0: 1}.get(s.n),
    lambda s: {s.n: 1},
    lambda s: s.n in {1, 2},
    lambda s: [1, 2, 3][s.n],
    lambda s: [1, 2, 3][s.n :],
    lambda s: range(s.n),
    lambda s: Fruit(s.fruit),
    lambda s: Fruit[s.fruit],
    # indices
    lambda s: s.heap[3],
    lambda s: s.heap[True],
    lambda s: s.heap[1.0],
    lambda s: s.heap[0:1],
    lambda s: s.net["left"],
    lambda s: pick(s.heap, True),
    lambda s: pick(s.heap, s.fruit),
    lambda s: pick(s.n, 0),
    lambda s: put(s.heap, 3, 1),
    lambda s: put(s.heap, True, 1),
    lambda s: put(s.heap, (), 1),
    lambda s: put(s.heap, 0, True),
    lambda s: put(s.heap, 0, s.flag),
    lambda s: put(s.heap, s.flag, 1),
    lambda s: put(s.net, 0, Fruit.PEAR),
    lambda s: put(s.net, (0, "left", 1), Fruit.PEAR),
    lambda s: put(s.n, 0, 1),
    lambda s: each(s.heap, True),
    lambda s: each(s.heap, s.heap),
    lambda s: each(s.n, 1),
    # names, guards
    lambda s: s.nothing,
    lambda s: getattr(s, "nothing", 3),
    lambda s: s.mechanisms.nothing,
    lambda s: guard("a guard", True),
    lambda s: guard("a guard", s.n),
    lambda s: guard("a guard", lambda: s.flag),
    lambda s: guard(s.flag, s.flag),
    lambda s: guard("a", s.flag) and guard("b", s.other),
    lambda s: when(s.flag),
    lambda s: when([guard("a", s.flag)]),
]


SOURCE = Path(__file__).read_text().splitlines()
LATER = {chained: 1, conditional: 1, looped: 1, asserted: 1, matched: 2, matched_member: 2}


def line_of(lie: Callable[[Any], Any]) -> int:
    """The line on which a lie is told: of a lambda its own, of a function usually the one after `def`."""
    first = lie.__code__.co_firstlineno
    return first if lie.__name__ == "<lambda>" else first + LATER.get(lie, 1)


def name_of(lie: Callable[[Any], Any]) -> str:
    return SOURCE[line_of(lie) - 1].strip().removeprefix("lambda s: ").split("  #")[0].rstrip(",:")


@pytest.mark.parametrize("lie", LIES, ids=name_of)
def test_a_lie_is_refused_with_file_line_and_fix(lie: Callable[[Any], Any]) -> None:
    with pytest.raises(LanguageError) as caught:
        make(lie)
    place, _, rest = str(caught.value).partition(": ")
    assert place == f"{__file__}:{line_of(lie)}"
    reason, _, fix = rest.partition("; ")
    assert reason
    assert fix


# Refused once the function has returned: the line is that of its return.
UPDATES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown variable": ({"nothing": 1}, "no variable 'nothing'"),
    "family with one value": ({"heap": 1}, "gives heap one value"),
    "nested family with one row": ({"net": Family("slot", dict.fromkeys(range(3), Fruit.PEAR))}, "one value"),
    "value with a family": ({"n": Family("slot", dict.fromkeys(range(3), 1))}, "gives n a family"),
    "int for bool": ({"flag": 1}, "gives flag 1"),
    "bool for int": ({"n": True}, "gives n True"),
    "float for int": ({"n": 1.0}, "gives n 1.0"),
    "text for member": ({"fruit": "apple"}, "gives fruit 'apple'"),
    "member of another": ({"fruit": Tree.OAK}, "gives fruit <Tree.OAK: 1>"),
    "outside the domain": ({"n": 4}, "gives n 4"),
}


@pytest.mark.parametrize(("changes", "reason"), UPDATES.values(), ids=UPDATES)
def test_an_update_that_cannot_be_meant_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(LanguageError) as caught:
        make(lambda s: when().then(**changes))
    assert str(caught.value).startswith(f"{__file__}:")
    assert reason in str(caught.value)


def test_an_update_of_another_type_is_refused() -> None:
    with pytest.raises(LanguageError, match="gives n <bool flag>"):
        make(lambda s: when().then(n=s.flag))
    with pytest.raises(LanguageError, match=r"give it a value of APPLE \| PEAR"):
        make(lambda s: when().then(fruit=s.tree))


def test_what_an_action_returns_is_looked_at() -> None:
    with pytest.raises(LanguageError, match="two guards of one name, 'a'"):
        make(lambda s: when(guard("a", s.flag), guard("a", s.other)).then(n=1))
    with pytest.raises(LanguageError, match=r"act returns when\(...\) without then; end it with"):
        make(lambda s: when())
    for wrong in (1, {}, (), "n", lambda: None):
        with pytest.raises(LanguageError, match=r"act returned .*; return when"):
            make(lambda s, wrong=wrong: wrong)


def test_arguments_are_indices() -> None:
    @action
    def act(s: Any, nobody: int) -> Any:
        return when().then(n=1)

    with pytest.raises(LanguageError, match="act takes 'nobody'; the indices are slot, side"):
        Protocol("test", VARIABLES, [act], [], indices=INDICES)
    with pytest.raises(LanguageError, match="x is indexed by 'nobody'"):
        Protocol("test", {"x": family("nobody", of=boolean())}, [], [])


def test_domains_are_not_empty() -> None:
    class Nothing(Enum):
        pass

    for empty in (
        lambda: count(3, 2),
        lambda: count(True, 3),
        lambda: count(0, 2.5),
        lambda: enumeration(Nothing),
    ):
        with pytest.raises(LanguageError, match=__file__):
            empty()


def test_an_initial_state_is_constant_and_inside() -> None:
    for initial in ({"n": 4}, {"nothing": 1}, {"heap": 4}, {"flag": 1}):
        with pytest.raises(LanguageError, match=__file__):
            make(lambda s: None, initial=initial)
    assert make(lambda s: None, initial={"n": 3}).start["n"] == 3


@pytest.mark.parametrize("wrong", [False, 1, [], {"harm": False}, {"harm": None}], ids=repr)
def test_a_property_is_an_expression(wrong: Any) -> None:
    @always
    def broken(s: Any) -> Any:
        return wrong

    with pytest.raises(LanguageError, match=rf"{__file__}:\d+: broken returns the "):
        make(lambda s: None, properties=[broken])


def test_a_family_cannot_be_changed_in_place() -> None:
    def change(s: Any) -> Any:
        s.heap.items[0] = 1

    with pytest.raises(TypeError, match="does not support item assignment"):
        make(change)


# ------------------------------------------------------------------ what the operations mean


def value(expression: Callable[[Any], Any], **state: int) -> Any:
    """An expression over the variables above, evaluated where the fields not given are 0."""
    found = []
    protocol = make(lambda s: found.append(expression(s)))
    codes = {**{c.name: 0 for c in protocol.cells}, **state}

    def plain(result: Any) -> Any:
        if isinstance(result, Family):
            return {k: plain(v) for k, v in result.items.items()}
        return ex.evaluate(result.term, codes, {})

    return plain(found[0])


def test_pick_by_index_by_state_and_the_last_where_none_matches() -> None:
    heap = {"heap[0]": 3, "heap[1]": 2, "heap[2]": 1}
    assert value(lambda s: pick(s.heap, 1), **heap) == 2
    assert [value(lambda s: pick(s.heap, s.n), n=n, **heap) for n in range(4)] == [3, 2, 1, 1]
    row = {"net[1,left]": 1, "net[1,right]": 2}
    assert value(lambda s: pick(s.net, s.n), n=1, **row) == {"left": 1, "right": 2}
    assert value(lambda s: pick(pick(s.net, s.n), "right"), n=1, **row) == 2


def test_put_by_index_by_state_and_by_tuples_of_both() -> None:
    assert value(lambda s: put(s.heap, 1, 3)) == {0: 0, 1: 3, 2: 0}
    assert value(lambda s: put(s.heap, s.n, s.m), n=2, m=3) == {0: 0, 1: 0, 2: 3}
    assert value(lambda s: put(s.heap, s.n, 1), n=3) == {0: 0, 1: 0, 2: 0}, "no such index: nothing is put"
    empty = {k: {"left": 0, "right": 0} for k in range(3)}
    assert value(lambda s: put(s.net, (1, "right"), Fruit.PLUM)) == {**empty, 1: {"left": 0, "right": 2}}
    assert value(lambda s: put(s.net, (s.n, "left"), s.fruit), n=2, fruit=1) == {
        **empty,
        2: {"left": 1, "right": 0},
    }
    twice = value(lambda s: put(put(s.net, (0, "left"), Fruit.PEAR), (0, "right"), Fruit.PLUM))
    assert twice == {**empty, 0: {"left": 1, "right": 2}}


def test_each_and_choose_go_through_families() -> None:
    assert value(lambda s: each(s.heap, 2)) == {0: 2, 1: 2, 2: 2}
    assert value(lambda s: each(s.heap, s.n), n=3) == {0: 3, 1: 3, 2: 3}
    assert value(lambda s: each(s.net, Fruit.PEAR)) == {k: {"left": 1, "right": 1} for k in range(3)}
    heaps = {f"heap[{i}]": 1 for i in range(3)} | {f"heap2[{i}]": 2 for i in range(3)}
    for flag in (0, 1):
        assert value(lambda s: choose(s.flag, s.heap, s.heap2), flag=flag, **heaps) == dict.fromkeys(
            range(3), 2 - flag
        )
        assert value(lambda s: choose(s.flag, 5, 7), flag=flag) == (5 if flag else 7)
        assert value(lambda s: choose(s.flag, Fruit.PLUM, s.fruit), flag=flag, fruit=1) == (2 if flag else 1)
        assert value(lambda s: choose(s.flag, s.other, True), flag=flag, other=0) == 1 - flag


def test_the_small_operations() -> None:
    for n in range(4):
        for m in range(4):
            at = {"n": n, "m": m}
            assert value(lambda s: larger(s.n, s.m), **at) == max(n, m)
            assert value(lambda s: s.n - s.m - 1, **at) == n - m - 1
            assert value(lambda s: 1 + s.n, **at) == n + 1
            assert value(lambda s: 3 - s.n, **at) == 3 - n
            assert value(lambda s: all_of(s.n >= 2, s.m < 2, s.n != s.m), **at) == (n >= 2 and m < 2)
            assert value(lambda s: any_of(s.n >= 3, s.m < 1), **at) == (n >= 3 or m < 1)
            assert value(lambda s: implies(s.n > 1, s.m > 1), **at) == (n <= 1 or m > 1)
            assert value(lambda s: (s.n == 1) == (s.m == 1), **at) == ((n == 1) == (m == 1))
    assert value(lambda s: all_of()) == 1
    assert value(lambda s: any_of()) == 0
    assert value(lambda s: sum(s.heap), **{"heap[0]": 1, "heap[2]": 2}) == 3


# ------------------------------------------------------------------ domains and states

DOMAINS = [boolean(), boolean(varies=False), count(-2, 3), count(5, 9), count(5, 9, varies=False)]
DOMAINS += [enumeration(Fruit), enumeration(Rank), enumeration(Fruit, varies=False)]


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_a_domain_encodes_what_it_decodes_and_nothing_else(domain: Domain) -> None:
    for code in range(domain.low, domain.high + 1):
        decoded = domain.decode(code)
        assert isinstance(decoded, domain.kind)
        assert domain.encode(decoded) == code
    values = [domain.decode(code) for code in range(domain.low, domain.high + 1)]
    strangers = [
        True,
        False,
        -3,
        4,
        10,
        1.0,
        "APPLE",
        None,
        Tree.OAK,
        Fruit.APPLE,
        Fruit.PLUM,
        Rank.HIGH,
        np.int64(5),
    ]
    for stranger in strangers:
        if not any(type(v) is type(stranger) and v == stranger for v in values):
            with pytest.raises(ValueError, match="is not in"):
                domain.encode(stranger)


WIDE = make(lambda s: None)


@given(st.tuples(*(st.integers(f.domain.low, f.domain.high) for f in WIDE.fields)))
def test_a_protocol_encodes_what_it_decodes(state: tuple[int, ...]) -> None:
    decoded = WIDE.decode(state)
    assert WIDE.encode(decoded) == state
    assert decoded["fixed"] is False
    assert type(decoded["flag"]) is bool
    assert decoded["net"][1]["right"] in Fruit


def test_encoding_names_the_field_that_is_wrong() -> None:
    good = WIDE.decode(WIDE.initial)
    for path, wrong, reason in [
        (("n",), 4, r"n: 4 is not in 0\.\.3"),
        (("fixed",), True, "fixed: True is not in False"),
        (("heap", 1), True, r"heap\[1\]: True is not in"),
        (("net", 2, "left"), "APPLE", r"net\[2,left\]: 'APPLE' is not in APPLE"),
        (("net", 2), {}, r"net\[2,left\] is missing"),
        (("net", 2), None, r"net\[2,left\] is missing"),
    ]:
        values = {
            k: {i: dict(r) if k == "net" else r for i, r in v.items()} if type(v) is dict else v
            for k, v in good.items()
        }
        inside: Any = values
        for key in path[:-1]:
            inside = inside[key]
        inside[path[-1]] = wrong
        with pytest.raises(ValueError, match=reason):
            WIDE.encode(values)


# ------------------------------------------------------------------ mechanisms, variants, digest


def guarded(limit: int = 2, text: str = "a text") -> Protocol:
    @action
    def climb(s: Any) -> Any:
        # A comment says nothing to an engine.
        return when(
            guard("low enough", s.n < limit),
            guard("allowed", s.mechanisms.careful | s.flag),
        ).then(n=s.n + 1, fruit=choose(s.mechanisms.fruit == Fruit.PLUM, Fruit.PLUM, s.fruit))

    @action(fault="slip")
    def slip(s: Any) -> Any:
        return when(guard("careless", ~s.mechanisms.careful)).then(n=0)

    @always
    def small(s: Any) -> Any:
        return {"it is high": s.n < 3, "it is odd": (s.n != 3) | s.mechanisms.careful}

    @sometimes
    def top(s: Any) -> Any:
        return s.n == 2

    @can_always
    def bottom(s: Any) -> Any:
        return s.n == 0

    climb.function.__doc__ = text
    return Protocol("climb", VARIABLES, [climb, slip], [small, top, bottom], INDICES, mechanisms=Mechanisms)


def test_resolving_folds_and_drops() -> None:
    careful = guarded().resolve(Mechanisms(careful=True))
    assert [str(t) for t in careful.transitions] == ["climb()"], "slip can never happen"
    assert [name for name, _ in careful.transitions[0].guards] == ["low enough"], "allowed is always true"
    assert [f.name for f, _ in careful.transitions[0].updates] == ["n"], "fruit is what it was"
    assert {c.harm: c.holds is ex.TRUE for c in careful.claims} == {
        "it is high": False,
        "it is odd": True,
        "": False,
    }
    careless = guarded().resolve(Mechanisms(careful=False, fruit=Fruit.PLUM))
    assert [(str(t), t.fault) for t in careless.transitions] == [("climb()", ""), ("slip()", "slip")]
    assert [name for name, _ in careless.transitions[0].guards] == ["low enough", "allowed"]
    assert [f.name for f, _ in careless.transitions[0].updates] == ["n", "fruit"]
    for resolved in (careful, careless):
        roots = [c.holds for c in resolved.claims] + [t.enabled for t in resolved.transitions]
        assert all(term.op != "param" for term in ex.ordered(roots))


def test_a_protocol_that_is_not_resolved_is_not_compiled() -> None:
    with pytest.raises(ValueError, match=r"mechanisms\.\w+ has no value yet; resolve the protocol first"):
        compile_protocol(guarded())


def test_one_guard_can_be_dropped() -> None:
    protocol = guarded().without_guard("climb", "low enough")
    assert [name for name, _ in protocol.transitions[0].guards] == ["allowed"]
    with pytest.raises(ValueError, match="climb has no guard 'lower'"):
        guarded().without_guard("climb", "lower")


def test_the_digest_is_of_what_is_meant() -> None:
    assert guarded().digest == guarded(text="another text").digest
    assert guarded().digest != guarded(limit=3).digest
    assert guarded().digest != guarded().without_guard("climb", "low enough").digest
    assert guarded().resolve(Mechanisms()).digest != guarded().digest
    assert len({guarded().resolve(Mechanisms(c, f)).digest for c in (True, False) for f in Fruit}) == 4, (
        "two fruits that are not plums are one specification"
    )
    assert two_phase_commit(2).digest == two_phase_commit(2).digest != two_phase_commit(3).digest


def test_two_phase_commit_has_its_published_count_of_states() -> None:
    protocol = two_phase_commit(3)
    compiled, seen, todo = compile_protocol(protocol), {protocol.initial}, [protocol.initial]
    while todo:
        state = todo.pop()
        assert compiled.judge(state) == ()
        fresh = {after for _, after in compiled.successors(state)} - seen
        seen |= fresh
        todo += fresh
    assert len(seen) == 288
