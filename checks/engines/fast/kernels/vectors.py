"""Operations on eight words at once, for the compiled inner loops: numba's own loops over eight words stay scalar, as
it cannot rule out that two arrays overlap. Each is a few vector instructions where the processor has them (AVX-512),
and what LLVM makes of them elsewhere. Arrays are flat, of uint64; places are those of the first of eight words.
"""

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

WIDE = 8
LINE = 64  # bytes of a line of the cache
I64 = ir.IntType(64)

kernel = njit(_nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True, error_model="numpy")
"""What is compiled needs nothing of numba when it runs: it allocates nothing, raises nothing, and is not called from
Python but by its address (`native.py`)."""


class Vectors:
    """Loads and stores of vectors while an intrinsic is made. Bound to its builder and arguments."""

    def __init__(self, context, builder, signature, arguments) -> None:  # type: ignore
        self.vector = ir.VectorType(I64, WIDE)
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
        one = self.builder.insert_element(ir.Constant(self.vector, ir.Undefined), word, self.number(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDE), [0] * WIDE)
        return self.builder.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), zeros)

    def number(self, value):  # type: ignore
        return ir.Constant(ir.IntType(32), value)

    def constant(self, value):  # type: ignore
        return ir.Constant(self.vector, [value] * WIDE)

    def reduced(self, how, value):  # type: ignore
        """All eight joined by `or` or `add`."""
        kind = ir.FunctionType(I64, [self.vector])
        return self.builder.call(self.function(f"llvm.vector.reduce.{how}.v8i64", kind), [value])

    def ones(self, value):  # type: ignore
        kind = ir.FunctionType(self.vector, [self.vector])
        return self.builder.call(self.function("llvm.ctpop.v8i64", kind), [value])

    def function(self, name, kind):  # type: ignore
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, kind, name)


def _room(kind):  # type: ignore
    """An intrinsic: an array of so many items, whatever is in them, until the function that asks for it returns. It is
    on the stack: not to be asked for in a loop."""

    @intrinsic
    def room(context, count):  # type: ignore
        array = types.Array(kind, 1, "C")

        def made(context, builder, signature, arguments):  # type: ignore
            word, (count,) = context.get_data_type(kind), arguments
            size = context.get_constant(types.intp, 1 if kind is types.boolean else 8)
            found = context.make_array(array)(context, builder)
            fixed = isinstance(count, ir.Constant)  # such room is laid out once, when the function begins
            items = cgutils.alloca_once(builder, word, count) if fixed else builder.alloca(word, count)
            items.align = LINE
            populate_array(found, items, [count], [size], size, meminfo=None)
            return found._getvalue()

        return array(types.intp), made

    return room


words_for, numbers_for, flags_for = _room(types.uint64), _room(types.int64), _room(types.boolean)


@intrinsic
def flat_of(context, array):  # type: ignore
    """The items of an array that is contiguous, one after the other."""

    def made(context, builder, signature, arguments):  # type: ignore
        was = context.make_array(array)(context, builder, arguments[0])
        found, size = context.make_array(flat)(context, builder), context.get_constant(types.intp, 8)
        populate_array(found, was.data, [was.nitems], [size], was.itemsize, meminfo=None)
        return found._getvalue()

    flat = types.Array(array.dtype, 1, "C")
    return flat(array), made


@intrinsic
def width_of(context, kk):  # type: ignore
    """Words of a key: as many as a tuple has items, which the compiler knows then; or the number that it is given."""
    if isinstance(kk, types.BaseTuple):
        return types.int64(kk), lambda context, builder, signature, a: context.get_constant(
            types.int64, len(kk)
        )
    return types.int64(kk), lambda context, builder, signature, a: a[0]


@intrinsic
def lowest(context, bits):  # type: ignore
    """The number of the lowest bit that is set."""

    def made(context, builder, signature, arguments):  # type: ignore
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
            v = Vectors(context, builder, signature, arguments)
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
        v = Vectors(context, builder, signature, arguments)
        v.store(0, arguments[1], v.load(2, arguments[3]))
        return context.get_dummy_value()

    return types.void(to, types.int64, words, types.int64), made


