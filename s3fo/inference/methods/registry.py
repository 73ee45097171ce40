"""Which methods there are: those that come with s3fo, and those other packages bring.

Another package adds a method by an entry point in its own ``pyproject.toml``::

    [project.entry-points."s3fo.methods"]
    mine = "my_package.vos:MyMethod"

What it names is a class whose instances satisfy `Method` (or `VideoMethod`), or a
`MethodInfo` that says more. It is imported only when it is listed or used.
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from typing import Any

from packaging.requirements import Requirement

from evaluation.errors import InputError
from s3fo._extras import EXTRAS, install_command, require
from s3fo.inference.methods.base import AnyMethod

GROUP = "s3fo.methods"
"""Entry points of this group are methods."""

_FREE = "none of its own"


@dataclass(frozen=True)
class MethodInfo:
    """A method, and what one must know before running it.

    Attributes:
        name: what ``--method`` takes.
        title: what it is, in one line.
        maker: what makes it: a callable, or where to import one from, as
            ``"package.module:Class"``. Its keyword arguments are the method's options.
        source: paper or page.
        licence: of the code that runs, and of the weights.
        weights: what the option ``weights`` takes; empty without that option.
        default_weights: taken where none are given; empty if they must be given.
        needs: packages as requirements, e.g. ``"transformers>=5.20"``.
        install: the command that installs what it needs.
        extra: the extra of s3fo that brings what it needs, for methods of s3fo.
        problem: why it cannot be used, for one that another package announces and
            that cannot be imported.
    """

    name: str
    title: str
    maker: str | Callable[..., AnyMethod]
    source: str
    licence: str
    weights: str = ""
    default_weights: str = ""
    needs: tuple[str, ...] = ()
    install: str = ""
    extra: str = ""
    problem: str = field(default="", compare=False)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of `needs` that are not installed, or in another version."""
        return tuple(need for need in self.needs if not _is_installed(need))

    @property
    def installed(self) -> bool:
        """Whether it can be built here."""
        return not self.problem and not self.missing

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Names of the options that it takes; importing it may take seconds.

        Raises:
            InputError: it cannot be imported.
        """
        parameters = inspect.signature(self.import_maker()).parameters.values()
        return tuple(p.name for p in parameters if p.kind is not p.VAR_KEYWORD)

    @property
    def takes_any_option(self) -> bool:
        """Whether it checks further options itself."""
        parameters = inspect.signature(self.import_maker()).parameters.values()
        return any(p.kind is p.VAR_KEYWORD for p in parameters)

    def import_maker(self) -> Callable[..., AnyMethod]:
        """What makes the method.

        Raises:
            InputError: a package is missing, or it cannot be imported.
        """
        if self.extra:
            require(self.extra)
        if self.problem or self.missing:
            raise InputError(
                f"method {self.name!r}",
                self.problem or f"{', '.join(self.missing)} not installed",
                f"an installed method; it needs {', '.join(self.needs) or 'nothing'}",
                f"Run `{self.install}`."
                if self.install
                else "Install it again, or choose another method.",
            )
        if callable(self.maker):
            return self.maker
        module, _, attribute = self.maker.partition(":")
        return getattr(importlib.import_module(module), attribute)


def _by_extra(extra: str, *modules: str) -> dict[str, Any]:
    """What a method needs that an extra of s3fo brings, and how to install it."""
    needs = tuple(f"{module}>={EXTRAS[extra][module]}" for module in modules)
    return {"needs": needs, "install": install_command(extra), "extra": extra}


def _by_transformers(
    name: str, maker: str, title: str, source: str, licence: str, weights: str
) -> MethodInfo:
    return MethodInfo(
        name,
        f"{title}, by the transformers library",
        f"s3fo.inference.methods.transformers:{maker}",
        source,
        licence,
        weights=weights,
        **_by_extra("transformers", "torch", "transformers"),
    )


_BUILT_IN = (
    MethodInfo(
        "s3",
        "S3: spatial-semantic features and object queries",
        "s3fo.inference.methods.s3:S3Method",
        "Li et al., ICLR 2025, arXiv 2407.07760",
        "Apache-2.0; shipped weights: see `docs/licences.md`",
        weights="name of shipped weights, or a .safetensors or .pth file",
        default_weights="s3-small",
        **_by_extra("model", "torch"),
    ),
    MethodInfo(
        "cutie",
        "Cutie, by this project's engine",
        "s3fo.inference.methods.cutie:CutieMethod",
        "Cheng et al., CVPR 2024, arXiv 2310.12982",
        "Apache-2.0 (code); MIT (published weights)",
        weights="cutie-base-mega.pth, cutie-small-mega.pth or another checkpoint",
        **_by_extra("model", "torch"),
    ),
    _by_transformers(
        "sam2",
        "Sam2Method",
        "SAM 2 and SAM 2.1",
        "Ravi et al., ICLR 2025, arXiv 2408.00714",
        "Apache-2.0, code and weights",
        "folder or hub name, e.g. facebook/sam2.1-hiera-tiny",
    ),
    _by_transformers(
        "edgetam",
        "EdgeTamMethod",
        "EdgeTAM",
        "Zhou et al., CVPR 2025, arXiv 2501.07256",
        "Apache-2.0, code and weights",
        "folder or hub name, e.g. yonigozlan/EdgeTAM-hf (its encoder needs timm)",
    ),
    _by_transformers(
        "sam3",
        "Sam3Method",
        "SAM 3: its tracker with mask prompts",
        "Carion et al., 2025, arXiv 2511.16719",
        "Apache-2.0 (code); SAM License (weights, access on request)",
        "folder or hub name, e.g. facebook/sam3",
    ),
    MethodInfo(
        "command",
        "Any program, in an environment of its own",
        "s3fo.inference.methods.command:CommandMethod",
        "see the program",
        "see the program",
    ),
    MethodInfo(
        "flow",
        "Baseline: masks carried by dense optical flow",
        "s3fo.inference.methods.baselines:FlowBaseline",
        "Kroeger et al., ECCV 2016 (DIS)",
        "Apache-2.0",
    ),
    MethodInfo(
        "copy",
        "Baseline: every object stays where it first appeared",
        "s3fo.inference.methods.baselines:CopyBaseline",
        _FREE,
        "Apache-2.0",
    ),
)


def list_methods() -> list[MethodInfo]:
    """All methods: those of s3fo, then those of other packages by name.

    One that another package announces under a name of s3fo, or that cannot be
    imported, is listed with its `problem`.
    """
    found = list(_BUILT_IN)
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda p: p.name):
        info = _announced_info(point)
        if info.name in {other.name for other in found}:
            package = point.dist.name if point.dist else "another package"
            info = _broken_info(f"{info.name} ({package})", "its name is taken")
        found.append(info)
    return found


def find_method(name: str) -> MethodInfo:
    """The method of a name.

    Raises:
        InputError: there is none.
    """
    methods = list_methods()
    for info in methods:
        if info.name == name:
            return info
    raise InputError(
        f"method {name!r}",
        "an unknown name",
        f"one of {', '.join(info.name for info in methods)}",
        "Choose one of them; `s3fo methods` says what each is and needs.",
    )


def build_method(name: str, /, **options: Any) -> AnyMethod:
    """Make a method by its name.

    Args:
        name: see `list_methods`.
        options: passed on unless None, e.g. ``size``, ``weights``, ``device``.

    Raises:
        InputError: an unknown name, a package it needs is missing, an option that
            the method does not have, or something that is no method.

    Example:
        >>> build_method("flow", size=240).settings
        {'flow': 'DIS medium', 'size': 240}
    """
    info = find_method(name)
    maker = info.import_maker()
    given = {key: value for key, value in options.items() if value is not None}
    if "device" not in info.options and given.get("device") in ("auto", "cpu"):
        del given["device"]  # it runs on the CPU
    unknown = sorted(given.keys() - set(info.options))
    if unknown and not info.takes_any_option:
        raise InputError(
            f"method {name!r}",
            ", ".join(unknown),
            f"options it has: {', '.join(info.options) or 'none'}",
            f"Leave out {', '.join(unknown)}; `s3fo methods show {name}` lists what "
            "the method takes.",
        )
    return _check(info, maker(**given))


def _check(info: MethodInfo, method: Any) -> AnyMethod:
    """The method, if it has what the contract asks for."""
    wanted = ["name", "device", "settings"]
    wanted += ["segment"] if hasattr(method, "segment") else ["start", "step"]
    lacking = [name for name in wanted if not hasattr(method, name)]
    if lacking:
        raise InputError(
            f"method {info.name!r}",
            f"an object of type {type(method).__name__} without {', '.join(lacking)}",
            "a Method or VideoMethod of s3fo.inference",
            f"Add {', '.join(lacking)} to its class.",
        )
    checked: AnyMethod = method
    return checked


def _announced_info(point: metadata.EntryPoint) -> MethodInfo:
    """What an entry point of another package announces."""
    try:
        thing = point.load()
    except Exception as error:  # anything may happen while others' code is imported
        return _broken_info(point.name, f"{point.value} cannot be imported ({error})")
    if isinstance(thing, MethodInfo):
        return thing
    if not callable(thing):
        return _broken_info(point.name, f"{point.value} is no class and no MethodInfo")
    lines = (inspect.getdoc(thing) or "").splitlines()
    takes_weights = "weights" in inspect.signature(thing).parameters
    return MethodInfo(
        point.name,
        lines[0] if lines else point.value,
        thing,
        _of_package(point, "Home-page", "Project-URL") or point.value,
        _of_package(point, "License-Expression", "License") or "not stated",
        weights="see its documentation" if takes_weights else "",
    )


def _of_package(point: metadata.EntryPoint, *fields: str) -> str:
    """The first of some fields that the package of an entry point fills."""
    about = point.dist.metadata if point.dist else None
    values = [about[field] for field in fields if about and field in about]
    return values[0] if values else ""


def _broken_info(name: str, problem: str) -> MethodInfo:
    def maker() -> AnyMethod:
        raise AssertionError(problem)

    return MethodInfo(name, "", maker, "", "", problem=problem)


def _is_installed(need: str) -> bool:
    requirement = Requirement(need)
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def parse_options(given: Iterable[str]) -> dict[str, Any]:
    """Options of a method from ``NAME=VALUE``; numbers, true and false as in JSON.

    Raises:
        InputError: there is no ``=``.
    """
    found: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise InputError(
                "options of the method",
                repr(text),
                "NAME=VALUE",
                "Write each as top_k=20.",
            )
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found
