"""Compiles an inner loop by numba, as an object file that needs nothing of numba where it runs."""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types

from cutproof.checks.engines.fast.kernels import compiled
from cutproof.checks.engines.fast.kernels.signatures import TAKEN, Kind

ITEMS = {"W": types.uint64, "I": types.int64, "H": types.int32, "B": types.uint8}
WORD = ir.IntType(64)


def type_of(kind: Kind, words: int) -> Any:
    """The type of an argument of some kind, where a key has so many words, or any number of them for 0."""
    if isinstance(kind, tuple):
        return types.Tuple([type_of(one, words) for one in kind])
    if kind == "k":
        return types.UniTuple(types.int64, words) if words else types.int64
    if kind in "ib":
        return types.int64 if kind == "i" else types.boolean
    return types.Array(ITEMS[kind[0]], int(kind[1]), "A" if kind[2:] else "C")


def built(loop: str, words: int, symbol: str, machine: Any) -> bytes:
    """The object file of a loop, in which `symbol` is a function that takes the address of a frame (`native.py`)."""
    taken, dispatcher = tuple(type_of(kind, words) for kind in TAKEN[loop]), getattr(compiled, loop)
    dispatcher.compile(taken)
    done, module = dispatcher.overloads[taken], ir.Module(symbol)
    _enter(module, symbol, done, taken)
    whole = binding.parse_assembly(done.library.get_llvm_str())
    whole.link_in(binding.parse_assembly(str(module)))
    for one in (*whole.functions, *whole.global_variables):
        if one.is_declaration and not one.name.startswith("llvm."):
            raise AssertionError(f"{loop} needs {one.name}")
        if not one.is_declaration and one.name != symbol:
            one.linkage = "internal"  # or it would be taken for that of another object file
    data: bytes = machine.emit_object(whole)
    return data


def _enter(module: Any, symbol: str, done: Any, taken: tuple[Any, ...]) -> None:
    """A function that takes the arguments from a frame, a word each, and puts there a word that is not 0 where the loop
    failed, and what it gives."""
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [WORD.as_pointer()]), symbol)
    builder, frame = ir.IRBuilder(entry.append_basic_block()), entry.args[0]
    context, gives = done.target_context, done.signature.return_type
    packer, values = context.get_arg_packer(taken), list[Any]()
    for place, kind in enumerate(packer.argument_types):
        value = builder.load(builder.gep(frame, [ir.Constant(WORD, place)]))
        if isinstance(kind, ir.PointerType):
            value = builder.inttoptr(value, kind)
        values.append(builder.trunc(value, kind) if kind != value.type else value)
    status, given = context.call_conv.call_function(
        builder, context.declare_function(module, done.fndesc), gives, taken, packer.from_arguments(builder, values)
    )  # fmt: skip
    many = isinstance(gives, types.BaseTuple)
    some = [builder.extract_value(given, n) for n in range(len(gives))] if many else [given]
    for place, value in enumerate([status.is_error, *(some if gives is not types.none else [])]):
        word = builder.zext(value, WORD) if value.type != WORD else value
        builder.store(word, builder.gep(frame, [ir.Constant(WORD, place)]))
    builder.ret_void()
