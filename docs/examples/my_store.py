"""A small sharded store in memory, with a migration of its own. It has a mistake that loses writes: can you see it?

Nodes accept a delivery into their inbox and apply it later. While a migration runs, every write goes to both nodes.
`step` does one thing of all that could happen next; nothing happens by itself.
"""

import random
import zlib


class Node:
    def __init__(self, name):
        self.name = name
        self.documents = {}  # key -> (version, value); a deleted document has the value None
        self.inbox = []  # accepted, not applied yet
        self.stalled = False
        self.failures = 0  # so many deliveries to it fail

    def apply(self, key, version, value):
        if version > self.documents.get(key, (0, None))[0]:
            self.documents[key] = (version, value)


class Write:
    def __init__(self, key, version, value):
        self.key, self.version, self.value = key, version, value
        self.status = "pending"


class MyStore:
    def __init__(self, nodes, shards, seed):
        self.nodes = {name: Node(name) for name in nodes}
        self.shards = shards
        self.owners = dict.fromkeys(range(shards), nodes[0])
        self.random = random.Random(seed)
        self.wire = []  # (node, write): deliveries that are under way
        self.version = 0
        self.moves = {}  # shard -> (source, target)
        self.phase = "idle"
        self.todo = []  # keys that the copy has still to look at

    def shard_of(self, key):
        return zlib.crc32(key.encode()) % self.shards

    def write(self, key, value):
        """Write a document, or delete it with None. Returns a Write whose status tells what became of it."""
        self.version += 1
        write = Write(key, self.version, value)
        if self.phase in ("drain", "delta"):
            write.status = "refused"
            return write
        for name in self.moves.get(self.shard_of(key), (self.owners[self.shard_of(key)],)):
            self.wire.append((self.nodes[name], write))
        return write

    def read(self, key):
        return self.nodes[self.owners[self.shard_of(key)]].documents.get(key, (0, None))[1]

    def migrate(self, target):
        """Begin to move all shards to one node."""
        self.moves = {s: (owner, target) for s, owner in self.owners.items() if owner != target}
        self.phase = "wait"

    def step(self):
        """Do one thing; False if nothing can be done."""
        ready = [node for node in self.nodes.values() if node.inbox and not node.stalled]
        busy = self.wire or any(node.inbox for node in self.nodes.values())
        things = [self.deliver] * len(self.wire) + [lambda n=node: self.apply(n) for node in ready]
        if self.phase in ("copy", "delta") or (self.phase in ("wait", "drain") and not busy):
            things.append(self.move_on)
        if things:
            self.random.choice(things)()
        return bool(things)

    def deliver(self):
        node, write = self.wire.pop(self.random.randrange(len(self.wire)))
        if not node.failures:
            node.inbox.append(write)
            return
        node.failures -= 1
        if node.name == self.owners[self.shard_of(write.key)]:
            write.status = "failed"

    def apply(self, node):
        write = node.inbox.pop(0)
        node.apply(write.key, write.version, write.value)
        if node.name == self.owners[self.shard_of(write.key)] and write.status == "pending":
            write.status = "acknowledged"

    def move_on(self):
        """The next step of the migration."""
        if self.phase in ("copy", "delta") and self.todo:
            source, target, key = self.todo.pop()
            copy = source.documents[key]
            if self.phase == "copy" or self.lacks(target, key, copy):
                target.apply(key, *copy)
        elif self.phase == "delta":
            for shard, (source, target) in self.moves.items():
                self.owners[shard] = target
                mine = [k for k in self.nodes[source].documents if self.shard_of(k) == shard]
                for key in mine:
                    del self.nodes[source].documents[key]
            self.moves, self.phase = {}, "idle"
        else:
            self.phase = {"wait": "copy", "copy": "drain", "drain": "delta"}[self.phase]
            self.todo = [
                (self.nodes[source], self.nodes[target], key)
                for shard, (source, target) in self.moves.items()
                for key in sorted(self.nodes[source].documents)
                if self.shard_of(key) == shard and self.phase != "drain"
            ]

    def lacks(self, target, key, copy):
        """Whether the target still needs what the source has: some deliveries to it may have failed."""
        return key not in target.documents


class MendedStore(MyStore):
    def lacks(self, target, key, copy):
        return target.documents.get(key, (0, None))[0] < copy[0]
