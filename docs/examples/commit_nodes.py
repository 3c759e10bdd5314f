"""A small atomic commit, as somebody might write it: nodes vote, and each may commit once all votes are in."""


class Coordinator:
    def __init__(self, nodes):
        self.nodes, self.votes = nodes, {}

    def vote(self, node, yes):
        self.votes[node] = yes

    def decided(self):
        return len(self.votes) == self.nodes  # every vote is in


class Node:
    def __init__(self, number, coordinator):
        self.number, self.coordinator = number, coordinator
        self.log = []

    @property
    def state(self):
        return self.log[-1] if self.log else "working"

    def answer(self, yes):
        if self.log:
            return False
        self.log.append("prepared" if yes else "aborted")
        self.coordinator.vote(self.number, yes)
        return True

    def commit(self):
        if not self.coordinator.decided():
            return False
        if self.state == "prepared":
            self.log.append("committed")
        return True
