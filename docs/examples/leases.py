"""Leases with fencing tokens: who has the lease of a resource may write to it, for so long; and holders pause.

A client looks at its clock, sees that its lease has still time, and writes. If it pauses between the two, the lease may
have gone to another one by the time the write arrives. So every lease comes with a number, one higher than the last
one's, and the store of the resource refuses a write whose number is lower than one that it has seen (its *fence*).
Take that away

    cutproof explore docs/examples/leases.py --without-guard "arrive:not fenced off"

and a client that woke up writes over what the next holder wrote.
"""

from cutproof.model.language import (
    Arrow,
    Message,
    Picture,
    action,
    always,
    any_of,
    boolean,
    can_always,
    choose,
    count,
    family,
    guard,
    larger,
    leads_to,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol


def _awake(s, client):
    return guard("awake", ~s.paused[client])


def _holds(s, client, resource):
    return (s.holder[resource] == client) & (s.left[resource] > 0)


# ------------------------------------------------------------------ who hands out leases


@action
def grant(s, client, resource):
    """A client gets the lease of a resource that is free, with the next number."""
    _, leases, time = s.scope
    return when(
        _awake(s, client),
        guard("free", s.left[resource] == 0),
        guard("a number is left", s.number[resource] < leases),
    ).then(
        holder=put(s.holder, resource, client),
        left=put(s.left, resource, time),
        number=put(s.number, resource, s.number[resource] + 1),
    )


@action
def tick(s):
    """Time goes by, for all leases at once; a lease that has none left is free."""
    resources, _, _ = s.scope
    left = s.left
    for resource in range(resources):
        had = s.left[resource]
        left = put(left, resource, choose(had > 0, had - 1, had))
    return when(guard("somebody holds one", any_of(*(had > 0 for had in s.left)))).then(left=left)


# ------------------------------------------------------------------ who holds them


@action(choice=True)
def renew(s, client, resource):
    """The holder asks for more time."""
    _, _, time = s.scope
    return when(
        _awake(s, client),
        guard("holds it", _holds(s, client, resource)),
        guard("time went by", s.left[resource] < time),
    ).then(left=put(s.left, resource, time))


@action(choice=True)
def release(s, client, resource):
    """The holder gives it back."""
    return when(
        _awake(s, client),
        guard("holds it", _holds(s, client, resource)),
        guard("no write under way", s.about[client][resource] == 0),
    ).then(left=put(s.left, resource, 0))


@action(choice=True)
def look(s, client, resource):
    """The holder sees that it has time, and is about to write."""
    return when(
        _awake(s, client),
        guard("holds it", _holds(s, client, resource)),
        guard("no write under way", s.about[client][resource] == 0),
    ).then(about=put(s.about, (client, resource), s.number[resource]))


@action(fault="pause")
def pause(s, client):
    """A client stops for a while, and time goes by."""
    return when(_awake(s, client)).then(paused=put(s.paused, client, True))


@action
def wake_up(s, client):
    """It goes on where it was."""
    return when(guard("paused", s.paused[client])).then(paused=put(s.paused, client, False))


# ------------------------------------------------------------------ the store


@action
def arrive(s, client, resource):
    """A write arrives, and is done."""
    number = s.about[client][resource]
    return when(
        _awake(s, client),
        guard("about to write", number > 0),
        guard("not fenced off", number >= s.fence[resource]),
    ).then(
        about=put(s.about, (client, resource), 0),
        fence=put(s.fence, resource, larger(s.fence[resource], number)),
        written=put(s.written, resource, number),
    )


@action
def refuse(s, client, resource):
    """A write arrives after one of a later lease, and is refused."""
    return when(
        _awake(s, client),
        guard("about to write", s.about[client][resource] > 0),
        guard("fenced off", s.about[client][resource] < s.fence[resource]),
    ).then(about=put(s.about, (client, resource), 0))


# ------------------------------------------------------------------ what is claimed


@always
def nothing_is_overwritten(s, resource):
    """What is stored was written under the latest lease of all that wrote."""
    return s.written[resource] == s.fence[resource]


@sometimes
def somebody_slept(s, client, resource):
    """A client is about to write whose lease another one has by now: what the fence is for."""
    mine = s.about[client][resource]
    return (mine > 0) & (mine < s.number[resource]) & (s.holder[resource] != client)


@leads_to
def writes_come_to_an_end(s, client, resource):
    """Every write is done or refused."""
    return s.about[client][resource] > 0, s.about[client][resource] == 0


@can_always(cycles=False)
def can_be_free(s, resource):
    """No lease is lost with its holder. That each ends is not said: it may be renewed for ever."""
    return s.left[resource] == 0


PICTURE = Picture(
    lanes={
        "client {client}": ["paused"],
        "lock service": ["holder", "left", "number"],
        "store": ["fence", "written"],
    },
    at={"tick": "lock service", "arrive": "store", "refuse": "store"},
    arrows={
        "grant": Arrow("lock service", "client {client}", "the lease"),
        "renew": Arrow("client {client}", "lock service", "renew"),
        "release": Arrow("client {client}", "lock service", "release"),
    },
    messages={"about": Message("client {client}", "store", "a write", refused=("refuse",), late=("pause",))},
)


def leases(resources: int = 1, clients: int = 2, leases: int = 2, time: int = 2) -> Protocol:
    """So many resources and clients; each resource is leased so often, for so much time."""
    number, one = count(0, leases), range(resources)
    return Protocol(
        name="leases",
        scope=(resources, leases, time),
        indices={"client": range(clients), "resource": one},
        variables={
            "paused": family("client", of=boolean()),
            "holder": family("resource", of=count(0, clients - 1)),  # who had the lease last
            "left": family("resource", of=count(0, time)),  # for how long it has it
            "number": family("resource", of=number),  # of the last lease
            "about": family(
                "client", "resource", of=number
            ),  # a write under the lease of this number; 0: none
            "fence": family("resource", of=number),  # the highest number that wrote
            "written": family("resource", of=number),  # ... and that of what is stored
        },
        actions=[grant, tick, renew, release, look, pause, wake_up, arrive, refuse],
        properties=[nothing_is_overwritten, somebody_slept, writes_come_to_an_end, can_be_free],
        picture=PICTURE,
    )
