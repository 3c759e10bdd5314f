"""A mutant judged: which property notices it, where, and in how many steps; and where nothing does, why not.

Where nothing notices under the default policy, these are asked in turn, and the first that says something is taken:

- *policy*: it is noticed under a policy, or without companions, under which some safeguard is shown to be necessary.
- *another effect*: it is noticed where another effect on the same variable is left out too, which alone is not.
- *the same*: in no scope does it change a state or a step: what is done there is done already, or never taken.
- *tidying*: the states that are reached are the same in every scope, but for that variable; nothing else follows.
  (Where neither is said, rounds that go on for ever are looked for, and larger scopes.)
- *seldom*: something that should happen sometimes no longer does, and nothing else.
- *a safeguard*: it is noticed where a safeguard is gone without which everything else holds.
- *harmless*: other states are reached, of which no property says anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cutproof.checks.cutover.safeguards.mutants import Mutant, mutants
from cutproof.checks.cutover.safeguards.necessity import DEFAULT, NECESSARY
from cutproof.checks.engines.exploration import Exploration, Limits, States
from cutproof.checks.engines.plain.explore import explore as plain
from cutproof.checks.engines.verdict import Violated
from cutproof.model.cutover.coordinator import build
from cutproof.model.cutover.policy import Policy
from cutproof.model.cutover.safeguards import SAFEGUARDS
from cutproof.model.cutover.scopes import parse_scope
from cutproof.model.language.codegen import compile_protocol
from cutproof.model.language.protocol import Protocol

# From small to large, each with something that the others lack; then larger ones, for what is not noticed there though
# other states are reached; then such as are only looked at for effects that are in none of the others.
SCOPES = ("retry", "two_migrations", "zombie", "base", "replica", "leftovers", "reads")
LARGER = ("deletes", "crash", "abort", "two_repairs", "leftovers,late=1,queues=1")
LARGE = ("two_documents", "collection", "kinds", "another_policy")
MASKED_IN = ("two_migrations", "zombie")  # where another safeguard or effect is taken away too
SMALL = 60_000  # states: more than all but `LARGE` have. Beyond twice that, the fast engine starts anew
MOST = Limits(states=2_000_000)


@dataclass(frozen=True)
class Setting:
    """Where a mutant is looked at: a scope, a policy, and what is taken away besides."""

    scope: str
    policy: Policy = DEFAULT
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        policy = ",".join(f"{k}={str(v).lower()}" for k, v in self.policy.changed().items())
        parts = [self.scope, f"without {', '.join(self.without)}" * bool(self.without), policy]
        return "; ".join(filter(None, parts))


@dataclass(frozen=True)
class Noticed:
    """The property that notices a mutant, the kind of harm, after how many steps, and where."""

    property: str
    harm: str
    steps: int
    setting: Setting

    def __str__(self) -> str:
        return f"{' '.join(filter(None, (self.property, self.harm)))}, {self.steps} steps, {self.setting}"


@dataclass(frozen=True)
class Judged:
    """A mutant, and what noticed it; or why nothing did: a word of the list above, and what it is about."""

    mutant: Mutant
    by: Noticed | None = None
    why: str = ""
    about: str = ""


@dataclass(frozen=True)
class Alike:
    """A mutant beside the protocol as it is: whether states and steps are the same, or the states but for its
    variable; and what happens sometimes no longer."""

    same: bool
    tidying: bool
    never: tuple[str, ...] = ()


# ------------------------------------------------------------------ looking


@cache
def hardened(setting: Setting) -> Protocol:
    """The protocol in a setting, every effect in place."""
    return build(parse_scope(setting.scope), setting.policy, setting.without)


def mutated(mutant: Mutant, setting: Setting) -> Protocol | None:
    """The protocol with the mutant, or None where there is no such effect."""
    try:
        return mutant.of(hardened(setting))
    except ValueError:
        return None


@cache
def held(setting: Setting) -> tuple[str, ...]:
    """The properties that hold there while every effect is in place; of the default policy they all do, and that is for
    other tests to say."""
    if setting == Setting(setting.scope):
        return tuple(dict.fromkeys(c.property for c in hardened(setting).claims if c.form != "sometimes"))
    claims = hardened(setting).claims
    broken = {v.property for v in whole(setting).verdicts if isinstance(v, Violated)}
    return tuple(
        dict.fromkeys(c.property for c in claims if c.form != "sometimes" and c.property not in broken)
    )


@cache
def whole(setting: Setting) -> Exploration:
    """All that is reached there, every effect in place, as far as the limit of the plain engine."""
    return plain(hardened(setting), limits=Limits(states=SMALL), cycles=False)


def noticed(
    mutant: Mutant, setting: Setting, beside: Mutant | None = None, cycles: bool = False
) -> Noticed | None:
    """What notices the mutant there, by the fewest steps; None where nothing does, or there is no such effect. Rounds
    that go on for ever are looked for only if asked: that is most of the work."""
    protocol = mutated(mutant, setting)
    if protocol is None or not held(setting):
        return None
    return _explored(beside.of(protocol) if beside else protocol, setting, held(setting), cycles)[0]


def _explored(
    protocol: Protocol, setting: Setting, properties: Sequence[str] | None, cycles: bool = False
) -> tuple[Noticed | None, Exploration]:
    """What notices it, and what the plain engine saw; the fast one says the first where that is too large for it."""
    limits = Limits(states=2 * SMALL)
    found = plain(protocol, properties=properties, stop_at_first=True, limits=limits, cycles=cycles)
    bad = _first(found, setting)
    if bad is None and found.ended.startswith("the limit"):
        from cutproof.checks.engines.fast.explore import explore as fast  # it takes a while to import

        told = fast(
            protocol, properties=properties, stop_at_first=True, limits=MOST, cycles=cycles, witnesses=False
        )
        bad = _first(told, setting)
    return bad, found


def _first(found: Exploration, setting: Setting) -> Noticed | None:
    bad = [v for v in found.verdicts if isinstance(v, Violated) and v.form != "sometimes"]
    first = min(bad, key=lambda v: v.path.steps if v.path else 0, default=None)
    if first is None:
        return None
    return Noticed(first.property, first.harm, first.path.steps if first.path else 0, setting)


def scopes_of(mutant: Mutant) -> list[Setting]:
    """The scopes in which there is such an effect: small ones, or else the large ones."""
    tiers = [[Setting(s) for s in names if mutated(mutant, Setting(s))] for names in (SCOPES, LARGER, LARGE)]
    return next(filter(None, tiers), [])


# ------------------------------------------------------------------ judging


def judge(mutant: Mutant) -> Judged:
    """Look for what notices a mutant, scope after scope; then for why nothing does."""
    alike: list[tuple[Setting, Alike]] = []
    for setting in scopes_of(mutant):
        by, beside = looked_at(mutant, setting)
        if by is not None:
            return Judged(mutant, by)
        alike += [(setting, beside)] if beside else []
    why, about = why_not(mutant, alike)
    if not why:
        again = [(setting, True) for setting, _ in alike] + [(Setting(scope), False) for scope in LARGER]
        for setting, cycles in again:
            if (by := noticed(mutant, setting, cycles=cycles)) is not None:
                return Judged(mutant, by)
        why, about = why_at_all(mutant, alike)
    return Judged(mutant, None, why, about)


def looked_at(mutant: Mutant, setting: Setting) -> tuple[Noticed | None, Alike | None]:
    """What notices a mutant under the default policy; where nothing does, it is held beside the protocol as it is, but
    for scopes that are too large. Raises ValueError where there is no such effect."""
    protocol = mutant.of(hardened(setting))
    by, there = _explored(protocol, setting, None)
    if by is not None or there.ended or setting.scope in LARGE:
        return by, None
    here = whole(setting)
    mine, yours = _packed(here), _packed(there)
    same = len(mine) == len(yours) and here.transitions == there.transitions and set(mine) == set(yours)
    hidden = _bits(protocol, mutant.variable)
    tidying = same or {p & ~hidden for p in mine} == {p & ~hidden for p in yours}
    return None, Alike(same, tidying, tuple(sorted(_never(there) - _never(here))))


def why_not(mutant: Mutant, alike: Sequence[tuple[Setting, Alike]]) -> tuple[str, str]:
    """Why nothing notices a mutant in the small scopes: a word, and what it is about; empty where that is not known."""
    for setting in other_settings():
        if (by := noticed(mutant, setting)) is not None:
            return "policy", str(by)
    for setting in map(Setting, MASKED_IN):
        for other in siblings(mutant, setting):
            if (by := noticed(mutant, setting, beside=other)) is not None:
                return "another effect", f"{other.effect}: {by}"
    if alike and all(a.same for _, a in alike):
        return "the same", ""
    if alike and all(a.tidying for _, a in alike):
        return "tidying", ""
    return "", ""


def why_at_all(mutant: Mutant, alike: Sequence[tuple[Setting, Alike]]) -> tuple[str, str]:
    """Why nothing notices a mutant that reaches other states: a word, and what it is about."""
    if never := next((f"{a.never[0]} in {setting}" for setting, a in alike if a.never), ""):
        return "seldom", never
    for setting in masking():
        if (by := noticed(mutant, setting)) is not None:
            return "a safeguard", str(by)
    return "harmless", ""


def _packed(found: Exploration) -> list[int]:
    assert isinstance(found.states, States)
    return found.states.packed


def _never(found: Exploration) -> set[str]:
    return {v.property for v in found.verdicts if isinstance(v, Violated) and v.form == "sometimes"}


def _bits(protocol: Protocol, variable: str) -> int:
    """The bits of a packed state that are a variable's."""
    pack, start, found = compile_protocol(protocol).pack, protocol.initial, 0
    for i, field in enumerate(protocol.fields):
        for value in range(field.domain.low, field.domain.high + 1) if field.variable == variable else ():
            found |= pack(start) ^ pack((*start[:i], value, *start[i + 1 :]))
    return found


