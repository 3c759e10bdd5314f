"""Operations on eight words at once, for the compiled inner loops: numba's own loops over eight words stay scalar, as
it cannot rule out that two arrays overlap. Each is a few vector instructions where the processor has them (AVX-512),
and what LLVM makes of them elsewhere. Arrays are flat, of uint64; places are those of the first of eight words.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

WIDE = 8


def _ir():  # type: ignore
    from llvmlite import ir

    return ir, ir.VectorType(ir.IntType(64), WIDE)


class _Vectors:
    """Loads and stores of vectors while an intrinsic is made. Bound to its builder and arguments."""

    def __init__(self, context, builder, signature, arguments) -> None:  # type: ignore
        self.ir, self.vector = _ir()
        self.context, self.builder, self.signature, self.arguments = context, builder, signature, arguments

    def place(self, array, index):  # type: ignore
        """The address of a word of the array that is an argument, by number."""
        made = self.context.make_array(self.signature.args[array])(
            self.context, self.builder, self.arguments[array]
        )
        return self.builder.gep(made.data, [index])

    def load(self, array, index):  # type: ignore
        place = self.builder.bitcast(self.place(array, index), self.vector.as_pointer())
        return self.builder.load(place, align=8)

    def store(self, array, index, value):  # type: ignore
        place = self.builder.bitcast(self.place(array, index), self.vector.as_pointer())
        self.builder.store(value, place, align=8)

    def spread(self, word):  # type: ignore
        """Eight times the same word."""
        one = self.builder.insert_element(
            self.ir.Constant(self.vector, self.ir.Undefined), word, self.number(0)
        )
        zeros = self.ir.Constant(self.ir.VectorType(self.ir.IntType(32), WIDE), [0] * WIDE)
        return self.builder.shuffle_vector(one, self.ir.Constant(self.vector, self.ir.Undefined), zeros)

    def number(self, value):  # type: ignore
        return self.ir.Constant(self.ir.IntType(32), value)

    def constant(self, value):  # type: ignore
        return self.ir.Constant(self.vector, [value] * WIDE)

    def reduced(self, how, value):  # type: ignore
        """All eight joined by `or` or `add`."""
        kind = self.ir.FunctionType(self.ir.IntType(64), [self.vector])
        return self.builder.call(self.function(f"llvm.vector.reduce.{how}.v8i64", kind), [value])

    def ones(self, value):  # type: ignore
        kind = self.ir.FunctionType(self.vector, [self.vector])
        return self.builder.call(self.function("llvm.ctpop.v8i64", kind), [value])

    def function(self, name, kind):  # type: ignore
        module = self.builder.module
        return module.globals.get(name) or self.ir.Function(module, kind, name)


@intrinsic
def lowest(context, bits):  # type: ignore
    """The number of the lowest bit that is set."""

    def made(context, builder, signature, arguments):  # type: ignore
        ir, _ = _ir()
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), made


@intrinsic
def ones(context, bits):  # type: ignore
    """How many bits are set."""
    return types.int64(types.uint64), lambda context, builder, signature, a: builder.ctpop(a[0])


def _gate(operation):  # type: ignore
    """An intrinsic: planes[to] = operation(planes[p], planes[q])."""

    @intrinsic
    def gate(context, planes, to, p, q):  # type: ignore
        def made(context, builder, signature, arguments):  # type: ignore
            v = _Vectors(context, builder, signature, arguments)
            v.store(0, arguments[1], operation(builder, v.load(0, arguments[2]), v.load(0, arguments[3])))
            return context.get_dummy_value()

        return types.void(planes, types.int64, types.int64, types.int64), made

    return gate


both = _gate(lambda b, x, y: b.and_(x, y))
but_not = _gate(lambda b, x, y: b.and_(x, b.not_(y)))
neither = _gate(lambda b, x, y: b.not_(b.or_(x, y)))
differ = _gate(lambda b, x, y: b.xor(x, y))


@intrinsic
def copy(context, to, index, words, at):  # type: ignore
    """to[index] = words[at]"""

    def made(context, builder, signature, arguments):  # type: ignore
        v = _Vectors(context, builder, signature, arguments)
        v.store(0, arguments[1], v.load(2, arguments[3]))
        return context.get_dummy_value()

    return types.void(to, types.int64, words, types.int64), made


@intrinsic
def exchange(context, words, one, two, by, mask):  # type: ignore
    """Exchange the bits `mask` << by of words[one] with the bits `mask` of words[two]."""

    def made(context, builder, signature, arguments):  # type: ignore
        v, (_, one, two, by, mask) = _Vectors(context, builder, signature, arguments), arguments
        x, y, by = v.load(0, one), v.load(0, two), v.spread(by)
        d = builder.and_(builder.xor(builder.lshr(x, by), y), v.spread(mask))
        v.store(0, one, builder.xor(x, builder.shl(d, by)))
        v.store(0, two, builder.xor(y, d))
        return context.get_dummy_value()

    return types.void(words, types.int64, types.int64, types.uint64, types.uint64), made


def _joined(how, kind):  # type: ignore
    """An intrinsic: the eight words from words[at] on, joined to one."""

    @intrinsic
    def joined(context, words, at):  # type: ignore
        def made(context, builder, signature, arguments):  # type: ignore
            v = _Vectors(context, builder, signature, arguments)
            return v.reduced(how, v.load(0, arguments[1]))

        return kind(words, types.int64), made

    return joined


any_of, total = _joined("or", types.uint64), _joined("add", types.int64)


@intrinsic
def eight_rows(  # type: ignore
    context, rows, size, r, planes, k, cases, masks, acting, acts, counts, words, moved, at, want, out, room, n, kk
):  # fmt: skip
    """What an effect, with keep, put and add of each word of a key in `words`, makes of rows r to r + 7, by the first
    `acts` cases of `acting`; stored in `out` from its row n on: how many rows there are then.

    `rows` and `out` have `size` and `room` words in a column, `kk` is as long as a key. To counts[i] is added how many
    states of each row take the case acting[i]; where `want`, to moved[at] those that are changed."""
    width = len(kk)

    def made(context, builder, signature, arguments):  # type: ignore
        from numba.core import cgutils

        v = _Vectors(context, builder, signature, arguments)
        _, size, r, _, k, _, _, _, acts, _, _, _, at, want, _, room, n, _ = arguments
        i64 = v.ir.IntType(64)

        def item(array, index):  # type: ignore
            return builder.load(v.place(array, index), align=8)

        def times(one, number):  # type: ignore
            return builder.mul(one, v.ir.Constant(i64, number))

        whole = v.load(0, builder.add(r, times(size, width)))
        slots = [cgutils.alloca_once_value(builder, v.constant(0)) for _ in range(3)]
        bit = v.spread(k)
        with cgutils.for_range(builder, acts) as loop:
            c = times(item(7, loop.index), 4)
            field = [item(5, builder.add(c, v.ir.Constant(i64, i))) for i in (0, 2, 3)]
            up, down = field[1:]
            set_there = builder.and_(builder.lshr(v.load(3, times(field[0], WIDE)), bit), v.constant(1))
            mask = v.spread(item(6, item(7, loop.index)))
            mine = builder.and_(builder.and_(whole, mask), builder.sub(v.constant(0), set_there))
            place = times(loop.index, WIDE)
            v.store(9, place, builder.add(v.load(9, place), v.ones(mine)))
            now = builder.lshr(builder.shl(mine, v.spread(up)), v.spread(down))
            builder.store(builder.or_(builder.load(slots[0]), now), slots[0])
            stays = builder.icmp_unsigned("==", up, down)
            for slot, some in ((slots[1], stays), (slots[2], builder.not_(stays))):
                add = builder.select(some, mine, v.constant(0))
                builder.store(builder.or_(builder.load(slot), add), slot)
        news, diff = [], v.constant(0)
        for x in range(width):
            was = v.load(0, builder.add(r, times(size, x)))
            keep, put, add = (v.spread(item(10, v.ir.Constant(i64, width * i + x))) for i in range(3))
            news.append(builder.add(builder.or_(builder.and_(was, keep), put), add))
            diff = builder.or_(diff, builder.xor(news[-1], was))
        same = builder.icmp_unsigned("==", diff, v.constant(0))
        now = builder.load(slots[0])
        now = builder.and_(now, builder.select(same, builder.not_(whole), v.constant(-1)))
        with builder.if_then(builder.trunc(want, v.ir.IntType(1))):
            kept = builder.select(same, v.constant(0), builder.load(slots[1]))
            v.store(11, at, builder.or_(v.load(11, at), builder.or_(kept, builder.load(slots[2]))))
        mask = builder.icmp_unsigned("!=", now, v.constant(0))
        # stored whole, not by a masked store: some processors take a hundred cycles for one that leaves out gaps
        kind = v.ir.FunctionType(v.vector, [v.vector, v.ir.VectorType(v.ir.IntType(1), WIDE), v.vector])
        compress = v.function("llvm.experimental.vector.compress.v8i64", kind)
        for x, column in enumerate([*news, now]):
            v.store(14, builder.add(n, times(room, x)), builder.call(compress, [column, mask, v.constant(0)]))
        return builder.add(n, builder.zext(builder.ctpop(builder.bitcast(mask, v.ir.IntType(8))), i64))

    i64 = types.int64
    return i64(
        rows,
        i64,
        i64,
        planes,
        i64,
        cases,
        masks,
        acting,
        i64,
        counts,
        words,
        moved,
        i64,
        types.boolean,
        out,
        i64,
        i64,
        kk,
    ), made
