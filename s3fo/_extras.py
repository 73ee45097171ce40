"""What the optional extras of the package bring, and what is said without them.

``pip install s3fo`` brings `evaluation` and its command line. Everything else is asked
for by name, ``pip install 's3fo[model]'``; each entry here stands in ``pyproject.toml``
too. There torch and FiftyOne have no bounds, so that pip never replaces what a user
has; their lowest version is checked here.
"""

from __future__ import annotations

import importlib.util
from importlib import metadata

from packaging.version import Version

from evaluation.errors import InputError

_MODEL = {"torch": "2.3", "safetensors": "0.4", "av": "14"}
_APP = {"fiftyone": "1.22", "av": "14", "filelock": "3.14"}
_TRANSFORMERS = {"transformers": "5.20", "huggingface_hub": "1"}

EXTRAS: dict[str, dict[str, str]] = {
    "model": _MODEL,
    "app": _APP,
    "transformers": {**_MODEL, **_TRANSFORMERS},
    "train": {**_MODEL, "tensorboard": "2.16"},
    "cluster": {"submitit": "1.5", "ray": "2.40"},
}
"""By extra: the modules it brings, with the lowest version that works."""


class MissingExtra(InputError, ImportError):
    """A package that an extra brings is missing or too old; told in one line.

    Attributes:
        command: installs what is missing.
    """

    def __init__(self, found: str, command: str) -> None:
        self.command = command
        super().__init__("s3fo", found, "an optional part of s3fo", f"Run: {command}")

    def __str__(self) -> str:
        """One line with the command."""
        return f"{self.found}. {self.remedy}"

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:  # type: ignore[override]
        """Survive the way back from a worker process."""
        return type(self), (self.found, self.command)


def install_command(*extras: str) -> str:
    """The command that installs extras, such as ``pip install 's3fo[app,model]'``."""
    return f"pip install 's3fo[{','.join(extras)}]'"


def require(*extras: str) -> None:
    """See that extras are installed, without importing what they bring.

    Args:
        extras: keys of `EXTRAS`.

    Raises:
        MissingExtra: one is not, or in a version that is too old.
    """
    modules = {module for extra in extras for module in EXTRAS[extra]}
    absent = sorted(module for module in modules if not is_installed(module))
    if absent:
        short = [extra for extra in extras if set(absent) & set(EXTRAS[extra])]
        found = f"This needs {' and '.join(absent)}, not installed here"
        raise MissingExtra(found, install_command(*short))
    for extra in extras:
        for module, lowest in EXTRAS[extra].items():
            _check_version(module, lowest)


def require_module(module: str) -> None:
    """See that one module of an extra is installed.

    Raises:
        MissingExtra: it is not; names the first extra that brings it.
    """
    if not is_installed(module):
        raise missing_module(module) or ModuleNotFoundError(name=module)


def missing_module(module: str) -> MissingExtra | None:
    """The error for a module that could not be imported; None if no extra has it."""
    module = module.partition(".")[0]
    for extra, modules in EXTRAS.items():
        if module in modules:
            found = f"This needs {module}, not installed here"
            return MissingExtra(found, install_command(extra))
    return None


def is_installed(module: str) -> bool:
    """Whether a module of an extra is there, without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # loaded by hand, without a specification
        return True


def _check_version(module: str, lowest: str) -> None:
    try:
        version = metadata.version(module)
    except metadata.PackageNotFoundError:  # built by hand: nothing to compare
        return
    if Version(version) < Version(lowest):
        raise MissingExtra(
            f"This needs {module} {lowest} or newer, found {version}",
            f"pip install --upgrade {module}",
        )
