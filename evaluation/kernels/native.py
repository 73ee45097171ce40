"""Machine code of the kernels: compiled once on a machine, then only loaded.

Importing numba costs more than scoring a short benchmark. So the first process that
needs a kernel compiles it with numba and keeps the machine code in the user's cache
folder; every later one hands it to llvmlite, which numba brings along, in a few
milliseconds. Where nothing can be written, each process compiles for itself.

The cache is keyed by the kernels' source, llvmlite (numba requires one version of
it) and the processor, so it never has to be emptied by hand.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm
import numpy as np
from numpy.typing import DTypeLike

from evaluation._utils.atomic import write_atomically
from evaluation.user_cache import user_cache

_SIGNATURES = {
    "scan8": "u8* i64 i64 i64 i32* u8* u64* i64* i64*",
    "scan16": "u16* i64 i64 i64 i32* u16* u64* i64* i64*",
    "find8": "u8* i64 i64 i64 u8*",
    "find16": "u16* i64 i64 i64 u8*",
    "bound8": "u8* i64 i64 i64 i64*",
    "bound16": "u16* i64 i64 i64 i64*",
    "measure": "u64* i64* i64 i64 i64 u64* i64* i64 i64* i64* i64*",
    "match": "u64* i64* i64 i64 u64* i64* i64 i64* i64* i64* u64* i64* i64*",
    "clear": "u64* i64* i64 i64 i64",
    "unfilter": "u8* i64 i64 i64*",
}
"""The functions of `compiled` (a name may end in the bits of a pixel), and what they
take. They return nothing."""

_lock = threading.Lock()
_functions: dict[str, Callable[..., None]] = {}
_unused = (ctypes.c_int64 * 2)()
_engines: list[llvm.ExecutionEngine] = []  # they own the code


def function(name: str) -> Callable[..., None]:
    """A compiled kernel: takes addresses and integers, releases the interpreter lock.

    Args:
        name: of `_SIGNATURES`.
    """
    if name not in _functions:
        with _lock:
            if name not in _functions:
                _functions[name] = _load(name)
    return _functions[name]


def _load(name: str) -> Callable[..., None]:
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(_machine_code(name)))
    engine.finalize_object()
    _engines.append(engine)
    # numba's calling convention: room for a result and for an exception, arguments.
    arguments = [ctypes.c_int64] * (2 + len(_SIGNATURES[name].split()))
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, *arguments)
    call = prototype(engine.get_function_address(_symbol(name)))
    return partial(call, ctypes.addressof(_unused), ctypes.addressof(_unused) + 8)


def _symbol(name: str) -> str:
    return f"vos_{name}"


class Buffer:
    """A one-dimensional array of zeros that knows its address.

    Asking numpy for an address takes as long as a kernel's smaller jobs.
    """

    def __init__(self, size: int, dtype: DTypeLike = np.int64) -> None:
        self._allocate(size, np.dtype(dtype))

    def reserve(self, size: int) -> None:
        """Make room for `size` elements; when that takes a new array, it is zeros."""
        if self.array.size < size:
            self._allocate(size, self.array.dtype)

    def _allocate(self, size: int, dtype: np.dtype[Any]) -> None:
        self.array = np.zeros(size, dtype)
        self.address: int = self.array.ctypes.data


def filled(values: Any) -> Buffer:
    """A buffer of int64 that holds `values`, flattened."""
    flat = np.asarray(values, np.int64).ravel()
    buffer = Buffer(flat.size)
    buffer.array[:] = flat
    return buffer


def _machine_code(name: str) -> bytes:
    """The object file of one kernel, from the cache or freshly compiled."""
    path = user_cache("kernels") / f"{name}-{_key()}.o"
    with contextlib.suppress(OSError):
        stored = path.read_bytes()
        digest, machine_code = stored[:32], stored[32:]
        if hashlib.sha256(machine_code).digest() == digest:
            return machine_code
    machine_code = _compile(name)
    with contextlib.suppress(OSError):  # a read-only home is no reason to fail
        write_atomically(path, hashlib.sha256(machine_code).digest() + machine_code)
    return machine_code


@cache
def _key() -> str:
    processor = f"{llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"
    context = f"{llvm.get_process_triple()} {llvmlite.__version__} {processor}"
    files = sorted(Path(__file__).parent.glob("compiled/*.py"))
    source = b"".join(path.read_bytes() for path in [Path(__file__), *files])
    return hashlib.sha256(source + context.encode()).hexdigest()[:32]


def _compile(name: str) -> bytes:
    """Compile one kernel into an object file."""
    import numba
    from numba import types

    from evaluation.kernels import compiled as kernels

    kinds = {"i64": types.int64, "i32*": types.CPointer(types.int32)}
    kinds["i64*"] = types.CPointer(types.int64)
    for bits in (8, 16, 64):
        kinds[f"u{bits}*"] = types.CPointer(getattr(types, f"uint{bits}"))
    wanted = types.void(*(kinds[kind] for kind in _SIGNATURES[name].split()))
    python_function = getattr(kernels, name.rstrip("0123456789"))
    compiled = numba.cfunc(wanted, error_model="numpy")(python_function)
    return _target().emit_object(_bare(name, compiled))


def _bare(name: str, compiled: Any) -> llvm.ModuleRef:
    """One kernel's code under a plain name, without numba's bridge to Python.

    numba wraps the C function around an inner one, which returns a status. The
    wrapper would tie the code to numba's run time; it is marked as found elsewhere,
    so that no code is made of it.
    """
    module = llvm.parse_assembly(compiled.inspect_llvm())
    wrapper = module.get_function(compiled.native_name)
    wrapper.linkage = "available_externally"
    module.get_function(compiled.native_name.removeprefix("cfunc.")).name = _symbol(
        name
    )
    return module


def _target() -> llvm.TargetMachine:
    # Older versions want to be initialised, newer ones refuse.
    with contextlib.suppress(RuntimeError):
        llvm.initialize()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        jit=True,
    )
