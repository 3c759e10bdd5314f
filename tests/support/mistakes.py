"""Mistakes that somebody makes in a protocol file: each a whole file, the line of the mistake, and a part of what must
be said of it. Each is one small change to a file that is right (`RIGHT`).

    MISTAKES["a forgotten return in an action"]   # (text of the file, line, part of the message)
"""

# ruff: noqa: E501  a table, a line for each part of a mistake

RIGHT = '''\
"""Two nodes, one lock."""

from enum import Enum

from cutproof.model.language import *
from cutproof.model.protocol import Protocol


class Role(Enum):
    IDLE = "idle"
    HOLDER = "holder"


@action
def take(s, node):
    """A node takes the free lock."""
    return when(guard("free", ~s.taken)).then(taken=True, role=put(s.role, node, Role.HOLDER))


@action(fault="crash")
def crash(s, node):
    """A node forgets that it holds the lock."""
    if node == 0:
        return None
    return when(guard("holds", s.role[node] == Role.HOLDER)).then(role=put(s.role, node, Role.IDLE), n=s.n + 1)


@always
def exclusive(s, node, other):
    """No two nodes hold the lock."""
    if node == other:
        return True
    return ~((s.role[node] == Role.HOLDER) & (s.role[other] == Role.HOLDER))


@invariant
def taken_by_somebody(s, node):
    """Only a taken lock is held."""
    return implies(s.role[node] == Role.HOLDER, s.taken)


protocol = Protocol(
    name="lock",
    indices={"node": range(2), "other": range(2)},
    variables={"taken": boolean(), "role": family("node", of=enumeration(Role)), "n": count(0, 1)},
    initial={"role": [Role.IDLE, Role.IDLE]},
    actions=[take, crash],
    properties=[exclusive, taken_by_somebody],
)
'''

TAKE = '    return when(guard("free", ~s.taken)).then(taken=True, role=put(s.role, node, Role.HOLDER))'
EXCLUSIVE = "    return ~((s.role[node] == Role.HOLDER) & (s.role[other] == Role.HOLDER))"
TAKEN = "    return implies(s.role[node] == Role.HOLDER, s.taken)"
CRASH = "then(role=put(s.role, node, Role.IDLE), n=s.n + 1)"
INDICES = '    indices={"node": range(2), "other": range(2)},'
VARIABLES = (
    '    variables={"taken": boolean(), "role": family("node", of=enumeration(Role)), "n": count(0, 1)},'
)
INITIAL = '    initial={"role": [Role.IDLE, Role.IDLE]},'
ACTIONS = "    actions=[take, crash],"
PROPERTIES = "    properties=[exclusive, taken_by_somebody],"
MADE = "protocol = Protocol("
HERE = "  # wrong"
AT_PROTOCOL = "protocol = Protocol(" + HERE


def _file(*changes: tuple[str, str], said: str) -> tuple[str, int, str]:
    """The right file with some changes; the line of the mistake ends in HERE, or is that of `Protocol(`."""
    text = RIGHT
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} is not once in the file")
        text = text.replace(old, new)
    if HERE not in text:
        text = text.replace(MADE, AT_PROTOCOL)
    (line,) = (number for number, one in enumerate(text.split("\n"), 1) if one.endswith(HERE))
    return text, line, said


def _domain(old: str, new: str, said: str) -> tuple[str, int, str]:
    """A mistake in a domain: it is found where the word is written."""
    return _file((VARIABLES, VARIABLES.replace(old, new) + HERE), said=said)


def _given(old: str, new: str, said: str) -> tuple[str, int, str]:
    """A mistake in what `Protocol(...)` is given."""
    return _file((old, new), said=said)


