"""Leases on one resource, granted by two servers who hand their office over to each other.

A lease ends at a point of time that is written in it. No client's clock is more than `skew` ticks behind, so a server
waits that much longer than it promised. Messages may be late, lost, or come twice; a hand-over too, which is why it
has a number. A server that crashes forgets what it granted, and one that takes office never knew: both wait as long
as a lease may be used.
"""

from cutproof.model.language import (
    action, all_of, always, any_of, boolean, can_always, choose, count, family, guard, implies, invariant,
    put, sometimes, when,
)  # fmt: skip
from cutproof.model.protocol import Protocol

NOBODY = -1
OTHER = {"A": "B", "B": "A"}  # the two servers


def lease(clients: int = 2, term: int = 2, skew: int = 1, hand_overs: int = 2, wrong: bool = False) -> Protocol:
    longest = term + skew

    @action(choice=True)
    def grant(s, server, client):
        """The server in office grants a lease; a longer one to the holder at any time."""
        free = (s.wait[server] == 0) | (s.holder[server] == client)
        return when(guard("in office", s.in_office[server]), guard("the last lease is over", free)).then(
            mail=put(s.mail, client, term), wait=put(s.wait, server, longest), holder=put(s.holder, server, client)
        )

    @action(choice=True)
    def receive(s, client, behind):
        """A client gets its lease, which may come again. Its clock is so much behind: it uses the lease longer."""
        return when(guard("there is mail", s.mail[client] > 0)).then(
            uses=put(s.uses, client, s.mail[client] + behind)
        )

    @action
    def tick(s):
        """Time goes by for everybody, and for a lease under way: it names a point of time."""
        left = {"uses": s.uses, "mail": s.mail, "wait": s.wait}
        later = {}
        for name, values in left.items():
            later[name] = values
            for i in range(clients) if name != "wait" else OTHER:
                later[name] = put(later[name], i, choose(values[i] > 0, values[i] - 1, 0))
        running = any_of(*(value > 0 for values in left.values() for value in values))
        return when(guard("something runs out", running)).then(**later)

    @action(choice=True)
    def hand_over(s, server):
        """The server in office leaves it, and tells the other one."""
        return when(
            guard("in office", s.in_office[server]), guard("within the bound", s.number[server] <= hand_overs)
        ).then(
            in_office=put(s.in_office, server, False), told=put(s.told, OTHER[server], s.number[server] + 1)
        )

    @action
    def tell_again(s, server):
        """A server that left cannot know whether the other one heard of it."""
        return when(
            guard("not in office", ~s.in_office[server]),
            guard("nothing under way", s.told[OTHER[server]] <= s.number[server]),
        ).then(told=put(s.told, OTHER[server], s.number[server] + 1))

    @action
    def take_office(s, server):
        """A server is told that it is in office now. The message may come again."""
        news = guard("not told before", s.told[server] > s.number[server])
        return when(guard("is told", s.told[server] > 0), news).then(
            in_office=put(s.in_office, server, True), number=put(s.number, server, s.told[server]),
            wait=put(s.wait, server, longest), holder=put(s.holder, server, NOBODY),
        )  # fmt: skip

    @action(fault="crash")
    def crash(s, server):
        """A server comes back from a crash. It has forgotten whom it granted what."""
        return when().then(wait=put(s.wait, server, longest), holder=put(s.holder, server, NOBODY))

    @action(fault="loss")
    def lose_lease(s, client):
        return when(guard("there is mail", s.mail[client] > 0)).then(mail=put(s.mail, client, 0))

    @action(fault="loss")
    def lose_hand_over(s, server):
        return when(guard("under way", s.told[server] > 0)).then(told=put(s.told, server, 0))

    @always
    def one_client(s, client, other):
        """No two clients use the resource at the same time."""
        return ~((s.uses[client] > 0) & (s.uses[other] > 0)) if client != other else None

    @always
    def one_in_office(s):
        """No two servers grant leases at the same time."""
        return ~(s.in_office["A"] & s.in_office["B"])

    @sometimes
    def used_across(s, client):
        """B is in office while a client still uses what A granted."""
        return s.in_office["B"] & (s.uses[client] > 0) & (s.holder["B"] == NOBODY)

    @can_always(cycles=False)
    def free_again(s):
        """Somebody is in office, and free to grant."""
        return any_of(*(s.in_office[x] & (s.wait[x] == 0) for x in OTHER))

    def newest(s, server):
        return s.number[server] == s.number[OTHER[server]] + 1

    @invariant
    def offices_alternate(s, server):
        """The servers have neighbouring numbers; who has the lower one is not in office."""
        return all_of(
            newest(s, "A") | newest(s, "B"),
            implies(s.in_office[server], newest(s, server)),
            s.in_office[server] | (s.number[server] <= hand_overs),
        )

    @invariant
    def only_who_left_told(s, server):
        """A hand-over that is news comes from the newest, who is not in office."""
        other, news = OTHER[server], s.told[server] > s.number[server]
        return implies(news, newest(s, other) & ~s.in_office[other] & (s.told[server] == s.number[other] + 1))

    @invariant
    def every_lease_is_waited_for(s, server, client):
        """The newest server waits for all that a client has, or will have, and knows no other holder."""
        known = (s.holder[server] == client) | (s.holder[server] == NOBODY)
        has = implies(s.uses[client] > 0, known & (s.uses[client] <= s.wait[server]))
        gets = implies(s.mail[client] > 0, known & (s.mail[client] + skew <= s.wait[server]))
        return implies(newest(s, server), has & gets)

    @invariant
    def one_lease(s, client, other):
        """Not even under way are there leases for two clients."""
        a, b = ((s.uses[x] > 0) | (s.mail[x] > 0) for x in (client, other))
        return ~(a & b) if client != other else None

    @invariant
    def the_holder_is_known(s, server, client):
        """This is wrong: a crash makes a server forget it."""
        return implies(s.in_office[server] & (s.uses[client] > 0), s.holder[server] == client)

    def ticks_to_free(s):
        """What a tick, or a step towards an office that is held, lowers."""
        told = any_of(*(s.told[x] > s.number[x] for x in OTHER))
        office = choose(any_of(*s.in_office), 0, choose(told, longest + 1, 2 * longest + 2))
        return s.wait["A"] + s.wait["B"] + office

    return Protocol(
        name="lease",
        indices={"client": range(clients), "other": range(clients), "server": list(OTHER), "behind": range(skew + 1)},
        variables={
            "in_office": family("server", of=boolean()),
            "number": family("server", of=count(0, hand_overs + 1)),  # of its office, or its last one
            "told": family("server", of=count(0, hand_overs + 1)),  # the number of a hand-over to it
            "wait": family("server", of=count(0, longest)),  # until all that it promised is over
            "holder": family("server", of=count(NOBODY, clients - 1)),
            "mail": family("client", of=count(0, term)),  # a lease under way, by the time that it has left
            "uses": family("client", of=count(0, longest)),  # how long the client will go on, by true time
        },
        initial={"in_office": {"A": True, "B": False}, "number": {"A": 1, "B": 0}},
        actions=[grant, receive, tick, hand_over, tell_again, take_office, crash, lose_lease, lose_hand_over],
        properties=[
            one_client, one_in_office, used_across, free_again,
            offices_alternate, only_who_left_told, every_lease_is_waited_for, one_lease,
            *([the_holder_is_known] if wrong else []),
        ],
        measure=ticks_to_free,
    )