@intrinsic
def exchange(context, words, one, two, by, mask):  # type: ignore
    """Exchange the bits `mask` << by of words[one] with the bits `mask` of words[two]."""

    def made(context, builder, signature, arguments):  # type: ignore
        v, (_, one, two, by, mask) = Vectors(context, builder, signature, arguments), arguments
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
            v = Vectors(context, builder, signature, arguments)
            return v.reduced(how, v.load(0, arguments[1]))

        return kind(words, types.int64), made

    return joined


any_of, total = _joined("or", types.uint64), _joined("add", types.int64)


@intrinsic
def eight_rows(  # type: ignore
    context, rows, size, r, planes, k, cases, masks, acting, acts, counts, words, moved, at, want, out, room, n, width
):  # fmt: skip
    """What an effect, with keep, put and add of each word of a key in `words`, makes of rows r to r + 7, by the first
    `acts` cases of `acting`; stored in `out` from its row n on: how many rows there are then.

    `rows` and `out` have `size` and `room` words in a column, and a key `width` words. To counts[i] is added how many
    states of each row take the case acting[i]; where `want`, to moved[at] those that are changed."""

    def made(context, builder, signature, arguments):  # type: ignore
        v = Vectors(context, builder, signature, arguments)
        _, size, r, _, k, _, _, _, acts, _, _, _, at, want, _, room, n, width = arguments

        def item(array, index):  # type: ignore
            return builder.load(v.place(array, index), align=8)

        def times(one, number):  # type: ignore
            return builder.mul(one, ir.Constant(I64, number))

        whole = v.load(0, builder.add(r, builder.mul(size, width)))
        slots = [cgutils.alloca_once_value(builder, v.constant(0)) for _ in range(3)]
        bit = v.spread(k)
        with cgutils.for_range(builder, acts) as loop:
            c = times(item(7, loop.index), 4)
            field = [item(5, builder.add(c, ir.Constant(I64, i))) for i in (0, 2, 3)]
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

        def led(x):  # type: ignore
            """A word of the keys, and what it becomes."""
            was = v.load(0, builder.add(r, builder.mul(size, x)))
            keep, put, add = (
                v.spread(item(10, builder.add(builder.mul(width, ir.Constant(I64, i)), x))) for i in range(3)
            )
            return was, builder.add(builder.or_(builder.and_(was, keep), put), add)

        diff = cgutils.alloca_once_value(builder, v.constant(0))
        with cgutils.for_range(builder, width) as loop:
            was, now = led(loop.index)
            builder.store(builder.or_(builder.load(diff), builder.xor(now, was)), diff)
        same = builder.icmp_unsigned("==", builder.load(diff), v.constant(0))
        now = builder.load(slots[0])
        now = builder.and_(now, builder.select(same, builder.not_(whole), v.constant(-1)))
        with builder.if_then(builder.trunc(want, ir.IntType(1))):
            kept = builder.select(same, v.constant(0), builder.load(slots[1]))
            v.store(11, at, builder.or_(v.load(11, at), builder.or_(kept, builder.load(slots[2]))))
        mask = builder.icmp_unsigned("!=", now, v.constant(0))
        # stored whole, not by a masked store: some processors take a hundred cycles for one that leaves out gaps
        kind = ir.FunctionType(v.vector, [v.vector, ir.VectorType(ir.IntType(1), WIDE), v.vector])
        compress = v.function("llvm.experimental.vector.compress.v8i64", kind)

        def stored(x, column):  # type: ignore
            column = builder.call(compress, [column, mask, v.constant(0)])
            v.store(14, builder.add(n, builder.mul(room, x)), column)

        with cgutils.for_range(builder, width) as loop:
            stored(loop.index, led(loop.index)[1])
        stored(width, now)
        return builder.add(n, builder.zext(builder.ctpop(builder.bitcast(mask, ir.IntType(8))), I64))

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
        i64,
    ), made
