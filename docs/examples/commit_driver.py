"""Drives `commit_nodes.py` through the runs of `atomic_commit.py`."""

from commit_nodes import Coordinator, Node


class Driver:
    def __init__(self):
        coordinator = Coordinator(nodes=3)
        self.nodes = [Node(number, coordinator) for number in range(3)]

    def prepare(self, node):
        return self.nodes[node].answer(yes=True)

    def give_up(self, node):
        return self.nodes[node].answer(yes=False)

    def commit(self, node):
        return self.nodes[node].commit()

    def state(self):
        return {"node": [node.state.upper() for node in self.nodes]}
