"""The engine of the fast search: expands and judges words, on several threads, and keeps what it learns.

It knows no levels and no set of states: `search.py` has these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cutproof.checks.engines.fast.clusters import Layout, Words
from cutproof.checks.engines.fast.columns import needed, values
from cutproof.checks.engines.fast.kernels.choice import kernels
from cutproof.checks.engines.fast.kernels.layout import EMPTY, PARTS, RECENT
from cutproof.checks.engines.fast.rulebook import Rulebook
from cutproof.checks.engines.fast.rules import Factor, Rule, Splitter
from cutproof.model.language import expressions as ex
from cutproof.model.language.codegen import Compiled, apart
from cutproof.model.language.expressions import Term
from cutproof.model.language.protocol import Claim, Protocol, Transition

ROWS = 1 << 14  # of a level that a worker expands at a time
ROOM = 1 << 14  # successors that a worker's buffer for one part holds
MISSES = 1 << 14
EDGES = 1 << 17  # steps that are looked at one by one at a time
CLAIMS = 64  # judged together: one bit each
WAYS = 12  # in which a claim can be told, each looked up on its own
ALARM = 1000  # combinations, above which a condition of a claim is looked at only where the rest holds

Numbers = npt.NDArray[np.int64]


class Desk:
    """What one worker writes to."""

    def __init__(self, transitions: int) -> None:
        self.out = np.empty((PARTS, ROOM + transitions), np.uint64)
        self.fill = np.zeros(PARTS, np.int64)
        self.recent = np.full(1 << RECENT, EMPTY)
        self.moved, self.taken = np.zeros(ROWS, np.int32), np.zeros(ROWS, np.int32)
        self.broken = np.zeros(ROWS, np.uint8)
        self.skipped, self.seen = np.empty(ROWS, np.int64), np.empty(MISSES, np.int64)
        self.miss_row, self.miss_rule = np.empty(MISSES, np.int64), np.empty(MISSES, np.int64)
        self.times, self.in_factors = np.zeros(0, np.int64), np.zeros(0, np.int64)


@dataclass
class Judge:
    """Rules of which each tells one claim in one way: `of` has the bits of its rules for each claim. What the rules of
    `exact` tell is so; what others tell is looked at again, because their widest conditions were left out."""

    book: Rulebook
    of: dict[int, int]
    exact: np.uint64


class Engine:
    """What expands and judges words, on `workers` threads; what it learns it keeps. `layout` may be laid out anew."""

    def __init__(
        self, protocol: Protocol, claims: Sequence[Claim], layout: Layout, compiled: Compiled, workers: int
    ) -> None:
        self.protocol, self.claims, self.layout, self.compiled = protocol, claims, layout, compiled
        splitter = Splitter(compiled, layout.clusters, layout.sampled)
        self.book = Rulebook(
            compiled, layout, splitter, splitter.rules(list(enumerate(protocol.transitions)))
        )
        told = [(i, told_of(c)) for i, c in enumerate(claims)]
        self.told = {i: term for i, term in told if term is not ex.FALSE}
        ways = [(i, way) for i, term in self.told.items() for way in ways_of(term)]
        self.judges = [self._judge(splitter, ways[at : at + CLAIMS]) for at in range(0, len(ways), CLAIMS)]
        self.fired = np.zeros(len(protocol.transitions), np.int64)
        self.desks = [Desk(len(protocol.transitions)) for _ in range(workers)]
        self.pool = ThreadPoolExecutor(workers - 1) if workers > 1 else None
        self.on_relayout: list[Callable[[tuple[int, ...]], None]] = []

    def _judge(self, splitter: Splitter, ways: Sequence[tuple[int, Term]]) -> Judge:
        """Rules that tell claims, one for each way in which a claim can be told."""
        rules, of, exact = list[Rule](), dict[int, int](), 0
        for r, (claim, term) in enumerate(ways):
            step = Transition(self.claims[claim].property, "", False, (), (("", term),), ())
            factors = splitter.taken_apart(claim, step) or [Factor(frozenset(), ((claim, step),))]
            narrow = [f for f in factors if splitter.combinations(f.clusters) <= ALARM]
            kept = narrow or [min(factors, key=lambda f: splitter.combinations(f.clusters))]
            exact |= (len(kept) == len(factors)) << r
            of[claim] = of.get(claim, 0) | 1 << r
            splitter.compile(kept)
            rules.append(Rule(kept, claim))
        return Judge(Rulebook(self.compiled, self.layout, splitter, rules), of, np.uint64(exact))

    def together(self, work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """`work` for each tuple of arguments, on the workers, in order."""
        if self.pool is None or len(arguments) < 2:
            return [work(*a) for a in arguments]
        others = [self.pool.submit(work, *a) for a in arguments[1:]]
        return [work(*arguments[0]), *(other.result() for other in others)]

    def close(self) -> None:
        """End the threads."""
        if self.pool:
            self.pool.shutdown()

    # -------------------------------------------------- expanding

    def ready(self, desk: Desk) -> None:
        """Room for counts, after the tables changed."""
        if len(desk.times) != self.book.places or len(desk.in_factors) != len(self.book.rules):
            desk.times = np.zeros(self.book.places, np.int64)
            desk.in_factors = np.zeros(len(self.book.rules), np.int64)

    def count(self) -> None:
        """Bring the counts of the desks into `fired`; before the tables change, and at the end of a level."""
        for desk in self.desks:
            if len(desk.times):
                self.book.fired(desk.times, desk.in_factors, self.fired)
                desk.times, desk.in_factors = np.zeros(0, np.int64), np.zeros(0, np.int64)

    def expand(self, desk: Desk, words: Words, low: int, high: int) -> tuple[int, int, int]:
        """Successors of words[low:high] into the desk's buffers: (the first row not done, rows skipped, misses)."""
        self.ready(desk)
        n = high - low
        desk.broken[:n] = 0
        return kernels.expand(
            tuple(self.book.tables), words, low, high, ROOM, desk.times, desk.in_factors, desk.recent, desk.out,
            desk.fill, desk.moved, desk.taken, desk.broken, desk.skipped, desk.miss_row, desk.miss_rule,
        )  # fmt: skip

    def learn(self, book: Rulebook, words: Words, rules: Numbers) -> bool:
        """Learn what was missed. True if the words had to be laid out anew: `on_relayout` was told the old widths."""
        old = self.layout.widths
        if book.learn(words, rules, self.count):
            return False
        self.count()
        self.layout.widen()
        for other in (self.book, *(judge.book for judge in self.judges)):
            other.laid_out()
        for tell in self.on_relayout:
            tell(old)
        return True

    def edges(
        self, words: Words, wanted: npt.NDArray[np.uint8] | None = None
    ) -> Iterator[tuple[Numbers, Numbers, Words]]:
        """The steps of some words, by `wanted` transitions (or all), some at a time: from which row, by which
        transition, to which word."""
        wanted = np.ones(len(self.protocol.transitions), np.uint8) if wanted is None else wanted
        size = EDGES + len(wanted)
        source, number, target = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.uint64)
        low = 0
        while low < len(words):
            row, n, lacks = kernels.edges(
                tuple(self.book.tables), wanted, words, low, len(words), source, number, target
            )
            if lacks:  # a run that went on from a checkpoint has not met it
                self._meet(words[row : row + ROWS])
            yield source[:n], number[:n], target[:n]
            low = row

    def leaving(self, words: Words) -> npt.NDArray[np.bool_]:
        """From which of some words, that the search went through, an action leaves its domain."""
        found, desk, low = np.zeros(len(words), np.bool_), Desk(len(self.protocol.transitions)), 0
        while low < len(words):
            row, skips, _ = self.expand(desk, words, low, min(len(words), low + ROWS))
            desk.fill[:] = 0
            if skips:
                self._meet(words[low:row])
            else:
                found[low:row] = desk.broken[: row - low]
                low = row
        return found

    def _meet(self, words: Words) -> None:
        """Learn what these words lack. They have been gone through, so nothing that they lead to is new."""
        desk = Desk(len(self.protocol.transitions))
        while len(words):
            row, skips, misses = self.expand(desk, words, 0, min(ROWS, len(words)))
            desk.fill[:] = 0
            lacking = np.concatenate([words[desk.skipped[:skips]], words[row:]])
            if misses and self.learn(
                self.book, words[desk.miss_row[:misses]], desk.miss_rule[:misses].copy()
            ):
                raise AssertionError("words that the search went through have their numbers")
            words = lacking

    # -------------------------------------------------- judging

    def judge(self, words: Words, watched: set[int]) -> dict[int, Words] | None:
        """By claim, the words that it can be told of: of an *always* that it is false, of another that it holds.

        None if the words had to be laid out anew: judge them again."""
        found = dict[int, Words]()
        for judge in self.judges:
            bits = sum(mine for claim, mine in judge.of.items() if claim in watched)
            told = self._told(judge.book, bits, words) if bits else np.zeros(0, np.uint64)
            if told is None:
                return None
            rows = np.flatnonzero(told)
            for claim, its in judge.of.items() if len(rows) else ():
                mine = rows[(told[rows] & np.uint64(its)) != 0]
                some = words[mine]
                doubtful = (told[mine] & np.uint64(its) & judge.exact) == 0
                if doubtful.any():
                    keep = ~doubtful
                    keep[doubtful] = self.holding([self.told[claim]], some[doubtful])[0]
                    some = some[keep]
                if len(some):
                    found[claim] = np.union1d(found[claim], some) if claim in found else some
        return found

    def _told(self, book: Rulebook, bits: int, words: Words) -> Words | None:
        told, todo = np.zeros(len(words), np.uint64), np.arange(len(words))
        while len(todo):
            some = words if len(todo) == len(words) else words[todo]
            cuts = [len(some) * i // len(self.desks) for i in range(len(self.desks) + 1)]
            found = np.zeros(len(some), np.uint64)
            done = self.together(
                kernels.judge,
                [
                    (
                        tuple(book.tables),
                        np.uint64(bits),
                        some,
                        low,
                        high,
                        found[low:high],
                        d.seen,
                        d.miss_row,
                        d.miss_rule,
                    )
                    for low, high, d in zip(cuts, cuts[1:], self.desks, strict=False)
                ],
            )
            again, missed = list[Numbers](), list[tuple[Words, Numbers]]()
            for high, desk, (row, skips, misses) in zip(cuts[1:], self.desks, done, strict=True):
                again += [desk.seen[:skips].copy(), np.arange(row, high)]
                missed.append((some[desk.miss_row[:misses]], desk.miss_rule[:misses].copy()))
            told[todo] = found
            todo = todo[np.concatenate(again)]
            for which, rules in missed:
                if len(which) and self.learn(book, which, rules):
                    return None
        return told

    def holding(self, terms: Sequence[Term], words: Words) -> list[npt.NDArray[Any]]:
        """The value of each term for each word."""
        return values(terms, self.layout.columns(words, needed(terms)), len(words))


def told_of(claim: Claim) -> Term:
    """Where the claim is told: of an *always* where it is false, of another where it holds."""
    return apart(ex.negation(claim.holds) if claim.form == "always" else claim.holds)


def ways_of(term: Term) -> list[Term]:
    """Terms of which at least one holds wherever `term` does, and none elsewhere."""
    if term.op == "not" and term.args[0].op == "and":
        term = ex.disjunction(*map(ex.negation, term.args[0].args))
    if term.op != "or":
        return [apart(term)]
    found = [way for part in term.args for way in ways_of(part)]
    return found if len(found) <= WAYS else [apart(term)]
