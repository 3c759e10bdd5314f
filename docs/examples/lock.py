"""A lock that expires: a client has it until it gives it back, or until its time is over and it has not noticed."""

from enum import Enum

from cutproof.model.language import (
    action,
    always,
    boolean,
    count,
    enumeration,
    family,
    guard,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol


class Client(Enum):
    NOBODY = "nobody"
    ANN = "ann"
    BOB = "bob"


@action
def take(s, client):
    """The server gives the lock to a client, with the next number."""
    return when(guard("free", s.holder == Client.NOBODY), guard("a number is left", s.number < 9)).then(
        holder=client, number=s.number + 1, working=put(s.working, client, True)
    )


@action
def give_back(s, client):
    """A client is done."""
    return when(guard("holds it", s.holder == client)).then(
        holder=Client.NOBODY, working=put(s.working, client, False)
    )


@action
def expire(s):
    """Its time is over for the server; the client does not know yet."""
    return when(guard("held", s.holder != Client.NOBODY)).then(holder=Client.NOBODY)


@action
def notice(s, client):
    """A client sees that it has lost the lock, and stops."""
    return when(guard("works", s.working[client]), guard("lost it", s.holder != client)).then(
        working=put(s.working, client, False)
    )


@always
def one_at_work(s):
    """No two clients work at the same time."""
    return ~(s.working[Client.ANN] & s.working[Client.BOB])


@sometimes
def many_turns(s):
    """The lock goes round."""
    return s.number == 3


protocol = Protocol(
    name="lock",
    indices={"client": (Client.ANN, Client.BOB)},
    variables={
        "holder": enumeration(Client),
        "number": count(0, 9),
        "working": family("client", of=boolean()),
    },
    actions=[take, give_back, expire, notice],
    properties=[one_at_work, many_turns],
)
