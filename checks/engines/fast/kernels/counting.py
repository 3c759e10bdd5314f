"""How many transitions fire in each of many states: counted for eight rows at once, as binary numbers whose digits are
words, a bit of each for each state.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from cutproof.checks.engines.fast.kernels.vectors import I64, WIDE, Vectors


@intrinsic
def counted(context, digits, levels, planes, at, k, rows, r, mask):  # type: ignore
    """Count one more in those states of rows[r] to rows[r + 7] that are in `mask`, of the rows that have bit k in the
    words of the plane at `at`. There are so many `levels` of digits, and no more are needed."""

    def made(context, builder, signature, arguments):  # type: ignore
        v = Vectors(context, builder, signature, arguments)
        _, levels, _, at, k, _, r, mask = arguments
        set_there = builder.and_(builder.lshr(v.load(2, at), v.spread(k)), v.constant(1))
        mine = builder.and_(builder.and_(v.load(5, r), v.spread(mask)), builder.sub(v.constant(0), set_there))
        carry = cgutils.alloca_once(builder, v.vector)
        builder.store(mine, carry)
        with cgutils.for_range(builder, levels) as loop:
            place, carried = builder.mul(loop.index, ir.Constant(I64, WIDE)), builder.load(carry)
            digit = v.load(0, place)
            v.store(0, place, builder.xor(digit, carried))
            builder.store(builder.and_(digit, carried), carry)
        return context.get_dummy_value()

    i64 = types.int64
    return types.void(digits, i64, planes, i64, types.uint64, rows, i64, types.uint64), made


@intrinsic
def having(context, digits, levels, number, rows, r):  # type: ignore
    """How many states of rows[r] to rows[r + 7] have this number."""

    def made(context, builder, signature, arguments):  # type: ignore
        v = Vectors(context, builder, signature, arguments)
        _, levels, number, _, r = arguments
        found = cgutils.alloca_once(builder, v.vector)
        builder.store(v.load(3, r), found)
        with cgutils.for_range(builder, levels) as loop:
            bit = builder.and_(builder.lshr(number, loop.index), ir.Constant(I64, 1))
            digit = v.load(0, builder.mul(loop.index, ir.Constant(I64, WIDE)))
            wrong = builder.xor(digit, v.spread(builder.sub(ir.Constant(I64, 0), bit)))
            builder.store(builder.and_(builder.load(found), builder.not_(wrong)), found)
        return v.reduced("add", v.ones(builder.load(found)))

    return types.int64(digits, types.int64, types.int64, rows, types.int64), made
