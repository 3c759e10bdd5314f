"""Leases with fencing tokens by absolute times, with faults that can be switched on; driven through the model
`docs/examples/leases.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from places import ROOT

from cutproof.checks.protocols.load import load
from cutproof.model.language.protocol import Protocol

TOKENS, TIME = 2, 2
RESOURCES = 1
FAULTS = {
    "grants a lease that is held": "nobody looks whether it has ended",
    "the token stays": "a lease has the number of the one before",
    "a lease lasts a tick too long": "up to and including its end",
    "a lease ends a tick early": "an end that is computed one too low",
    "renewed by anybody": "the holder is not compared",
    "renewed after its end": "the end is not looked at",
    "renewing does nothing": "the new end is not kept",
    "renewing adds time": "the new end counts from the old one",
    "renewing takes a new token": "renewed as if it were granted",
    "releasing does nothing": "the lease runs on",
    "released with a write under way": "the holder forgets what it is about to do",
    "releasing resets the token": "the counter goes with the lease",
    "the store takes everything": "no fence",
    "the store takes a token once": "the fence compares by less, not by at most",
    "the fence is not raised": "the store keeps the value and forgets the token",
    "the fence is raised by a refusal": "a token that is too low becomes the fence",
    "a refused write stays": "the client will try again",
    "waking up forgets the write": "a client begins anew",
    "a pause ends the lease": "the service hears of it, and takes the lease away",
    "who sleeps is served": "a request goes out while the client is paused",
    "writes by the first token": "a client keeps the token that it got first",
    "a tick while nobody holds": "the clock goes on alone",
    "the holder is forgotten": "who had the lease is cleared when it is released",
}


@cache
def model() -> Protocol:
    return load(str(ROOT / "docs/examples/leases.py")).protocol


@dataclass
class Lease:
    holder: int = 0
    token: int = 0
    ends: int = 0


class Service:
    def __init__(self, faults: set[str]) -> None:
        self.faults, self.now = faults, 0
        self.leases = [Lease() for _ in range(RESOURCES)]

    def alive(self, lease: Lease) -> bool:
        late = 1 if "a lease lasts a tick too long" in self.faults else 0
        return lease.token > 0 and self.now < lease.ends + late

    def acquire(self, client: int, resource: int) -> int:
        """The token, or 0 where the lease is held or no token is left."""
        lease = self.leases[resource]
        if self.alive(lease) and "grants a lease that is held" not in self.faults:
            return 0
        if lease.token == TOKENS:
            return 0
        step = 0 if "the token stays" in self.faults and lease.token else 1
        early = 1 if "a lease ends a tick early" in self.faults else 0
        self.leases[resource] = Lease(client, lease.token + step, self.now + TIME - early)
        return lease.token + step

    def renew(self, client: int, resource: int) -> bool:
        lease = self.leases[resource]
        mine = lease.holder == client or "renewed by anybody" in self.faults
        in_time = self.alive(lease) or ("renewed after its end" in self.faults and lease.token > 0)
        if not (mine and in_time) or lease.ends == self.now + TIME:
            return False
        if "renewing takes a new token" in self.faults and lease.token < TOKENS:
            lease.token += 1
        if "renewing adds time" in self.faults:
            lease.ends += TIME
        elif "renewing does nothing" not in self.faults:
            lease.ends = self.now + TIME
        return True

    def release(self, client: int, resource: int) -> bool:
        lease = self.leases[resource]
        if not (self.alive(lease) and lease.holder == client):
            return False
        if "releasing does nothing" not in self.faults:
            lease.ends = self.now
        if "releasing resets the token" in self.faults:
            lease.token = 0
        if "the holder is forgotten" in self.faults:
            lease.holder = 0
        return True

    def tick(self) -> bool:
        if not any(map(self.alive, self.leases)) and "a tick while nobody holds" not in self.faults:
            return False
        self.now += 1
        return True

    def left(self, resource: int) -> int:
        lease = self.leases[resource]
        return max(0, lease.ends - self.now)


class Store:
    def __init__(self, faults: set[str]) -> None:
        self.faults = faults
        self.fence, self.value = [0] * RESOURCES, [0] * RESOURCES

    def accepts(self, resource: int, token: int) -> bool:
        if "the store takes everything" in self.faults:
            return True
        if "the store takes a token once" in self.faults:
            return token > self.fence[resource]
        return token >= self.fence[resource]

    def write(self, resource: int, token: int) -> bool:
        if not self.accepts(resource, token):
            if "the fence is raised by a refusal" in self.faults:
                self.fence[resource] = token
            return False
        if "the fence is not raised" not in self.faults:
            self.fence[resource] = max(self.fence[resource], token)
        self.value[resource] = token
        return True


@dataclass
class Client:
    name: int
    service: Service
    store: Store
    faults: set[str]
    asleep: bool = False
    writes: dict[int, int] = field(
        default_factory=dict
    )  # by resource, the token of the write that is under way
    first: dict[int, int] = field(default_factory=dict)

    @property
    def awake(self) -> bool:
        return not self.asleep or "who sleeps is served" in self.faults

    def acquire(self, resource: int) -> bool:
        token = self.service.acquire(self.name, resource) if self.awake else 0
        self.first.setdefault(resource, token)
        return token > 0

    def holds(self, resource: int) -> bool:
        lease = self.service.leases[resource]
        return self.awake and lease.holder == self.name and self.service.alive(lease)

    def look(self, resource: int) -> bool:
        if not self.holds(resource) or resource in self.writes:
            return False
        token = self.service.leases[resource].token
        self.writes[resource] = (
            self.first.get(resource) or token if "writes by the first token" in self.faults else token
        )
        return True

    def release(self, resource: int) -> bool:
        if resource in self.writes:
            if "released with a write under way" not in self.faults:
                return False
            del self.writes[resource]
        return self.holds(resource) and self.service.release(self.name, resource)

    def deliver(self, resource: int) -> bool:
        """The write arrives: whether the store took it."""
        taken = self.store.write(resource, self.writes[resource])
        if taken or "a refused write stays" not in self.faults:
            del self.writes[resource]
        return taken

    def pause(self) -> bool:
        if self.asleep:
            return False
        self.asleep = True
        if "a pause ends the lease" in self.faults:
            for resource in range(RESOURCES):
                self.service.release(self.name, resource)
        return True

    def wake_up(self) -> bool:
        if not self.asleep:
            return False
        self.asleep = False
        if "waking up forgets the write" in self.faults:
            self.writes.clear()
        return True


class Driver:
    def __init__(self, fault: str = "") -> None:
        self.service, self.store = Service({fault}), Store({fault})
        self.clients = [Client(i, self.service, self.store, {fault}) for i in range(2)]

    def grant(self, client: int, resource: int) -> bool:
        return self.clients[client].acquire(resource)

    def tick(self) -> bool:
        return self.service.tick()

    def renew(self, client: int, resource: int) -> bool:
        return self.clients[client].awake and self.service.renew(client, resource)

    def release(self, client: int, resource: int) -> bool:
        return self.clients[client].release(resource)

    def look(self, client: int, resource: int) -> bool:
        return self.clients[client].look(resource)

    def pause(self, client: int) -> bool:
        return self.clients[client].pause()

    def wake_up(self, client: int) -> bool:
        return self.clients[client].wake_up()

    def _arrives(self, client: int, resource: int, taken: bool) -> bool:
        """The store's answer is part of the action: it is asked first, so that the other answer is a refusal."""
        one = self.clients[client]
        if not one.awake or resource not in one.writes:
            return False
        return self.store.accepts(resource, one.writes[resource]) is taken and one.deliver(resource) is taken

    def arrive(self, client: int, resource: int) -> bool:
        return self._arrives(client, resource, True)

    def refuse(self, client: int, resource: int) -> bool:
        return self._arrives(client, resource, False)

    def state(self) -> dict[str, object]:
        one = range(RESOURCES)
        return {
            "paused": [c.asleep for c in self.clients],
            "holder": [lease.holder for lease in self.service.leases],
            "left": [self.service.left(r) for r in one],
            "number": [lease.token for lease in self.service.leases],
            "about": [[c.writes.get(r, 0) for r in one] for c in self.clients],
            "fence": self.store.fence,
            "written": self.store.value,
        }
