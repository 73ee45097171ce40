"""The compiled kernels: a library of C functions, loaded by ctypes.

The source is `evaluation/counting/kernels/csrc`. The library is built when the package
is installed, see setup.py. Where that was not possible, or
``S3FO_KERNELS=reference`` is set, there is none, and callers use
:mod:`evaluation.counting.reference`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evaluation.errors import InputError

SWITCH = "S3FO_KERNELS"
"""Environment variable: ``compiled`` insists on the library, ``reference`` does
without it, the path of a file insists on that library, ``auto`` or nothing takes the
installed one if it is there."""

_INTERFACE = 4  # as `vos_interface` in csrc/kernels.c

_POINTER, _INTEGER = ctypes.c_void_p, ctypes.c_int64
_ARGUMENTS = {
    "scan8": "piiippp",
    "scan16": "piiippp",
    "find8": "piiip",
    "find16": "piiip",
    "bound8": "piiip",
    "bound16": "piiip",
    "compare": "pppiiiip",
    "pack": "ppiiiipp",
    "measure": "ppiiippippp",
    "match": "ppiippippppp",
    "clear": "ppiii",
    "digest": "ppiiip",
    "unfilter": "piip",
    "interface": "",
    "level": "",
}
"""The functions of csrc/kernels.c: pointers and integers that they take."""

_RETURNS = {"scan8", "scan16", "unfilter", "interface", "level"}
"""Those that return an integer."""


HOW_TO_BUILD = (
    "Install a C compiler (Debian, Ubuntu: apt install gcc; macOS: xcode-select "
    "--install; Windows: Visual Studio Build Tools), then repeat the installation "
    "with --force-reinstall --no-deps --no-cache-dir."
)
"""What to do where there is no library."""


class Library(NamedTuple):
    """The compiled kernels, or why they are not in use.

    Attributes:
        functions: by name; empty if the library is not in use.
        reason: why it is not in use; empty if it is.
    """

    functions: dict[str, Callable[..., int]]
    reason: str


def library_file() -> Path:
    """Where the build leaves the library."""
    suffix = "dll" if sys.platform == "win32" else "so"
    return Path(__file__).parents[1] / f"counting/kernels/_kernels.{suffix}"


def function(name: str) -> Callable[..., int]:
    """A compiled kernel: takes addresses and integers, releases the interpreter lock.

    Args:
        name: of the functions in csrc/kernels.c, without ``vos_``.
    """
    return library().functions[name]


@cache
def library() -> Library:
    """The compiled kernels, as the environment wants them.

    Raises:
        InputError: ``S3FO_KERNELS`` has an unknown value, or insists on kernels that
            are not there.
    """
    wanted = os.environ.get(SWITCH) or "auto"
    is_path = os.path.dirname(wanted) != ""
    if wanted not in ("auto", "compiled", "reference") and not is_path:
        raise InputError(
            SWITCH,
            repr(wanted),
            "auto, compiled or reference, or the path of a library",
            f"Set {SWITCH} to one of these, or unset it.",
        )
    if wanted == "reference":
        return Library({}, f"{SWITCH}=reference")
    loaded = _load(Path(wanted) if is_path else library_file())
    if wanted != "auto" and not loaded.functions:
        raise InputError(SWITCH, loaded.reason, "compiled kernels", HOW_TO_BUILD)
    return loaded


def _load(path: Path) -> Library:
    if not path.is_file():
        return Library({}, f"{path} is missing")
    try:
        library = ctypes.CDLL(str(path))
        functions = {name: _prepare(library, name) for name in _ARGUMENTS}
    except (OSError, AttributeError) as error:
        return Library({}, f"{path} cannot be loaded: {error}")
    if functions["interface"]() != _INTERFACE:
        return Library({}, f"{path} was built from another version of s3fo")
    return Library(functions, "")


def _prepare(library: ctypes.CDLL, name: str) -> Callable[..., int]:
    function = library[f"vos_{name}"]
    function.argtypes = [
        _POINTER if kind == "p" else _INTEGER for kind in _ARGUMENTS[name]
    ]
    function.restype = _INTEGER if name in _RETURNS else None
    return function
