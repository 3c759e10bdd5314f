"""Chain replication (van Renesse and Schneider): writes go in at the head, are handed down, and count at the tail.

Nodes crash for good, and everybody is told so; messages get lost. A write is acknowledged by the last node that lives,
and by then all have it. Let any node acknowledge

    cutproof explore docs/examples/chain_replication.py --without-guard "acknowledge:is the tail"

and a crash of the head loses what a client was told is stored.
"""

from cutproof.model.language import (
    Arrow,
    Loss,
    Message,
    Picture,
    action,
    all_of,
    always,
    any_of,
    boolean,
    count,
    family,
    guard,
    implies,
    larger,
    leads_to,
    put,
    sometimes,
    when,
)
from cutproof.model.protocol import Protocol


def _dead(s, nodes):
    return all_of(*(~s.alive[n] for n in nodes))


def _is_head(s, node):
    return guard("is the head", s.alive[node] & _dead(s, range(node)))


def _is_tail(s, node):
    return guard("is the tail", s.alive[node] & _dead(s, range(node + 1, s.scope)))


@action(choice=True)
def write(s, node, version):
    """A client writes a version, at the head; it writes the next one when it was told that this one is stored."""
    return when(
        _is_head(s, node),
        guard("the next version", s.issued == version - 1),
        guard("the last one is stored", s.acked == version - 1),
    ).then(issued=version, has=put(s.has, node, version))


@action
def write_again(s, node, version):
    """The head crashed before the next node had the write: the client tries the new head."""
    return when(
        _is_head(s, node),
        guard("the last version", s.issued == version),
        guard("head lacks it", s.has[node] < version),
    ).then(has=put(s.has, node, version))


@action
def hand_down(s, node):
    """A node sends what it has, to whoever is the next then; and again, for it may get lost."""
    later = range(node + 1, s.scope)
    return (
        when(
            guard("lives", s.alive[node]),
            guard(
                "somebody behind lacks it", any_of(*(s.alive[n] & (s.has[n] < s.has[node]) for n in later))
            ),
            guard("link is free", s.link[node] == 0),
        ).then(link=put(s.link, node, s.has[node]))
        if later
        else None
    )


@action
def receive(s, node, other):
    """The next node that lives takes what is newer than its own."""
    if other <= node:
        return None
    return when(
        guard("on its way", s.link[node] > 0),
        guard("nobody between", _dead(s, range(node + 1, other))),
        guard("lives", s.alive[other]),
    ).then(link=put(s.link, node, 0), has=put(s.has, other, larger(s.has[other], s.link[node])))


@action
def acknowledge(s, node):
    """The tail tells the client that the version is stored."""
    return when(
        guard("lives", s.alive[node]),
        _is_tail(s, node),
        guard("client does not know", s.has[node] > s.acked),
    ).then(acked=s.has[node])


@action(choice=True)
def read(s, node):
    """A client reads, at the tail."""
    return when(_is_tail(s, node), guard("something new", s.has[node] != s.seen)).then(seen=s.has[node])


@action(fault="crash")
def crash(s, node):
    """A node crashes, while another one lives."""
    others = any_of(*(s.alive[n] for n in range(s.scope) if n != node))
    return when(guard("lives", s.alive[node]), guard("not the last", others)).then(
        alive=put(s.alive, node, False)
    )


@action(fault="loss")
def lose(s, node):
    """A message gets lost."""
    return when(guard("on its way", s.link[node] > 0)).then(link=put(s.link, node, 0))


@always
def acknowledged_is_everywhere(s, node):
    """What a client was told is stored, every node has that lives."""
    return implies(s.alive[node], s.has[node] >= s.acked)


@always
def reads_never_go_back(s, node):
    """What was read once, every node has that lives: whoever is the tail next."""
    return implies(s.alive[node], s.has[node] >= s.seen)


@always
def earlier_have_more(s, node, other):
    """Of two nodes that live, the earlier one has what the later one has."""
    return implies(s.alive[node] & s.alive[other], s.has[node] >= s.has[other]) if node < other else None


@sometimes
def read_early(s):
    """A version is read before its client was told that it is stored."""
    return s.seen > s.acked


@leads_to
def stored_at_last(s, version):
    """What is written is acknowledged."""
    return s.issued == version, s.acked == version


def _next(changed):
    """The node that lives after this one; the last one where there is none."""
    here, alive = changed.where["node"], changed.step.before["alive"]
    return f"node {next((n for n in alive if n > here and alive[n]), max(alive))}"


def _loss(run, violated):
    """What the client was told, and who lacks it."""
    s = run.last
    if violated != acknowledged_is_everywhere.name or not s["acked"]:
        return None
    lack = [
        f"node {n} has version {s['has'][n]}" for n in s["has"] if s["alive"][n] and s["has"][n] < s["acked"]
    ]
    return Loss(
        f"The client was told that version {s['acked']} is stored.", f"Of those that live, {', '.join(lack)}."
    )


PICTURE = Picture(
    lanes={"client": ["issued", "acked", "seen"], "node {node}": ["alive", "has"]},
    at={"receive": "node {other}"},
    arrows={
        "write": Arrow("client", "node {node}", "version {version}"),
        "write_again": Arrow("client", "node {node}", "version {version}, again"),
        "acknowledge": Arrow("node {node}", "client", "stored"),
        "read": Arrow("node {node}", "client", "what it has"),
    },
    messages={"link": Message("node {node}", _next, lambda c: f"version {c.new}", lost=("lose",))},
    loss=_loss,
)


def chain_replication(nodes: int = 3, writes: int = 2) -> Protocol:
    """So many nodes, two or more, and one client with so many writes, one after the other."""
    everyone, version = range(nodes), count(0, writes)
    return Protocol(
        name="chain_replication",
        scope=nodes,
        indices={"node": everyone, "other": everyone, "version": range(1, writes + 1)},
        variables={
            "issued": version,  # the last version that the client wrote
            "acked": version,  # ... that it was told is stored
            "seen": version,  # ... that was read
            "alive": family("node", of=boolean()),
            "has": family("node", of=version),  # the last version that a node has
            "link": family("node", of=version),  # ... and that it sent to whoever is next; 0: nothing
        },
        initial={"alive": dict.fromkeys(everyone, True)},
        actions=[write, write_again, hand_down, receive, acknowledge, read, crash, lose],
        properties=[
            acknowledged_is_everywhere, reads_never_go_back, earlier_have_more, read_early, stored_at_last,
        ],
        picture=PICTURE,
    )  # fmt: skip
