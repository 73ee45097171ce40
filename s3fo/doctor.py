"""Is this machine ready? Each check says what it found and what to do about it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

from evaluation._utils.names import counted
from evaluation.errors import InputError
from s3fo._extras import EXTRAS, MissingExtra, require, require_module
from s3fo.datasets.database import check_server, ensure_database
from s3fo.datasets.environment import uses_fallback
from s3fo.shared_libraries import install_command, install_library, missing_library

PACKAGES = (
    "s3fo", "numpy", "opencv-python-headless", "pandas", "pycocotools", "matplotlib",
)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: what was looked at.
        ok: whether it is fit for use.
        found: what is there.
        remedy: what to do when it is not ok; empty otherwise.
        optional: whether s3fo works without it.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    optional: bool = False

    @property
    def verdict(self) -> str:
        """``"ok"``, ``"optional"`` (not there, not needed) or ``"FAIL"``."""
        return "ok" if self.ok else "optional" if self.optional else "FAIL"

    def as_dict(self) -> dict[str, object]:
        """The check as a JSON-serialisable dictionary."""
        return asdict(self)


def examine() -> list[Check]:
    """Run every check; none of them raises."""
    checks: list[tuple[str, Callable[[], Check]]] = [
        ("python", _python),
        ("packages", _packages),
        ("opencv", _single_opencv),
        ("kernels", _kernels),
        *((f"extra {name}", partial(_extra, name)) for name in EXTRAS),
        ("device", _device),
        ("video codec", _video_codec),
        ("database", _database),
        ("plugin", _plugin),
    ]
    return [_guard(name, check) for name, check in checks]


def repair() -> None:
    """Install what this machine lacks: shared libraries and FiftyOne's database.

    Raises:
        InputError: that may not be done or failed; says what is missing, and the
            command to run.
    """
    for module in ("cv2", "av", "torch"):
        tried: set[str] = set()
        while (library := _missing_for(module)) and library not in tried:
            tried.add(library)
            install_library(library)
    if importlib.util.find_spec("fiftyone") is not None:
        ensure_database(system=True)


def _missing_for(module: str) -> str | None:
    """The shared library for lack of which a module cannot be imported."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        return missing_library(str(error))
    return None


def _guard(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except MissingExtra as error:
        return Check(name, False, error.found, error.remedy, optional=True)
    except Exception as error:  # a broken installation may raise anything
        library = missing_library(str(error))
        remedy = f"Run: {install_command(library)}" if library else "Reinstall s3fo."
        return Check(name, False, f"{type(error).__name__}: {error}", remedy)


def _python() -> Check:
    ok = sys.version_info >= (3, 10)
    found = f"Python {platform.python_version()}, {platform.system()}"
    return Check("python", ok, found, "" if ok else "Use Python 3.10 or newer.")


def _packages() -> Check:
    versions, missing = [], []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(package)
    remedy = f"pip install {' '.join(missing)}" if missing else ""
    return Check("packages", not missing, ", ".join(versions), remedy)


def _single_opencv() -> Check:
    """Two OpenCV wheels overwrite each other's files; one must be there alone.

    It is imported, too, for it needs shared libraries of the system.
    """
    import cv2

    builds = [
        name
        for name in (
            "opencv-python",
            "opencv-python-headless",
            "opencv-contrib-python",
            "opencv-contrib-python-headless",
        )
        if _is_installed(name)
    ]
    remedy = "" if len(builds) == 1 else "Keep opencv-python-headless only."
    found = f"{', '.join(builds)}: cv2 {cv2.__version__}"
    return Check("opencv", len(builds) == 1, found, remedy)


def _kernels() -> Check:
    """Scoring works without the compiled kernels, but takes many times as long."""
    from evaluation.counting import kernels

    ok, remedy = kernels.are_compiled(), kernels.slowness_note() or ""
    return Check("kernels", ok, kernels.describe(), remedy, optional=True)


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _extra(name: str) -> Check:
    """One line per optional extra: what is there, or the command that installs it."""
    require(name)
    packages = (module.replace("_", "-") for module in EXTRAS[name])
    versions = (f"{item} {importlib.metadata.version(item)}" for item in packages)
    return Check(f"extra {name}", True, ", ".join(versions))


def _device() -> Check:
    require("model")
    import torch

    if torch.cuda.is_available():
        return Check("device", True, f"CUDA: {torch.cuda.get_device_name(0)}")
    if torch.backends.mps.is_available():
        return Check("device", True, "Apple MPS")
    return Check("device", True, f"CPU, {os.cpu_count()} cores")


def _video_codec() -> Check:
    require_module("av")
    import av.codec

    ok = "libx264" in av.codecs_available
    found = f"PyAV {av.__version__}, {'with' if ok else 'without'} libx264"
    return Check("video codec", ok, found, "" if ok else "pip install --upgrade av")


def _database() -> Check:
    require("app")
    if os.environ.get("FIFTYONE_DATABASE_URI"):
        return Check("database", True, "the server named by FIFTYONE_DATABASE_URI")
    try:
        check_server()
    except InputError as error:
        found = f"{error.where}: {error.found}"
        return Check("database", False, found, error.remedy)
    import fiftyone as fo

    source = "fallback wheel" if uses_fallback() else "FiftyOne's own"
    datasets = counted(len(fo.list_datasets()), "dataset")
    found = f"MongoDB ({source}) answers: {datasets}"
    return Check("database", True, found)


def _plugin() -> Check:
    require("app")
    import fiftyone.plugins as fop

    names = fop.list_enabled_plugins()
    ok = "@s3fo/vos" in names
    others = counted(len(names), "other plugin")
    found = "@s3fo/vos is installed" if ok else f"not there, {others}"
    remedy = "" if ok else "Run: s3fo plugin install"
    return Check("plugin", ok, found, remedy, optional=True)