@cache
def other_settings() -> tuple[Setting, ...]:
    """The policies and companions under which some safeguard is shown to be necessary, each in its scope, where the
    plain engine can explore that."""
    chosen = dict.fromkeys(
        Setting(e.scope_name, e.policy, e.companions)
        for e in NECESSARY
        if e.policy != DEFAULT or e.companions
    )
    return tuple(setting for setting in chosen if not whole(setting).ended)


@cache
def masking() -> tuple[Setting, ...]:
    """Each safeguard taken away where everything holds without it."""
    every = (Setting(scope, DEFAULT, (name,)) for scope in MASKED_IN for name in SAFEGUARDS)
    return tuple(setting for setting in every if held(setting) == held(Setting(setting.scope)))


def siblings(mutant: Mutant, setting: Setting) -> list[Mutant]:
    """The other effects on the same variable, left out, of which nothing is noticed there."""
    if mutated(mutant, setting) is None:
        return []
    found = dict.fromkeys(Mutant(m.action, m.variable) for m in mutants([hardened(setting)]))
    mine = [m for m in found if m.variable == mutant.variable and m.action != mutant.action]
    return [m for m in mine if _alone(m, setting) is None]


@cache
def _alone(mutant: Mutant, setting: Setting) -> Noticed | None:
    return noticed(mutant, setting)
