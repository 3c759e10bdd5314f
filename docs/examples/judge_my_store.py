"""The adapter of my store, and its judgement: `python docs/examples/judge_my_store.py`, or with `mended` behind it."""

import sys

from my_store import MendedStore, MyStore

from cutproof.checks import conform


class MyAdapter(conform.Adapter):
    make = MyStore

    def start(self, nodes, shards, seed):
        self.store = self.make(nodes, shards, seed)

    def put(self, key, value):
        write = self.store.write(key, value)
        return lambda: write.status

    def delete(self, key):
        return self.put(key, None)

    def get(self, key):
        return self.store.read(key)

    def begin_migration(self, node):
        self.store.migrate(node)

    def advance(self):
        return self.store.step()

    def phase(self):
        return self.store.phase

    def inject(self, fault, node):
        if fault == "fail":
            self.store.nodes[node].failures += 1
        elif fault == "pause":
            self.store.nodes[node].stalled = True
        else:
            raise conform.NotSupported

    def heal(self):
        for node in self.store.nodes.values():
            node.failures, node.stalled = 0, False


class MendedAdapter(MyAdapter):
    make = MendedStore


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["mended"]:
            print(conform.check(MendedAdapter))
        else:
            print(conform.check(MyAdapter))
    except conform.NotConforming as found:
        sys.exit(str(found))