MISTAKES: dict[str, tuple[str, int, str]] = {
    # returns
    "a forgotten return in an action": _file(
        (TAKE, TAKE.replace("return ", "") + HERE), said="take ends here and returns nothing; write return before its step"
    ),
    "a forgotten return in a property": _file(
        (EXCLUSIVE, EXCLUSIVE.replace("return ", "") + HERE),
        said="exclusive ends here and returns nothing; write return before its condition",
    ),
    "a forgotten return in an invariant": _file(
        (TAKEN, TAKEN.replace("return ", "") + HERE), said="taken_by_somebody ends here and returns nothing; write return"
    ),
    "a return forgotten on one way": _file(
        (TAKE, f"    if node == 0:{HERE}\n    {TAKE}"), said="take can end here without a return; return its step, or write"
    ),
    "an action that returns nothing but None": _file(
        (TAKE, "    return None"), ("def take(s, node):", f"def take(s, node):{HERE}"), said="take never returns its step"
    ),
    "a step without then": _file(
        (TAKE, TAKE.partition(".then")[0] + HERE), said="take returns when(...) without then; end it with .then("
    ),
    "an action that returns a condition": _file(
        (TAKE, "    return ~s.taken" + HERE), said="take returned <bool (not taken)>; return when(...).then(...), or None"
    ),
    "a property that returns False": _file(
        (TAKEN, "    return s.role[node] is Role.HOLDER" + HERE),
        said="taken_by_somebody returns the Python False, known before anything runs; write constant(False)",
    ),
    "a property that returns a number": _file(
        (TAKEN, "    return s.n" + HERE), said="taken_by_somebody returns a int; compare it first"
    ),
    "a property that returns a step": _file(
        (TAKEN, "    return when().then()" + HERE), said="taken_by_somebody returns the Step"
    ),
    "a harm without a name": _file(
        (TAKEN, "    return {1: s.taken}" + HERE), said="taken_by_somebody names the harm 1; name it by a text"
    ),
    "a sometimes that is True for some arguments": _file(
        ("@always", "@sometimes"), ("        return True", "        return True  # of a node and itself"),
        ("def exclusive(s, node, other):", f"def exclusive(s, node, other):{HERE}"),
        said="exclusive returns the Python True, so it would hold everywhere; return None",
    ),
    # steps
    "a new value for no variable": _file(
        (TAKE, TAKE.replace("taken=True", "takn=True") + HERE), said="take changes no variable 'takn'; did you mean taken?"
    ),
    "one value for a family": _file(
        (TAKE, TAKE.replace("put(s.role, node, Role.HOLDER)", "Role.HOLDER") + HERE),
        said="take gives role one value; use put(...) or each(...)",
    ),
    "an extra place of a family": _file(
        (TAKE, TAKE.replace("put(s.role, node, Role.HOLDER)", 'Family("node", dict.fromkeys(range(3), Role.IDLE))') + HERE),
        said="take gives role a value at 2; the values of node are 0, 1",
    ),
    "a place of a family left out": _file(
        (TAKE, TAKE.replace("put(s.role, node, Role.HOLDER)", 'Family("node", {0: Role.IDLE})') + HERE),
        said="take gives role no value at node 1; use put(...)",
    ),
    "a place outside the index": _file(
        (TAKE, TAKE.replace("put(s.role, node,", "put(s.role, 7,") + HERE), said="no node 7; there are 0, 1"
    ),
    "a look-up outside the index": _file(
        (TAKE, TAKE.replace("~s.taken", "s.role[7] == Role.IDLE") + HERE), said="no node 7; there are 0, 1"
    ),
    "a value outside the domain": _file(
        (TAKE, TAKE.replace("taken=True", "n=2") + HERE), said="take gives n 2; give it a value of 0..1"
    ),
    "two guards of one name": _file(
        (TAKE, TAKE.replace('guard("free", ~s.taken)', 'guard("free", ~s.taken), guard("free", s.n == 0)') + HERE),
        said="two guards of one name, 'free'; name each guard on its own",
    ),
    "a guard without a name": _file(
        (TAKE, TAKE.replace('guard("free", ~s.taken)', "guard(~s.taken)") + HERE),
        said='guard() missing 1 required positional argument: \'condition\'; write guard("name", condition)',
    ),
    "a guard that Python decided": _file(
        (TAKE, TAKE.replace("~s.taken", "s.n is None") + HERE), said="guard 'free' got the Python bool False; give it an"
    ),
    "a condition in place of a guard": _file(
        (TAKE, TAKE.replace('guard("free", ~s.taken)', "~s.taken") + HERE), said="when got the Operand"
    ),
    "then with a value without its variable": _file(
        (TAKE, TAKE.replace("taken=True, role=put(s.role, node, Role.HOLDER)", "True") + HERE),
        said="takes 1 positional argument but 2 were given; write then(field=new, ...)",
    ),
    "a change in place": _file(
        (TAKE, "    s.taken = True" + HERE), said="s.taken = ... changes nothing; return when(...).then(taken=...)"
    ),
    "no such variable": _file(
        (TAKE, TAKE.replace("~s.taken", "~s.taken_by") + HERE), said="no variable 'taken_by'; did you mean taken?"
    ),
    "and between conditions": _file(
        (TAKE, TAKE.replace("~s.taken", "~s.taken and s.n == 0") + HERE), said="write & | ~ for and/or/not"
    ),
    # functions
    "an undecorated function among the actions": _file(
        ("@action\ndef take(s, node):", f"def take(s, node):{HERE}"),
        said="actions has take, which is no action; write @action above a function",
    ),
    "an undecorated function among the properties": _file(
        ("@invariant\ndef taken_by_somebody(s, node):", f"def taken_by_somebody(s, node):{HERE}"),
        said="properties has taken_by_somebody, which is no property; write @always, @sometimes, @can_always, @leads_to",
    ),
    "an action among the properties": _file(
        (PROPERTIES, "    properties=[exclusive, take],"), ("def take(s, node):", f"def take(s, node):{HERE}"),
        said="properties has take, which is made by another decorator; list it in actions=",
    ),
    "a property among the actions": _file(
        (ACTIONS, "    actions=[take, exclusive],"),
        ("def exclusive(s, node, other):", f"def exclusive(s, node, other):{HERE}"),
        said="actions has exclusive, which is made by another decorator; list it in properties=",
    ),
    "two actions of one name": _file(
        ("def crash(s, node):", f"def take(s, node):{HERE}"),
        ("@action(fault=", "before = take\n\n\n@action(fault="), (ACTIONS, "    actions=[before, take],"),
        said="two actions are called take; give each a name of its own",
    ),
    "an action listed twice": _file(
        (ACTIONS, "    actions=[take, crash, take],"), ("def take(s, node):", f"def take(s, node):{HERE}"),
        said="two actions are called take (the same one twice)",
    ),
    "two properties of one name": _file(
        ("@invariant\ndef taken_by_somebody(s, node):", f"first = exclusive\n\n\n@always\ndef exclusive(s, node):{HERE}"),
        (PROPERTIES, "    properties=[first, exclusive],"),
        said="two properties are called exclusive; give each a name of its own",
    ),
    "a property named as a verdict": _file(
        ("def taken_by_somebody(s, node):", f"def deadlock(s, node):{HERE}"),
        said="a property is called deadlock, as a verdict of every exploration is; name it otherwise",
    ),
    "an argument that is no index": _file(
        ("def take(s, node):", f"def take(s, nod):{HERE}"), said="take takes 'nod'; did you mean node?"
    ),
    "an argument that is a variable": _file(
        ("def take(s, node):", f"def take(s, node, taken):{HERE}"), said="take takes 'taken'; the variable is s.taken"
    ),
    "a forgotten state": _file(
        ("def take(s, node):", f"def take(node):{HERE}"),
        said="take takes 'node' in place of the state; write def take(s, node):",
    ),
    "an action without arguments": _file(
        ("def take(s, node):", f"def take():{HERE}"), said="take does not take the state; write def take(s):"
    ),
    "an argument with a default": _file(
        ("def take(s, node):", f"def take(s, node=0):{HERE}"),
        said="take gives 'node' a default; it takes every value of its index: leave it out",
    ),
    "an action with *args": _file(
        ("def take(s, node):", f"def take(s, *node):{HERE}"), said="take takes *node; name each index as a plain argument"
    ),
    "a keyword-only argument": _file(
        ("def take(s, node):", f"def take(s, *, node):{HERE}"), said="take takes node; name each index as a plain arg"
    ),
    "a fault that is no text": _file(
        ('@action(fault="crash")', "@action(fault=True)"), ("def crash(s, node):", f"def crash(s, node):{HERE}"),
        said='crash has the fault True; name its kind, as fault="crash"',
    ),
    "a fault without its keyword": _file(
        ('@action(fault="crash")', f'@action("crash"){HERE}'), said="@action got the str 'crash'; write @action above a"
    ),
    "a decorator's argument that is unknown": _file(
        ('@action(fault="crash")', f'@action(falt="crash"){HERE}'),
        said="action() got an unexpected keyword argument 'falt'; write @action, or @action(fault=",
    ),
    "an action without a name": _file(
        (MADE, f"quick = action(lambda s: when().then(n=1)){HERE}\n\n\n{MADE}"),
        said="an action without a name; write def NAME(s): and @action above it",
    ),
    # domains
    "a boolean with an argument": _domain(
        "boolean()", "boolean(True)", "boolean() takes 0 positional arguments but 1 was given; write boolean()"
    ),
    "a count of one number": _domain(
        "count(0, 1)", "count(3)", "count() missing 1 required positional argument: 'high'; write count(low, high)"
    ),
    "a count of a range": _domain(
        "count(0, 1)", "count(0, range(3))", "count(0, range(0, 3)) is not of integers; give two integers"
    ),
    "a count that is empty": _domain("count(0, 1)", "count(1, 0)", "count(1, 0) is empty; give the smaller bound first"),
    "an enumeration of a list": _domain(
        "enumeration(Role)", 'enumeration(["idle"])', "enumeration(['idle']) is of no Enum class; write enumeration(KIND)"
    ),
    "a family without its domain": _domain(
        "of=enumeration(Role)", "enumeration(Role)", "family() missing 1 required keyword-only argument: 'of'; write family"
    ),
    "a family of a domain that was not called": _domain(
        "of=enumeration(Role)", "of=boolean", "; write of=boolean(), of=count(low, high) or of=enumeration(KIND)"
    ),
    "a family without an index": _domain(
        '"node", of', "of", 'a family without an index; write family("index", of=boolean())'
    ),
    "a family of a function with other arguments": _domain(
        "of=enumeration(Role)", "of=lambda: boolean()", "takes other arguments; write of=lambda node: ..."
    ),
    "a family whose function returns no domain": _domain(
        "of=enumeration(Role)", "of=lambda node: Role", "a family is of <enum 'Role'> at 0; return boolean()"
    ),
    "a family by no index": _given('family("node"', 'family("nodes"', "role is indexed by 'nodes'; did you mean node?"),
    "a variable without parentheses": _given('"taken": boolean()', '"taken": boolean', "the variable taken is <function"),
    "a variable that is a type": _given('"taken": boolean()', '"taken": bool', "<class 'bool'>; write boolean()"),
    "a variable that is an Enum": _given('"taken": boolean()', '"taken": Role', "<enum 'Role'>; write enumeration(Role)"),
    "a variable that is a range": _given("count(0, 1)", "range(4)", "the variable n is range(0, 4); write count(0, 3)"),
    # names
    "a variable called scope": _given('"n": ', '"scope": ', "a variable is called scope; s.scope is something else"),
    "a variable called mechanisms": _given('"n": ', '"mechanisms": ', "a variable is called mechanisms; s.mechanisms is"),
    "a variable called _values": _given('"n": ', '"_values": ', "a variable is called _values; a name with _ in front"),
    "a variable called f[0]": _given('"n": ', '"f[0]": ', "a variable is called 'f[0]'; name it as a Python identifier"),
    "a variable called as a keyword": _given('"n": ', '"if": ', "a variable is called 'if'; name it as a Python id"),
    "an index called as no name": _given('"other": ', '"an other": ', "an index is called 'an other'; name it as an arg"),
    "a protocol without a name": _given('name="lock"', "name=None", 'a protocol is called None; write name="my_protocol"'),
    # indices
    "an index value twice": _given('"other": range(2)', '"other": [0, 0]', "other has 0 twice; give each value once"),
    "index values that are written alike": _given(
        '"other": range(2)', '"other": [1, "1"]', "other has 1 and '1', which are written alike"
    ),
    "cells that are written alike": _file(
        (INDICES, '    indices={"node": ["a", "a,b"], "other": ["b,c", "c"]},'),
        (VARIABLES, VARIABLES.replace('family("node"', 'family("node", "other"')), (INITIAL + "\n", ""),
        said="two cells of the state are called role[a,b,c]; name index values without commas",
    ),
    "an index that is a set": _given('"other": range(2)', '"other": {0, 1}', "a set, which has no order; give a list"),
    "an index that is a number": _given('"other": range(2)', '"other": 2', "the values of other are 2; write range(2)"),
    "an index that is a text": _given('"other": range(2)', '"other": "ab"', "are the text 'ab'; give a list, as ['a', 'b']"),
    "an index that is empty": _given('"other": range(2)', '"other": []', "other has no values; give it some, or leave"),
    "an index of floats": _given('"other": range(2)', '"other": [0.5]', "other has the value 0.5, a float; index by int"),
    "an index of lists": _given('"other": range(2)', '"other": [[0], [1]]', "other has the value [0], a list; index by"),
    "indices that are a list": _given(INDICES, '    indices=["node", "other"],', "indices are the list ['node', 'other']"),
    # initial values
    "an initial value outside": _given(INITIAL, '    initial={"n": 2},', "initial gives n 2; give a value of 0..1"),
    "an initial value of no variable": _given(INITIAL, '    initial={"rol": 1},', "no variable 'rol'; did you mean role?"),
    "an initial place outside the index": _given(
        INITIAL, '    initial={"role": {0: Role.IDLE, 1: Role.IDLE, 2: Role.IDLE}},',
        "initial gives role a value at node 2; the values of node are 0, 1",
    ),
    "an initial place left out": _given(
        INITIAL, '    initial={"role": {0: Role.IDLE}},', "initial gives role no value at node 1; give one for each"
    ),
    "too few initial values": _given(INITIAL, '    initial={"role": [Role.IDLE]},', "gives role 1 values for 2 of node"),
    "initial values by list for one variable": _given(INITIAL, '    initial={"n": [0, 1]},', "gives n the list [0, 1]; it"),
    "an initial set": _given(INITIAL, '    initial={"n": {0, 1}},', "gives n the set {0, 1}; it is one value, or one_of"),
    "one_of a list": _file(
        (INITIAL, f'    initial={{"n": one_of([0, 1])}},{HERE}'), said="one_of got the list [0, 1]; write one_of(*values)"
    ),
    "initial that is no dictionary": _given(INITIAL, "    initial=[0],", "initial is the list [0]; write initial={"),
    # the rest
    "an unknown argument of Protocol": _given(
        PROPERTIES, "    propertys=[exclusive],", "unexpected keyword argument 'propertys'; write Protocol(name="
    ),
    "properties left out": _given(PROPERTIES + "\n", "", "missing 1 required positional argument: 'properties'; write"),
    "actions that are a set": _given(ACTIONS, "    actions={take, crash},", "actions is a set, which has no order; write"),
    "properties that are a text": _given(PROPERTIES, '    properties="exclusive",', "properties is the str 'exclusive'"),
    "one action in place of a list": _given(ACTIONS, "    actions=take,", "actions is take alone; write actions=[take]"),
    "actions by name": _given(ACTIONS, '    actions=["take"],', "actions has 'take', which is no action; write @action"),
    "a measure that is no function": _given(MADE, MADE + "\n    measure=3,", "measure is 3; give a function: measure="),
    "a measure that is a condition": _given(
        MADE, MADE + "\n    measure=lambda s: s.taken," + HERE, "the measure returns a bool; return a whole number"
    ),
    "mechanisms that are no dataclass": _given(MADE, MADE + "\n    mechanisms=Role,", "mechanisms are Role, no dataclass"),
}  # fmt: skip
