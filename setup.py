"""Build of the compiled kernels; everything else stands in pyproject.toml.

The kernels are a plain C library that Python loads by ctypes: no Python headers are
needed to build it, and it serves every version of Python. It is optional: where there
is no C compiler, the installation succeeds and numpy and OpenCV do the counting.
"""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

SOURCES = Path("evaluation", "counting", "kernels", "csrc")


class BuildLibrary(build_ext):
    """Build a C library where setuptools would build a Python module."""

    def get_ext_filename(self, fullname: str) -> str:
        """Name the file without Python's version: it does not depend on it."""
        suffix = ".dll" if sys.platform == "win32" else ".so"
        return str(Path(*fullname.split("."))) + suffix

    def get_export_symbols(self, ext: Extension) -> list[str]:
        """Export what the source says, and no module initialisation."""
        return list(ext.export_symbols)

    def build_extension(self, ext: Extension) -> None:
        """Choose the options by the kind of compiler."""
        windows = self.compiler.compiler_type == "msvc"
        ext.extra_compile_args = (
            ["/O2", "/std:c11"]
            if windows
            else ["-std=c99", "-O3", "-fvisibility=hidden"]
        )
        super().build_extension(ext)


class TagWheel(bdist_wheel):
    """Tag the wheel for one platform and any Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        """Python, ABI and platform."""
        _, _, platform = super().get_tag()
        return "py3", "none", platform


setup(
    ext_modules=[
        Extension(
            "evaluation.counting.kernels._kernels",
            sources=[str(SOURCES / "kernels.c")],
            depends=[str(path) for path in sorted(SOURCES.glob("*.h"))],
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": TagWheel},
)
