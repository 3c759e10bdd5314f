"""A better order for a finished set: each block of levels in turn goes where the set is smallest (Rudell's sifting).

A block is what has to stay together: the bits of one field. It is moved past its neighbours one by one, by swaps of
adjacent levels; a swap changes those nodes alone that point from the upper level to the lower.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cutproof.checks.engines.zdd.diagrams import Look, Node

GROWTH = 1.2  # how much larger the set may be on the way than it was at its best
WORK = 2_000_000  # nodes looked at in swaps: about a second or two
ROUNDS = 4  # each goes over all blocks, and the last one brings less than a hundredth

_LEFT = -1  # the variable of 0 and 1


class Shifting:
    """A set, given by its nodes (as of `nodes_of`) and its root, the widths of its blocks by level: as a table whose
    blocks change places. `order` has the numbers of the blocks, first the one at the top; `size` is how many nodes
    there are, and `work` how many were looked at in swaps."""

    def __init__(
        self, nodes: Iterable[tuple[Node, int, Node, Node]], root: Node, widths: Sequence[int]
    ) -> None:
        self.order, self.widths = list(range(len(widths))), list(widths)
        self.variables = list(range(sum(widths)))  # by level
        self.work = 0
        self._low, self._high, self._variable, self._uses = [0, 0], [0, 0], [_LEFT, _LEFT], [0, 0]
        self._tables: list[dict[tuple[int, int], int]] = [{} for _ in self.variables]
        self._free: list[int] = []
        number = {0: 0, 1: 1}
        for node, level, low, high in nodes:
            number[node] = self._node(level, number[low], number[high])
        self.root = number[root]
        self._uses[self.root] += 1

    @property
    def size(self) -> int:
        return len(self._low) - 2 - len(self._free)

    def nodes(self) -> list[tuple[Node, int, Node, Node]]:
        """The nodes, (node, level, low, high), each after those below it."""
        found = list[tuple[Node, int, Node, Node]]()
        for level in range(len(self.variables) - 1, -1, -1):
            table = self._tables[self.variables[level]]
            found += [(node, level, low, high) for (low, high), node in table.items()]
        return found

    def down(self, place: int) -> None:
        """The block at a place changes places with the next one."""
        above = sum(self.widths[block] for block in self.order[:place])
        upper, lower = self.widths[self.order[place]], self.widths[self.order[place + 1]]
        for j in range(lower):
            for i in range(upper - 1, -1, -1):
                self._swap(above + i + j)
        self.order[place : place + 2] = self.order[place + 1], self.order[place]

    # -------------------------------------------------- one swap

    def _swap(self, level: int) -> None:
        """The levels `level` and `level + 1` change places. A node stands for the same states afterwards."""
        x, y = self.variables[level : level + 2]
        self.variables[level : level + 2] = y, x
        variable, low, high = self._variable, self._low, self._high
        upper, lower = self._tables[x], self._tables[y]
        self.work += len(upper) + 1
        touched = [
            (key, node) for key, node in upper.items() if variable[key[0]] == y or variable[key[1]] == y
        ]
        for key, _ in touched:
            del upper[key]
        self.work += 4 * len(touched)
        for (f, g), node in touched:
            a, b = (low[f], high[f]) if variable[f] == y else (f, 0)
            c, d = (low[g], high[g]) if variable[g] == y else (g, 0)
            without, having = self._node(x, a, c), self._node(x, b, d)
            self._uses[without] += 1
            self._uses[having] += 1
            low[node], high[node], variable[node] = without, having, y
            lower[without, having] = node
            self._drop(f)
            self._drop(g)

    def _node(self, variable: int, low: int, high: int) -> int:
        """A node that nobody uses yet, if it is new."""
        if not high:
            return low
        table = self._tables[variable]
        found = table.get((low, high))
        if found is None:
            if self._free:
                found = self._free.pop()
                self._low[found], self._high[found], self._variable[found] = low, high, variable
            else:
                found = len(self._low)
                self._low.append(low)
                self._high.append(high)
                self._variable.append(variable)
                self._uses.append(0)
            table[low, high] = found
            self._uses[low] += 1
            self._uses[high] += 1
        return found

    def _drop(self, node: int) -> None:
        """A node is used once less; what nobody uses is gone."""
        todo, uses = [node], self._uses
        while todo:
            node = todo.pop()
            uses[node] -= 1
            if node > 1 and not uses[node]:
                low, high = self._low[node], self._high[node]
                del self._tables[self._variable[node]][low, high]
                self._free.append(node)
                todo += (low, high)

    # -------------------------------------------------- one block

    def weight(self, block: int) -> int:
        """How many nodes a block has."""
        first = sum(self.widths[:block])
        return sum(len(self._tables[first + i]) for i in range(self.widths[block]))

    def settle(self, block: int, growth: float = GROWTH) -> None:
        """A block goes where the set is smallest, and stays where it is if no place is better."""
        place = self.order.index(block)
        best, least = place, self.size
        for step in (1, -1):  # past all below it, then past all above
            while 0 <= place + step < len(self.order):
                self.down(min(place, place + step))
                place += step
                if self.size < least:
                    best, least = place, self.size
                elif self.size > growth * least:
                    break
            while place != best:
                towards = 1 if best > place else -1
                self.down(min(place, place + towards))
                place += towards


def sift(
    shifting: Shifting,
    growth: float = GROWTH,
    work: int = WORK,
    rounds: int = ROUNDS,
    look: Look = lambda: None,
) -> list[int]:
    """The blocks in a better order, the largest moved first; ends when a round brings little, or so much work is
    done. The set is never larger than it began. `look` is called before each block."""
    for _ in range(rounds):
        before = shifting.size
        for block in sorted(shifting.order, key=lambda b: (-shifting.weight(b), b)):
            look()
            if shifting.work > work:
                return list(shifting.order)
            shifting.settle(block, growth)
        if shifting.size > 0.99 * before:
            break
    return list(shifting.order)
