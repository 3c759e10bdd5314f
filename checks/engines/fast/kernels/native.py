"""The compiled inner loops as they are called: from object files that were kept, and without numba, whose import and
first call take longer than most searches. numba compiles where nothing is kept (`building.py`).

A loop is called with a *frame*: a word for each number among its arguments, and for an array what numba passes of one
(two words for an owner, 0 here; items, bytes of an item, the address; the shape; the strides). What it gives takes
their place: a word that is not 0 where it failed, and a word for each number.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
from llvmlite import binding

from cutproof.checks.common.interrupts import Held
from cutproof.checks.engines.fast.kernels import kept
from cutproof.checks.engines.fast.kernels.signatures import GIVEN, TAKEN, Kind

ITEMS = {"W": np.dtype(np.uint64), "I": np.dtype(np.int64), "H": np.dtype(np.int32), "B": np.dtype(np.uint8)}
SPECIAL = 2  # keys of so many words have loops of their own
NUMBER = struct.Struct("=q")
MOST = 256  # arrays that are remembered


class Machine:
    """The processor as a target, and what was loaded for it."""

    def __init__(self) -> None:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        processor, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
        target = binding.Target.from_default_triple()
        options = {"cpu": processor, "features": features, "opt": 3, "jit": True}
        if target.name.startswith("x86"):
            options["reloc"] = "static"  # as numba has it: addresses are known when the code is loaded
        self.machine = target.create_target_machine(**options)
        self.engine = binding.create_mcjit_compiler(
            binding.parse_assembly(""), target.create_target_machine(**options)
        )
        versions = [kept.version_of("numba"), kept.version_of("llvmlite"), np.__version__.encode()]
        switches = sorted(
            f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_")
        )
        about = [target.triple, processor, features, *switches]
        self.folder: Path | None = kept.folder_for([*versions, "\n".join(about).encode()])
        self.lock = Lock()

    def function(self, loop: str, words: int) -> Callable[[Any], None]:
        """A loop for keys of so many words (any number for 0); loaded, or else compiled and kept."""
        symbol = f"{loop}_{words or 'any'}"
        with self.lock:
            data = kept.read(self.folder, symbol)
            if data is None:
                from cutproof.checks.engines.fast.kernels.building import built  # imports numba

                data = built(loop, words, symbol, self.machine)
                kept.write(self.folder, symbol, data)
            with Held():  # an interrupt in a callback of llvmlite would be lost
                self.engine.add_object_file(binding.ObjectFileRef.from_data(data))
                self.engine.finalize_object()
                address = self.engine.get_function_address(symbol)
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)  # lets other threads run while it does


def loops() -> SimpleNamespace:
    """The loops by name. ImportError where numba and llvmlite are not installed, or cannot be used."""
    machine = Machine()
    if machine.folder is None or not any(machine.folder.iterdir()):
        from cutproof.checks.engines.fast.kernels.building import built  # noqa: F401  # what is kept, it has made
    return SimpleNamespace(**{name: Loop(name, machine) for name in TAKEN})


class Loop:
    """A loop, called as its namesake in `vectorised.py`. TypeError for an array of another kind than it takes."""

    def __init__(self, name: str, machine: Machine) -> None:
        self.name, self.taken, self.given, self.machine = name, TAKEN[name], GIVEN.get(name, ""), machine
        self.key = self.taken.index("k") if "k" in self.taken else None
        self.functions = dict[int, Callable[[Any], None]]()
        self.gives = struct.Struct(f"={1 + len(self.given)}q")
        self.known = dict[
            tuple[int, str], tuple[ref[Any], bytes]
        ]()  # what was passed of arrays that are passed again

    def __call__(self, *arguments: Any) -> Any:
        words = len(arguments[self.key]) if self.key is not None else 0
        words = words if words <= SPECIAL else 0
        function = self.functions.get(words)
        if function is None:
            function = self.functions[words] = self.machine.function(self.name, words)
        parts = list[bytes]()
        for kind, value in zip(self.taken, arguments, strict=True):
            self._pass(kind, value, words, parts)
        frame = bytearray(b"".join(parts))
        function(ctypes.byref(ctypes.c_char.from_buffer(frame)))
        failed, *found = self.gives.unpack_from(frame)
        if failed:
            raise RuntimeError(f"the loop {self.name} failed")
        results = [bool(word) if kind == "b" else word for kind, word in zip(self.given, found, strict=True)]
        return tuple(results) if len(results) > 1 else results[0] if results else None

    def _pass(self, kind: Kind, value: Any, words: int, parts: list[bytes]) -> None:
        """Append what is passed of an argument."""
        if isinstance(kind, tuple):
            for one, part in zip(kind, value, strict=True):
                self._pass(one, part, words, parts)
        elif kind == "k":
            parts.append(bytes(8 * words) or NUMBER.pack(len(value)))
        elif kind in "ib":
            parts.append(NUMBER.pack(value))
        else:
            before = self.known.get((id(value), kind))
            if before is not None and before[0]() is value:
                parts.append(before[1])
                return
            passed = described(kind, value)
            if len(self.known) >= MOST:
                self.known = {}
            self.known[id(value), kind] = ref(value), passed
            parts.append(passed)


def described(kind: str, array: Any) -> bytes:
    """What is passed of an array. TypeError for one of another kind."""
    ordered = kind[2:] or array.flags.c_contiguous
    if array.dtype != ITEMS[kind[0]] or array.ndim != int(kind[1]) or not ordered:
        raise TypeError(f"{kind}: not an array of {array.ndim} dimensions of {array.dtype}")
    shape = array.shape + array.strides
    return struct.pack(f"={5 + len(shape)}q", 0, 0, array.size, array.itemsize, array.ctypes.data, *shape)
