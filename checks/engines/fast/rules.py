"""What decides a transition, and in what pieces: *rules* of one or more *factors*.

A transition reads few clusters of the word (`clusters.py`), and of those few combinations of values occur. So what it
does is computed once for each, by the code that the plain engine runs, and looked up from then on (`rulebook.py`).
Most rules are one factor: a run of transitions that read much the same. A transition that reads too much, such as a
crash that sets every message adrift, is several: some of its guards and updates each, by what they read; it is taken
where all of them say yes, and what they add to the word is added up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Cluster
from cutproof.checks.engines.fast.columns import values
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import Compiled, Steps, compile_steps, compile_terms, conjuncts
from cutproof.model.language.expressions import Term
from cutproof.model.language.packing import Packing
from cutproof.model.language.protocol import Field, Transition

WIDE = 12.0  # bits (of values that occur) of one factor of a transition that is taken apart
SPLIT = 200  # combinations above which a transition is taken apart
MOST, DEARER = 200, 2.0  # combinations of a factor, and how many more they may become by joining two
LOOKS = 4  # times that some bits are looked up to rule rules out, at most
SELECTIVE = 100  # combinations of these bits
PAYS = 2.0  # rules that one more look must rule out, on average
LOOKED_AT = 4000  # sampled states by which that is chosen
AT_ONCE = 200  # transitions of one factor, at most: a place in a table counts its steps with eight bits
RANGE = 1 << 15  # codes that are counted in an array of all that there could be
WORTH = 0.15  # rules that one more cluster in a look must rule out, on average


@dataclass
class Factor:
    """The clusters that decide, and the code that says which steps there are."""

    clusters: frozenset[int]
    steps: tuple[tuple[int, Transition], ...]
    work: Callable[[int], Steps] = lambda bits: ()


@dataclass
class Rule:
    """One factor with a run of transitions, or one transition in several factors: its number in `single`."""

    factors: list[Factor]
    single: int = -1


# The conditions of a transition, each with the clusters that it reads.
Way = list[tuple[frozenset[int], Term]]
Truth = dict[Term, npt.NDArray[np.bool_]]  # of conditions, in each sampled state
# What it reads, its guards, its updates.
Piece = tuple[frozenset[int], list[tuple[str, Term]], list[tuple[Field, Term]]]


class Splitter:
    """Transitions as rules. What occurs together is judged by `sampled`, packed states."""

    def __init__(self, compiled: Compiled, clusters: Sequence[Cluster], sampled: Sequence[int]) -> None:
        self.compiled, self.clusters = compiled, clusters
        self.sampled = sampled[:: 1 + len(sampled) // LOOKED_AT]
        self.codes, self.counts = list[npt.NDArray[np.int64]](), list[int]()
        for cluster in clusters:
            number: dict[int, int] = {}
            code = [number.setdefault(s & cluster.mask, len(number)) for s in self.sampled]
            self.codes.append(np.array(code, np.int64))
            self.counts.append(max(1, len(number)))
        self.width = [float(np.log2(max(c.seen, 1))) for c in clusters]

    def rules(self, transitions: Sequence[tuple[int, Transition]]) -> list[Rule]:
        """Each transition in one rule; what is decided by much the same is decided together."""
        found, joined = list[Rule](), dict[frozenset[int], list[tuple[int, Transition]]]()
        for number, transition in transitions:
            clusters = self._read(transition)
            if self.combinations(clusters) > SPLIT:
                found.append(Rule(self.taken_apart(number, transition), number))
            else:
                joined.setdefault(clusters, []).append((number, transition))
        for read, steps in self._joined(joined).items():
            found += [
                Rule([Factor(read, tuple(steps[i : i + AT_ONCE]))]) for i in range(0, len(steps), AT_ONCE)
            ]
        self.compile([f for rule in found for f in rule.factors])
        return found

    def _joined(
        self, runs: dict[frozenset[int], list[tuple[int, Transition]]]
    ) -> dict[frozenset[int], list[tuple[int, Transition]]]:
        """Join runs of transitions as long as the combinations to be computed hardly become more."""
        sizes = {c: self.combinations(c) for c in runs}
        gains: dict[tuple[int, int], tuple[float, frozenset[int]]] = {}
        places = dict(enumerate(runs))
        fresh = len(places)

        def consider(i: int, j: int) -> None:
            both = places[i] | places[j]
            if both not in sizes:
                sizes[both] = self.combinations(both)
            one, two, n = sizes[places[i]], sizes[places[j]], sizes[both]
            if n <= MOST and n <= DEARER * (one + two):
                gains[i, j] = (one + two) / n, both

        for i in places:
            for j in places:
                if i < j:
                    consider(i, j)
        steps = {i: list(runs[c]) for i, c in places.items()}
        while gains:
            (i, j), (_, both) = max(gains.items(), key=lambda pair: (pair[1][0], pair[0]))
            steps[fresh], places[fresh] = steps.pop(i) + steps.pop(j), both
            del places[i], places[j]
            gains = {pair: gain for pair, gain in gains.items() if not {i, j} & set(pair)}
            for k in list(places):
                if k != fresh:
                    consider(k, fresh)
            fresh += 1
        merged: dict[frozenset[int], list[tuple[int, Transition]]] = {}
        for i in sorted(places, key=lambda i: min(n for n, _ in steps[i])):
            merged.setdefault(places[i], []).extend(steps[i])
        return {c: sorted(some, key=lambda step: step[0]) for c, some in merged.items()}

    def combinations(self, clusters: frozenset[int]) -> int:
        """How many combinations of values some clusters have, judged by the sampled states: what was seen, and what
        was not, by how much was seen once and twice (Chao, "Nonparametric estimation of the number of classes")."""
        code, values = np.zeros(len(self.sampled), np.int64), 1
        for i in sorted(clusters):
            if self.counts[i] > 1:
                code, values = ranked(code * self.counts[i] + self.codes[i], values * self.counts[i])
        times = np.bincount(np.bincount(code, minlength=1), minlength=3)
        return values + int(times[1]) * (int(times[1]) - 1) // (2 * (int(times[2]) + 1))

    def bits(self, clusters: Iterable[int]) -> float:
        """How much some clusters can say, by what the sampled states had of them."""
        return sum(self.width[i] for i in clusters)

    def of(self, names: Iterable[str]) -> frozenset[int]:
        """The clusters that some fields are in."""
        mask = self.compiled.packing.mask(names)
        return frozenset(i for i, c in enumerate(self.clusters) if c.mask & mask)

    def _read(self, transition: Transition) -> frozenset[int]:
        terms = [g for _, g in transition.guards] + [v for _, v in transition.updates]
        names = [name for term in terms for name in ex.names(term)]
        return self.of([*names, *(f.name for f, _ in transition.updates)])

    def taken_apart(self, number: int, transition: Transition) -> list[Factor]:
        """One transition in several factors, those with guards first; not compiled yet."""
        pieces = list[Piece]()
        guards = [(self.of(ex.names(test)), test) for test in conjuncts(transition.enabled)]
        for clusters, test in sorted(guards, key=lambda pair: (self.bits(pair[0]), sorted(pair[0]))):
            self._fit(pieces, clusters)[1].append(("", test))
        for i, cluster in enumerate(self.clusters):
            mine = [(f, v) for f, v in transition.updates if f in cluster.fields]
            if mine:
                reads = self.of(name for _, v in mine for name in ex.names(v)) | {i}
                self._fit(pieces, reads)[2].extend(mine)
        stored = {f for cluster in self.clusters for f in cluster.fields}
        for f, v in transition.updates:
            if f not in stored:  # it does not vary, and nothing of it is stored; but it may leave its domain
                self._fit(pieces, self.of(ex.names(v)))[2].append((f, v))
        pieces.sort(key=lambda piece: (not piece[1], self.bits(piece[0])))
        return [
            Factor(clusters, ((number, replace(transition, guards=tuple(tests), updates=tuple(news))),))
            for clusters, tests, news in pieces
        ]

    def _fit(self, pieces: list[Piece], clusters: frozenset[int]) -> Piece:
        """The piece to which something that reads `clusters` goes; a new one if it would be too wide."""
        grown = [(self.bits(p[0] | clusters) - self.bits(p[0]), i) for i, p in enumerate(pieces)]
        fits = [(more, i) for more, i in grown if more == 0 or self.bits(pieces[i][0] | clusters) <= WIDE]
        if not fits:
            pieces.append((clusters, [], []))
            return pieces[-1]
        _, best = min(fits)
        pieces[best] = (pieces[best][0] | clusters, *pieces[best][1:])
        return pieces[best]

    def compile(self, factors: Sequence[Factor]) -> None:
        """Give each factor its code."""
        made = compile_steps(self.compiled.protocol, self.compiled.packing, [f.steps for f in factors])
        for factor, work in zip(factors, made, strict=True):
            factor.work = work

    # -------------------------------------------------- what is looked at first

    def looks(self, rules: Sequence[Rule]) -> list[frozenset[int]]:
        """Some sets of few clusters that together rule most rules out, by the sampled states: phase, epoch and such."""
        columns = _columns(self.compiled.packing, self.sampled)
        ways = [[self.conditions(tests) for tests in tests_of(rule)] for rule in rules]
        terms = list(dict.fromkeys(test for rule in ways for way in rule for _, test in way))
        true = dict(zip(terms, values(terms, columns, len(self.sampled)), strict=True))
        able = np.ones((len(rules), len(self.sampled)), dtype=bool)
        chosen = list[frozenset[int]]()
        while len(chosen) < LOOKS:
            look, left = frozenset[int](), able
            while True:
                wider = [look | {i} for i in range(len(self.clusters)) if i not in look]
                wider = [w for w in wider if self.combinations(w) <= SELECTIVE]
                tried = [(able & self._able(ways, true, w), w) for w in wider]
                best, which = min(tried, key=lambda pair: pair[0].sum(), default=(left, look))
                if left.sum() - best.sum() < WORTH * len(self.sampled):
                    break
                look, left = which, best
            if able.sum() - left.sum() < PAYS * len(self.sampled) and chosen:
                break
            chosen.append(look)
            able = left
        return chosen

    def conditions(self, tests: Iterable[Term]) -> list[tuple[frozenset[int], Term]]:
        """Conditions with the clusters that they read."""
        return [(self.of(ex.names(test)), test) for test in tests]

    def _able(
        self, ways: Sequence[Sequence[Way]], true: Truth, clusters: frozenset[int]
    ) -> npt.NDArray[np.bool_]:
        """Which rules are not ruled out by some clusters, in each sampled state."""
        able = np.ones((len(ways), len(self.sampled)), dtype=bool)
        for i, rule in enumerate(ways):
            tests = [[true[test] for read, test in way if read <= clusters] for way in rule]
            if all(tests):
                able[i] = np.logical_or.reduce([np.logical_and.reduce(some) for some in tests])
        return able

    def possible(self, rules: Sequence[Rule], clusters: frozenset[int]) -> Callable[[int], list[int]]:
        """From the packed bits of some clusters: the numbers of the rules that they do not rule out."""
        terms = []
        for rule in rules:
            ways = [
                [test for read, test in self.conditions(tests) if read <= clusters]
                for tests in tests_of(rule)
            ]
            terms.append(ex.disjunction(*(ex.conjunction(*way) for way in ways)))
        told, unpack = compile_terms(self.compiled.protocol, terms), self.compiled.unpack
        return lambda bits: [r for r, value in enumerate(told(unpack(bits))) if value]


def ranked(code: npt.NDArray[np.int64], values: int) -> tuple[npt.NDArray[np.int64], int]:
    """Codes below `values`, numbered anew without gaps; and how many there are."""
    if values > RANGE:
        there, code = np.unique(code, return_inverse=True)
        return code, len(there)
    there = np.zeros(values, np.int64)
    there[code] = 1
    return (np.cumsum(there) - 1)[code], int(there.sum())


def tests_of(rule: Rule) -> list[list[Term]]:
    """The conditions of each transition of a rule."""
    found: dict[int, list[Term]] = {}
    for factor in rule.factors:
        for number, transition in factor.steps:
            found.setdefault(number, []).extend(conjuncts(transition.enabled))
    return list(found.values())


def _columns(packing: Packing, sampled: Sequence[int]) -> dict[str, npt.NDArray[np.int64]]:
    found = {}
    for f in packing.fields:
        offset, mask = packing.offsets[f.name], packing.masks[f.name]
        found[f.name] = np.array([((s & mask) >> offset) + f.domain.low for s in sampled], dtype=np.int64)
    return found
