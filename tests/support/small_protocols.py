"""Small protocols drawn by Hypothesis: steps that depend on each other, faults, choices, claims of every form, and now
and then an action that leaves its domain."""

from typing import Any

from hypothesis import strategies as st

from cutproof.model.language import (
    Action,
    Property,
    Step,
    action,
    all_of,
    always,
    any_of,
    boolean,
    can_always,
    choose,
    constant,
    count,
    family,
    guard,
    one_of,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol

CONDITIONS: dict[str, Any] = {
    "down": lambda s, i: ~s.up[i],
    "up": lambda s, i: s.up[i],
    "next up": lambda s, i: s.up[(i + 1) % 2],
    "sum small": lambda s, i: s.sum < 2,
    "sum large": lambda s, i: s.sum >= 2,
    "level below sum": lambda s, i: s.level[i] < s.sum,
    "level low": lambda s, i: s.level[i] == 0,
    "some down": lambda s, i: any_of(*(~u for u in s.up)),
    "never": lambda s, i: s.sum + s.level[i] > 8,
}
CHANGES: dict[str, Any] = {
    "rise": lambda s, i: {"up": put(s.up, i, True)},
    "fall": lambda s, i: {"up": put(s.up, i, False)},
    "add": lambda s, i: {"sum": choose(s.sum < 3, s.sum + 1, s.sum)},
    "drop": lambda s, i: {"sum": constant(0), "up": put(s.up, (i + 1) % 2, False)},
    "climb": lambda s, i: {"level": put(s.level, i, choose(s.up[i], s.level[i] + 1, s.level[i]))},
    "nothing": lambda s, i: {"sum": s.sum},
    "both": lambda s, i: {"up": put(s.up, i, ~s.up[i]), "sum": choose(s.up[i], constant(3), constant(1))},
}
KINDS: list[dict[str, Any]] = [{}, {}, {"fault": "crash"}, {"choice": True}]
STEPS = st.tuples(
    st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=3, unique=True),
    st.sampled_from(sorted(CHANGES)),
    st.sampled_from(range(len(KINDS))),
)
CLAIMS = st.tuples(
    st.sampled_from(["always", "sometimes", "can_always"]), st.sampled_from(sorted(CONDITIONS)), st.booleans()
)


def _action(number: int, conditions: list[str], change: str, kind: int) -> Action:
    def step(s: Any, i: int) -> Step:
        """One of the steps that were drawn."""
        return when(*(guard(c, CONDITIONS[c](s, i)) for c in conditions)).then(**CHANGES[change](s, i))

    step.__name__ = f"step{number}"
    return action(**KINDS[kind])(step) if KINDS[kind] else action(step)


def _property(number: int, form: str, condition: str, negated: bool) -> Property:
    def claim(s: Any) -> Any:
        """One of the claims that were drawn."""
        parts = [CONDITIONS[condition](s, i) for i in range(2)]
        return ~all_of(*parts) if negated else all_of(*parts)

    claim.__name__ = f"claim{number}"
    return {"always": always, "sometimes": sometimes, "can_always": can_always}[form](claim)


def made(
    steps: list[tuple[list[str], str, int]], claims: list[tuple[str, str, bool]], several: bool = False
) -> Protocol:
    """`several`: of initial states."""
    return Protocol(
        name="drawn",
        indices={"i": range(2)},
        variables={"up": family("i", of=boolean()), "level": family("i", of=count(0, 2)), "sum": count(0, 3)},
        actions=[_action(n, *drawn) for n, drawn in enumerate(steps)],
        properties=[_property(n, *drawn) for n, drawn in enumerate(claims)],
        initial={"sum": one_of(0, 2)} if several else {},
    )


PROTOCOLS = st.builds(
    made, st.lists(STEPS, min_size=1, max_size=4), st.lists(CLAIMS, min_size=1, max_size=3), st.booleans()
)
