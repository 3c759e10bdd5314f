"""The cutover in small: a slot moves from O to N while clients write, and nothing goes wrong but deliveries at N.

    BEFORE -> DUAL -> SEALED -> DELTA -> ACTIVE -> DONE

Every write goes to both nodes (DUAL) while pages of what was there before are copied; then writers are held (SEALED),
what is on its way to O lands, what N still lacks is sent again (DELTA), N becomes the owner (ACTIVE), and O's data
goes (DONE). A write that fails at N stands all the same once O has it: the delta is there for these.

Each write of a document has a version of its own, 1 for the first; 0 is nothing. A node keeps the highest version that
it was sent. No document is special: exchanging two of them, in all they have, changes nothing that can happen.

Distinct states, by documents and versions: (1, 1) 89, (1, 2) 628, (2, 1) 2,031, (3, 1) 62,099, (2, 2) 130,906,
(4, 1) 2,177,955, (2, 3) 6,352,374.
"""

from enum import Enum
from typing import Any

from cutproof.model.language import (
    Arrow,
    Loss,
    Message,
    Operand,
    Picture,
    Run,
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
    each,
    enumeration,
    family,
    guard,
    larger,
    put,
    sometimes,
    when,
)
from cutproof.model.language.protocol import Protocol


class Phase(Enum):
    """Where the migration stands, in the record that clients read too."""

    BEFORE = "before"
    DUAL = "dual writing"
    SEALED = "sealed"
    DELTA = "delta"
    ACTIVE = "active"
    DONE = "done"


class Page(Enum):
    """What became of the copy of a document."""

    UNREAD = "unread"
    SENT = "sent"
    LANDED = "landed"


def _moved(s: Any) -> Operand:
    """N is the owner."""
    return (s.phase == Phase.ACTIVE) | (s.phase == Phase.DONE)


def _writers_held(s: Any) -> Operand:
    return (s.phase == Phase.SEALED) | (s.phase == Phase.DELTA)


# ------------------------------------------------------------------ the clients


@action
def write(s: Any, doc: int, version: int) -> Step:
    """A client writes a document: to O until N is the owner, and to N from dual writing on."""
    return when(
        guard("the next version", s.issued[doc] == version - 1),
        guard("writers are not held", ~_writers_held(s)),
    ).then(
        issued=put(s.issued, doc, version),
        to_old=put(s.to_old, (doc, version), ~_moved(s)),
        to_new=put(s.to_new, (doc, version), s.phase != Phase.BEFORE),
    )


@action
def hear_from_old(s: Any, doc: int) -> Step:
    """O answers: it has this version. That N has it too is not waited for."""
    return when(guard("O has more than was said", s.old[doc] > s.acked[doc])).then(
        acked=put(s.acked, doc, s.old[doc])
    )


@action
def hear_from_new(s: Any, doc: int) -> Step:
    """N answers, once it is the owner."""
    return when(
        guard("N is the owner", _moved(s)),
        guard("N has more than was said", s.new[doc] > s.acked[doc]),
    ).then(acked=put(s.acked, doc, s.new[doc]))


# ------------------------------------------------------------------ the nodes


@action
def land_on_old(s: Any, doc: int, version: int) -> Step:
    """A write lands on O."""
    return when(guard("on its way", s.to_old[doc][version])).then(
        to_old=put(s.to_old, (doc, version), False),
        old=put(s.old, doc, larger(s.old[doc], constant(version))),
    )


@action
def land_on_new(s: Any, doc: int, version: int) -> Step:
    """A write lands on N."""
    return when(guard("on its way", s.to_new[doc][version])).then(
        to_new=put(s.to_new, (doc, version), False),
        new=put(s.new, doc, larger(s.new[doc], constant(version))),
    )


@action(fault="failure")
def fail_on_new(s: Any, doc: int, version: int) -> Step:
    """A write fails at N; nobody sends it again."""
    return when(guard("on its way", s.to_new[doc][version])).then(to_new=put(s.to_new, (doc, version), False))


@action
def land_page(s: Any, doc: int) -> Step:
    """A page, or a repair, lands on N, which may have something newer by now."""
    return when(guard("page was sent", s.page[doc] == Page.SENT)).then(
        page=put(s.page, doc, Page.LANDED),
        holds=put(s.holds, doc, 0),
        new=put(s.new, doc, larger(s.new[doc], s.holds[doc])),
    )


# ------------------------------------------------------------------ the coordinator


@action
def begin(s: Any) -> Step:
    """From now on writes go to both."""
    return when(guard("before", s.phase == Phase.BEFORE)).then(phase=Phase.DUAL)


@action
def read_page(s: Any, doc: int) -> Step:
    """A document is read at O, and sent to N as a page."""
    return when(
        guard("dual writing", s.phase == Phase.DUAL),
        guard("not read yet", s.page[doc] == Page.UNREAD),
    ).then(page=put(s.page, doc, Page.SENT), holds=put(s.holds, doc, s.old[doc]))


@action
def seal(s: Any) -> Step:
    """All is copied; writers are held."""
    return when(
        guard("dual writing", s.phase == Phase.DUAL),
        guard("all pages landed", all_of(*(p == Page.LANDED for p in s.page))),
    ).then(phase=Phase.SEALED)


@action
def drain(s: Any) -> Step:
    """What had been sent to O before the seal has landed."""
    under_way = any_of(*(sent for versions in s.to_old for sent in versions))
    return when(
        guard("sealed", s.phase == Phase.SEALED),
        guard("nothing is on its way to O", ~under_way),
    ).then(phase=Phase.DELTA)


