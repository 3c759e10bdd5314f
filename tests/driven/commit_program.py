"""Two-phase commit, built from journals and messages, with faults that can be switched on; driven through the model
`two-phase-commit`.
"""

from __future__ import annotations

from cutproof.model.examples.two_phase_commit import RM, TM, two_phase_commit
from cutproof.model.language.protocol import Protocol

FAULTS = {
    "a majority is enough": "the manager commits once most have voted",
    "votes are counted, not voters": "a vote that comes twice counts twice",
    "aborts after it committed": "the manager does not look whether it has decided",
    "commits after it aborted": "the manager looks at the votes alone",
    "the vote is not sent": "a resource prepares and tells nobody",
    "the vote is sent first": "a resource votes, and does not write that it prepared",
    "prepares after it aborted": "a resource does not look at its journal before it prepares",
    "gives up though it voted": "a resource aborts alone after it promised",
    "the last one is not told to commit": "a loop that ends one too early",
    "told to abort, stays prepared": "an abort is for those that work",
    "told to abort while working, does not": "an abort is for those that are prepared",
    "hears votes after the decision": "the manager notes a vote at any time",
    "only the last vote is kept": "the votes are one value, not a set",
    "a vote is noted for the next one": "an index that is one too high",
    "the abort says commit": "the wrong message is sent",
    "only those that voted are told to abort": "a loop over the votes, not over the resources",
    "the decision is not written": "the manager sends the commit before it decides, and forgets to",
    "a second commit is an error": "a message that comes again is taken for a mistake",
    "a second abort begins anew": "a resource forgets its journal after the end",
    "who gives up votes too": "a resource that aborts alone sends that it prepared",
    "all write one journal": "a list shared by every resource",
    "a resource commits by the votes": "a resource counts votes on its own, and goes ahead",
}


def model() -> Protocol:
    return two_phase_commit()


class Network:
    """Messages stay: each may arrive again and again."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, int]] = []  # kind, to whom, about which resource

    def send(self, kind: str, to: str, resource: int) -> None:
        if not self.has(kind, to, resource):
            self.sent.append((kind, to, resource))

    def has(self, kind: str, to: str, resource: int) -> bool:
        return (kind, to, resource) in self.sent


class Resource:
    shared: list[str]

    def __init__(self, number: int, network: Network, faults: set[str], shared: list[str]) -> None:
        self.number, self.network, self.faults = number, network, faults
        self.journal: list[str] = shared if "all write one journal" in faults else []

    @property
    def phase(self) -> str:
        return self.journal[-1] if self.journal else "working"

    def _vote(self) -> None:
        self.network.send("prepared", "manager", self.number)

    def prepare(self) -> bool:
        if self.journal and not ("prepares after it aborted" in self.faults and self.phase == "aborted"):
            return False
        if "the vote is sent first" not in self.faults:
            self.journal.append("prepared")
        if "the vote is not sent" not in self.faults:
            self._vote()
        return True

    def give_up(self) -> bool:
        promised = self.phase == "prepared" and "gives up though it voted" not in self.faults
        if promised or self.phase in ("committed", "aborted"):
            return False
        self.journal.append("aborted")
        if "who gives up votes too" in self.faults:
            self._vote()
        return True

    def receive(self, kind: str) -> bool:
        told = self.network.has(kind, "resource", self.number)
        if kind == "commit" and "a resource commits by the votes" in self.faults:
            told = told or sum(k == "prepared" for k, _, _ in self.network.sent) == 3
        if not told:
            return False
        end = {"commit": "committed", "abort": "aborted"}[kind]
        if self.phase == end:
            if kind == "commit" and "a second commit is an error" in self.faults:
                return False
            if kind == "abort" and "a second abort begins anew" in self.faults:
                self.journal.clear()
            return True
        if kind == "abort":
            if self.phase == "prepared" and "told to abort, stays prepared" in self.faults:
                return True
            if self.phase == "working" and "told to abort while working, does not" in self.faults:
                return True
        self.journal.append(end)
        return True


class Manager:
    def __init__(self, resources: int, network: Network, faults: set[str]) -> None:
        self.everyone, self.network, self.faults = range(resources), network, faults
        self.votes: set[int] = set()
        self.heard = 0
        self.decision = ""

    def hear(self, resource: int) -> bool:
        if self.decision and "hears votes after the decision" not in self.faults:
            return False
        if not self.network.has("prepared", "manager", resource):
            return False
        if "only the last vote is kept" in self.faults:
            self.votes.clear()
        wrong = "a vote is noted for the next one" in self.faults
        self.votes.add((resource + wrong) % len(self.everyone))
        self.heard += 1
        return True

    def _all_voted(self) -> bool:
        if "a majority is enough" in self.faults:
            return len(self.votes) * 2 > len(self.everyone)
        if "votes are counted, not voters" in self.faults:
            return self.heard >= len(self.everyone)
        return self.votes == set(self.everyone)

    def commit(self) -> bool:
        if self.decision and not ("commits after it aborted" in self.faults and self.decision == "abort"):
            return False
        if not self._all_voted():
            return False
        if "the decision is not written" not in self.faults:
            self.decision = "commit"
        late = "the last one is not told to commit" in self.faults
        for resource in self.everyone[: len(self.everyone) - late]:
            self.network.send("commit", "resource", resource)
        return True

    def abort(self) -> bool:
        if self.decision and not ("aborts after it committed" in self.faults and self.decision == "commit"):
            return False
        self.decision = "abort"
        told = (
            sorted(self.votes) if "only those that voted are told to abort" in self.faults else self.everyone
        )
        for resource in told:
            self.network.send(
                "commit" if "the abort says commit" in self.faults else "abort", "resource", resource
            )
        return True


class Driver:
    def __init__(self, fault: str = "") -> None:
        faults, shared, self.network = {fault}, list[str](), Network()
        self.manager = Manager(3, self.network, faults)
        self.resources = [Resource(i, self.network, faults, shared) for i in range(3)]

    def hear_prepared(self, rm: int) -> bool:
        return self.manager.hear(rm)

    def commit(self) -> bool:
        return self.manager.commit()

    def abort(self) -> bool:
        return self.manager.abort()

    def prepare(self, rm: int) -> bool:
        return self.resources[rm].prepare()

    def choose_to_abort(self, rm: int) -> bool:
        return self.resources[rm].give_up()

    def obey_commit(self, rm: int) -> bool:
        return self.resources[rm].receive("commit")

    def obey_abort(self, rm: int) -> bool:
        return self.resources[rm].receive("abort")

    def state(self) -> dict[str, object]:
        kinds = {kind for kind, _, _ in self.network.sent}
        return {
            "rm": [RM(resource.phase) for resource in self.resources],
            "tm": {"": TM.INIT, "commit": TM.COMMITTED, "abort": TM.ABORTED}[self.manager.decision],
            "heard": [number in self.manager.votes for number in range(3)],
            "said_prepared": [self.network.has("prepared", "manager", number) for number in range(3)],
            "said_commit": "commit" in kinds,
            "said_abort": "abort" in kinds,
        }
