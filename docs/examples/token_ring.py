"""A token ring on links that lose what they carry: a station works alone while it has the one token, and hands it on.

The token is sent to the next station until that one acknowledges it. Each link has a bit that is turned with each
token handed over (the alternating bit), so that a token that arrives once more is known, and only acknowledged. Take
that away

    cutproof explore docs/examples/token_ring.py --without-guard "accept:not the one before"

and one token that is sent twice becomes two.
"""

from enum import Enum

from cutproof.model.language import (
    Message,
    Picture,
    action,
    always,
    boolean,
    enumeration,
    family,
    guard,
    leads_to,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol


class Token(Enum):
    ELSEWHERE = "elsewhere"
    HERE = "here"
    WORKING = "here, and it works"
    LEAVING = "sent on, until that is acknowledged"


class Wire(Enum):
    EMPTY = "empty"
    EVEN = "carries an even one"
    ODD = "carries an odd one"


def _next(s, station):
    return (station + 1) % s.scope


def _is(wire, odd):
    """A link carries what has this bit."""
    return (wire == Wire.ODD) & odd | (wire == Wire.EVEN) & ~odd


@action(choice=True)
def want(s, station):
    """A station has something to do that needs the token."""
    return when(guard("nothing to do", ~s.wants[station])).then(wants=put(s.wants, station, True))


@action
def work(s, station):
    """It has the token, and works."""
    return when(
        guard("has the token", s.token[station] == Token.HERE),
        guard("something to do", s.wants[station]),
    ).then(token=put(s.token, station, Token.WORKING))


@action
def finish(s, station):
    """It is done, and hands the token on."""
    return when(guard("works", s.token[station] == Token.WORKING)).then(
        token=put(s.token, station, Token.LEAVING),
        wants=put(s.wants, station, False),
        sending=put(s.sending, station, ~s.sending[station]),
    )


@action
def pass_on(s, station):
    """It has the token and nothing to do."""
    return when(
        guard("has the token", s.token[station] == Token.HERE),
        guard("nothing to do", ~s.wants[station]),
    ).then(token=put(s.token, station, Token.LEAVING), sending=put(s.sending, station, ~s.sending[station]))


@action
def send(s, station, odd):
    """The token is sent, and again while no acknowledgement came."""
    return when(
        guard("handing on", s.token[station] == Token.LEAVING),
        guard("with this bit", s.sending[station] == odd),
        guard("link is free", s.tokens[station] == Wire.EMPTY),
    ).then(tokens=put(s.tokens, station, Wire.ODD if odd else Wire.EVEN))


@action
def accept(s, station, odd):
    """A token arrives at the next station, for the first time."""
    then = _next(s, station)
    return when(
        guard("a token arrives", s.tokens[station] == (Wire.ODD if odd else Wire.EVEN)),
        guard("not the one before", s.accepted[station] != odd),
        guard("has none", s.token[then] == Token.ELSEWHERE),
    ).then(
        tokens=put(s.tokens, station, Wire.EMPTY),
        accepted=put(s.accepted, station, odd),
        token=put(s.token, then, Token.HERE),
        answers=put(s.answers, station, Wire.ODD if odd else Wire.EVEN),
    )


@action
def acknowledge_again(s, station, odd):
    """The same token arrives once more: only the acknowledgement was lost."""
    return when(
        guard("a token arrives", s.tokens[station] == (Wire.ODD if odd else Wire.EVEN)),
        guard("the one before", s.accepted[station] == odd),
    ).then(
        tokens=put(s.tokens, station, Wire.EMPTY),
        answers=put(s.answers, station, Wire.ODD if odd else Wire.EVEN),
    )


@action
def hear(s, station):
    """The acknowledgement of this token arrives: it is with the next station."""
    return when(
        guard("handing on", s.token[station] == Token.LEAVING),
        guard("of this token", _is(s.answers[station], s.sending[station])),
    ).then(token=put(s.token, station, Token.ELSEWHERE), answers=put(s.answers, station, Wire.EMPTY))


@action(fault="loss")
def lose_token(s, station):
    """A link loses a token."""
    return when(guard("on its way", s.tokens[station] != Wire.EMPTY)).then(
        tokens=put(s.tokens, station, Wire.EMPTY)
    )


@action(fault="loss")
def lose_answer(s, station):
    """A link loses an acknowledgement."""
    return when(guard("on its way", s.answers[station] != Wire.EMPTY)).then(
        answers=put(s.answers, station, Wire.EMPTY)
    )


@always
def one_token(s, station, other):
    """No two stations have the token, and so no two work."""

    def has(it):
        return (s.token[it] == Token.HERE) | (s.token[it] == Token.WORKING)

    return None if other <= station else ~(has(station) & has(other))


@sometimes
def still_unheard(s, station):
    """A station works while the one before has not heard yet that the token arrived."""
    return (s.token[_next(s, station)] == Token.WORKING) & (s.token[station] == Token.LEAVING)


@leads_to
def everybody_works(s, station):
    """Whoever has something to do comes to do it."""
    return s.wants[station], s.token[station] == Token.WORKING


def _picture(stations):
    def then(changed):
        return f"station {(changed.where['station'] + 1) % stations}"

    def here(changed):
        return f"station {changed.where['station']}"

    return Picture(
        lanes={"station {station}": ["token", "wants"]},
        at={"accept": lambda taken: f"station {(taken.arguments['station'] + 1) % stations}"},
        messages={
            "tokens": Message(here, then, "the token", lost=("lose_token",)),
            "answers": Message(then, here, "acknowledged", lost=("lose_answer",)),
        },
    )


def token_ring(stations: int = 3) -> Protocol:
    """So many stations, two or more; the first one begins with the token."""
    everyone = range(stations)
    return Protocol(
        name="token_ring",
        scope=stations,
        indices={"station": everyone, "other": everyone, "odd": (False, True)},
        variables={
            "token": family("station", of=enumeration(Token)),
            "wants": family("station", of=boolean()),
            "sending": family("station", of=boolean()),  # the bit of the token that it sent last
            "accepted": family("station", of=boolean()),  # ... and that the next station accepted last
            "tokens": family("station", of=enumeration(Wire)),  # the link to the next station
            "answers": family("station", of=enumeration(Wire)),  # ... and back
        },
        initial={"token": {i: Token.ELSEWHERE if i else Token.HERE for i in everyone}},
        actions=[want, work, finish, pass_on, send, accept, acknowledge_again, hear, lose_token, lose_answer],
        properties=[one_token, still_unheard, everybody_works],
        picture=_picture(stations),
    )