@action
def repair(s: Any, doc: int) -> Step:
    """The delta pass finds that N lacks a version, and sends it again."""
    return when(
        guard("delta", s.phase == Phase.DELTA),
        guard("N lacks it", s.new[doc] < s.old[doc]),
        guard("no repair is on its way", s.page[doc] == Page.LANDED),
    ).then(page=put(s.page, doc, Page.SENT), holds=put(s.holds, doc, s.old[doc]))


@action
def activate(s: Any) -> Step:
    """N has all that O has, and becomes the owner."""
    same = all_of(*(new >= old for new, old in zip(s.new, s.old, strict=True)))
    return when(
        guard("delta", s.phase == Phase.DELTA),
        guard("N has all that O has", same),
    ).then(phase=Phase.ACTIVE)


@action
def clean_up(s: Any) -> Step:
    """O's data goes."""
    return when(guard("active", s.phase == Phase.ACTIVE)).then(phase=Phase.DONE, old=each(s.old, 0))


# ------------------------------------------------------------------ what is claimed


@always
def no_lost_write(s: Any, doc: int) -> Operand:
    """What a client was told is stored, the owner has, or something newer."""
    return choose(_moved(s), s.new[doc], s.old[doc]) >= s.acked[doc]


@sometimes
def failed_and_told(s: Any, doc: int) -> Operand:
    """A write failed at N, and the client was told that it is stored: what the delta is for."""
    sent = any_of(*s.to_new[doc])
    return (s.phase == Phase.SEALED) & (s.acked[doc] > s.new[doc]) & ~sent


@sometimes
def page_is_stale(s: Any, doc: int) -> Operand:
    """A page lands after a newer write did."""
    return (s.page[doc] == Page.SENT) & (s.holds[doc] < s.new[doc])


@sometimes
def written_after(s: Any, doc: int) -> Operand:
    """A write to the new owner alone was answered."""
    return (s.phase == Phase.DONE) & (s.issued[doc] == s.acked[doc]) & (s.acked[doc] > 0)


@can_always
def finish(s: Any) -> Operand:
    """The migration can be completed."""
    return s.phase == Phase.DONE


# ------------------------------------------------------------------ how it is drawn


def _loss(run: Run, violated: str) -> Loss | None:
    """What a client was told, and what a read shows now."""
    if violated != no_lost_write.name:
        return None
    s = run.last
    owner = "new" if s["phase"] in ("ACTIVE", "DONE") else "old"
    gone = [doc for doc, told in s["acked"].items() if s[owner][doc] < told]
    return Loss(
        " ".join(
            f"A client was told that version {s['acked'][doc]} of document {doc} is stored." for doc in gone
        ),
        " ".join(
            f"O holds version {s['old'][doc]} of document {doc}, N version {s['new'][doc]}; a read now asks "
            f"{'N' if owner == 'new' else 'O'} and shows version {s[owner][doc]}."
            for doc in gone
        ),
    )


PICTURE = Picture(
    lanes={"client": ["acked"], "O": ["old"], "N": ["new"], "coordinator": ["phase", "page"]},
    titles={"O": "old node", "N": "new node"},
    at={
        **dict.fromkeys(("write", "hear_from_old", "hear_from_new"), "client"),
        **dict.fromkeys(("land_on_old",), "O"),
        **dict.fromkeys(("land_on_new", "fail_on_new", "land_page"), "N"),
        **dict.fromkeys(
            ("begin", "read_page", "seal", "drain", "repair", "activate", "clean_up"), "coordinator"
        ),
    },
    arrows={
        "hear_from_old": Arrow("O", "client", "stored"),
        "hear_from_new": Arrow("N", "client", "stored"),
        "read_page": Arrow("O", "coordinator", "document {doc}"),
        "repair": Arrow("O", "coordinator", "document {doc}"),
        "clean_up": Arrow("coordinator", "O", "delete all"),
    },
    messages={
        "to_old": Message("client", "O", "document {doc}, version {version}"),
        "to_new": Message("client", "N", "document {doc}, version {version}", lost=("fail_on_new",)),
        "holds": Message("coordinator", "N", "page of document {doc}"),
    },
    loss=_loss,
)


def small_cutover(documents: int = 2, versions: int = 2) -> Protocol:
    """The protocol with so many documents, each written so many times."""
    version = count(0, versions)
    return Protocol(
        name="small_cutover",
        scope=(documents, versions),
        indices={"doc": range(documents), "version": range(1, versions + 1)},
        variables={
            "phase": enumeration(Phase),
            "issued": family("doc", of=version),  # the last version that a client wrote
            "acked": family("doc", of=version),  # ... that a client was told is stored
            "old": family("doc", of=version),  # ... that O has
            "new": family("doc", of=version),  # ... that N has
            "to_old": family("doc", "version", of=boolean()),  # a write is on its way to O
            "to_new": family("doc", "version", of=boolean()),  # ... to N
            "page": family("doc", of=enumeration(Page)),  # or a repair
            "holds": family("doc", of=version),  # what the page holds
        },
        actions=[
            write, hear_from_old, hear_from_new, land_on_old, land_on_new, fail_on_new, land_page,
            begin, read_page, seal, drain, repair, activate, clean_up,
        ],
        properties=[no_lost_write, failed_and_told, page_is_stale, written_after, finish],
        picture=PICTURE,
    )  # fmt: skip
