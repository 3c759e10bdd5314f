"""A walk through a protocol: where a way leads, what can be done there, and the way as a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from cutproof.checks.common.refusals import refuse
from cutproof.checks.engines.plain.search import steps_of
from cutproof.checks.traces import story
from cutproof.checks.traces.outcome import values_of
from cutproof.checks.traces.trace import Step, Trace, from_path, plain, to_bytes
from cutproof.checks.views.byhand.jumps import Found, jump
from cutproof.checks.views.carried import pictured
from cutproof.checks.views.choices import ENABLED
from cutproof.checks.views.drawing import Drawing, Verdict
from cutproof.checks.views.make import Maker, about
from cutproof.checks.views.messages import arrows_of
from cutproof.model.language.codegen import compile_protocol, compile_terms
from cutproof.model.language.protocol import Protocol, State, label

LONGEST = 1_000  # steps of a way
LEAVES = -2  # beside `ENABLED`: its guards are true, and it leaves the values that a variable can have
REMEMBERED = 1_000  # ways that were found, of which is known what they show

Number = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way: the number of the state in which it begins, and of each transition that was taken."""

    begin: Number = 0
    path: Annotated[tuple[Number, ...], msgspec.Meta(max_length=LONGEST)] = ()


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A jump to where a claim, by its number, is seen to fail (of a *sometimes*: to hold). `here`: from the end of
    the way, else from where runs begin."""

    claim: Number
    here: bool = False
    begin: Number = 0
    path: Annotated[tuple[Number, ...], msgspec.Meta(max_length=LONGEST)] = ()


class Call(msgspec.Struct, frozen=True):
    """A transition: its action, and its arguments as text."""

    action: str
    arguments: str


class Doing(msgspec.Struct, frozen=True):
    """An action: what it says of itself, and its kind: a fault, a choice, or neither."""

    sentence: str
    kind: str


class Said(msgspec.Struct, frozen=True):
    """A claim of a property."""

    name: str
    form: str
    harm: str
    sentence: str


class About(msgspec.Struct, frozen=True):
    """What does not change from place to place."""

    name: str
    settings: tuple[tuple[str, str], ...]
    calls: tuple[Call, ...]
    actions: dict[str, Doing]
    guards: tuple[str, ...]
    claims: tuple[Said, ...]
    begins: int  # states in which a run may begin
    longest: int


class Here(msgspec.Struct, frozen=True):
    """The end of a way. `choices`: by transition, `ENABLED`, `LEAVES`, or the number of a guard that is false.
    `idle`: those that can be taken and change nothing. `holds`: by claim. `seen`: a name of each state on the way."""

    run: Drawing
    choices: tuple[int, ...]
    idle: tuple[int, ...]
    holds: tuple[bool, ...]
    seen: tuple[str, ...]


class Walk:
    """`settings` are what traces of the protocol carry, as `Loaded` has them. Whatever a request has that cannot be is
    refused (Wrong, one line)."""

    def __init__(self, protocol: Protocol, settings: Mapping[str, Any]) -> None:
        self.protocol, self.settings = protocol, settings
        self.compiled, self.maker = compile_protocol(protocol), Maker(protocol)
        self._holds = compile_terms(protocol, [claim.holds for claim in protocol.claims])
        self._always = [i for i, claim in enumerate(protocol.claims) if claim.form == "always"]
        self._shown: dict[tuple[int, tuple[int, ...]], Found] = {}

    def about(self) -> About:
        """What the page shows of the protocol itself."""
        protocol, words = self.protocol, self.protocol.words
        sentences = {p.name: p.sentence for p in protocol.properties}
        meta = from_path(protocol, [protocol.initial], [], why="", **self.settings)
        return About(
            name=protocol.name,
            settings=tuple((name, text) for name, text in about(meta) if name != "protocol"),
            calls=tuple(
                Call(t.action, ", ".join(f"{k}={label(v)}" for k, v in t.arguments)) for t in protocol.transitions
            ),
            actions={a.name: Doing(a.sentence, a.fault or "choice" * a.choice) for a in protocol.actions},
            guards=self.maker.choices.guards,
            claims=tuple(
                Said(c.property, c.form, words.harms.get(c.harm, c.harm), sentences.get(c.property, ""))
                for c in protocol.claims
            ),
            begins=len(protocol.initials),
            longest=LONGEST,
        )  # fmt: skip

    def states(self, place: Place) -> list[State]:
        """The states on the way. Refuses a transition that cannot be taken where its turn is."""
        if place.begin >= len(self.protocol.initials):
            refuse(f"begin {place.begin}: a run begins in one of {len(self.protocol.initials)} states")
        found = [self.protocol.initials[place.begin]]
        for step, number in enumerate(place.path, 1):
            if number >= len(self.protocol.transitions):
                refuse(
                    f"step {step}: there are {len(self.protocol.transitions)} transitions, and no {number}"
                )
            after = dict(steps_of(self.compiled, found[-1])).get(number)
            if after is None:
                refuse(f"step {step}: {self.protocol.transitions[number]} cannot be taken there")
            found.append(after)
        return found

    def at(self, place: Place) -> Here:
        """The end of a way."""
        states = self.states(place)
        steps = dict(steps_of(self.compiled, states[-1]))
        choices = self.maker.choices.at(states[-1])
        return Here(
            run=self._drawn(place, states),
            choices=tuple(
                LEAVES if guard == ENABLED and number not in steps else guard for number, guard in choices.items()
            ),
            idle=tuple(number for number, after in steps.items() if after == states[-1]),
            holds=tuple(map(bool, self._holds(states[-1]))),
            seen=tuple(f"{self.compiled.pack(state):x}" for state in states),
        )  # fmt: skip

    def _drawn(self, place: Place, states: list[State]) -> Drawing:
        """The run so far, every lane of it, whether something happens there or not."""
        protocol = self.protocol
        shown = [plain(protocol.decode(state)) for state in states]
        taken = [protocol.transitions[number] for number in place.path]
        run = story.run_of(
            protocol, shown, [Step(t.action, {k: plain(v) for k, v in t.arguments}) for t in taken]
        )
        return Drawing(
            title=protocol.name, why="", lanes=self.maker.lanes, steps=tuple(self.maker.steps(run, shown, None)),
            arrows=arrows_of(run, self.maker.numbers, [values_of(protocol, state) for state in shown]),
            verdict=self._verdict(states),
        )  # fmt: skip

    def _verdict(self, states: list[State]) -> Verdict:
        """The first step after which an *always* is false."""
        for number, state in enumerate(states):
            if false := self._false(state):
                claim = self.protocol.claims[false[0]]
                return Verdict(property=claim.property, form="always", since=number)
        return Verdict()

    def _false(self, state: State) -> list[int]:
        holds = self._holds(state)
        return [number for number in self._always if not holds[number]]

    def jump(self, wanted: Wanted) -> Found:
        """A run to where a claim is seen to fail, or why there is none."""
        if wanted.claim >= len(self.protocol.claims):
            refuse(f"claim {wanted.claim}: there are {len(self.protocol.claims)}")
        place = Place(wanted.begin, wanted.path)
        states = self.states(place)
        found = jump(self.protocol, self.protocol.claims[wanted.claim], states[-1] if wanted.here else None)
        if found.path is None:
            return found
        if wanted.here:
            found = msgspec.structs.replace(
                found, begin=place.begin, path=(*place.path, *found.path),
                back=None if found.back is None else found.back + len(place.path),
            )  # fmt: skip
        assert found.path is not None
        if len(found.path) > LONGEST:
            return Found(f"{found.said} That is more than the {LONGEST:,} steps of a walk.")
        if len(self._shown) >= REMEMBERED:
            self._shown.clear()
        self._shown[found.begin, found.path] = found
        return found

    def trace(self, place: Place) -> bytes:
        """The way as a file that `cutproof replay` takes. It says what its end shows: what a jump led to, or an
        *always* that is false there; else nothing."""
        states = self.states(place)
        found = self._shown.get((place.begin, place.path))
        false = self._false(states[-1])
        what: dict[str, Any] = {"why": "A run, taken step by step by hand."}
        if found is not None:
            what = {"why": found.said, "property": found.property, "form": found.form, "harm": found.harm}
        elif false:
            claim = self.protocol.claims[false[0]]
            why = f"A run, taken step by step by hand, after which {claim.property} is false."
            what = {"why": why, "property": claim.property, "form": claim.form, "harm": claim.harm}
        loop = found.back if found is not None else None
        made: Trace = from_path(self.protocol, states, place.path, loop, **what, **self.settings)
        return to_bytes(pictured(made, self.protocol))
