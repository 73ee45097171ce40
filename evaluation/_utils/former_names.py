"""Former public names and module paths keep working for one version, with a warning."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# Old path -> new path, both below the package `evaluation`.
MOVED = {
    "aggregation": "metrics.aggregate",
    "boundary": "metrics.boundary",
    "by_attribute": "breakdown",
    "comparison": "results.compare",
    "labelmap": "masks.label_map",
    "leniency": "options",
    "mask_json": "masks.open",
    "official": "results.official",
    "pictures": "plots",
    "png": "masks.png",
    "reference": "counting.reference",
    "region": "metrics.region",
    "reporting": "report",
    "run_list": "runs.registry",
    "scores": "results.scores",
    "sequence": "masks.sequence",
    "sources": "masks.open",
    "statistics": "metrics.statistics",
}


class _Alias(Loader):
    """Loads the module at the new path in place of the one at the old path."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(self._target)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just given the module the alias' spec.
        module.__spec__ = self._spec


class _MovedModules(MetaPathFinder):
    """Finds modules of `package` at the paths to which they moved."""

    def __init__(self, package: str, moved: Mapping[str, str]) -> None:
        self._package = package
        self._moved = moved

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, old = name.rpartition(".")
        if parent != self._package or old not in self._moved:
            return None
        new = f"{parent}.{self._moved[old]}"
        warnings.warn(
            f"{name} has moved to {new}; the old path goes in the next version",
            DeprecationWarning,
            stacklevel=2,
        )
        return ModuleSpec(name, _Alias(new))


def install(package: str, moved: Mapping[str, str] = MOVED) -> None:
    """Serve the old module paths of `package` from now on."""
    sys.meta_path.append(_MovedModules(package, moved))


def warn_renamed(former: str, present: str, stacklevel: int = 2) -> None:
    """Say that a public name has changed.

    Args:
        former: the name in the last version, e.g. ``"evaluation.Protocol"``.
        present: what it is called now.
        stacklevel: 2 points at the caller of the function that calls this one.
    """
    warnings.warn(
        f"{former} is now {present}; the old name goes in the next version",
        DeprecationWarning,
        stacklevel=stacklevel + 1,
    )


def present_name(module: str, name: str, renamed: Mapping[str, str]) -> str:
    """The present name of what is asked of a module, for its `__getattr__`.

    Args:
        module: the module's `__name__`.
        name: the name asked for; a former one is warned about.
        renamed: former name -> present name.
    """
    if name not in renamed:
        return name
    warn_renamed(f"{module}.{name}", renamed[name], stacklevel=3)
    return renamed[name]
