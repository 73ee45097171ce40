"""The part of a form that asks for a method's options, and its answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark
from s3fo.plugin.context import Context
from s3fo.plugin.shared.forms import ask_choice

if TYPE_CHECKING:
    from s3fo.inference import MethodInfo

_OWN = "own"
_ASKED = (
    "weights",
    "command",
    "timeout",
    "memory",
    "size",
    "device",
    "precision",
    "compile_encoder",
)
"""Options that have a field of their own; the others are typed as NAME=VALUE."""

METHOD_PARAMS = (*_ASKED, "options")
"""What `ask_options` asks."""


def ask_options(
    ctx: Context, form: types.Object, benchmark: Benchmark, info: MethodInfo
) -> None:
    """The options that the method has; the defaults are those of the benchmark."""
    asked = [name for name in _ASKED if name in info.options]
    if asked or info.takes_any_option:
        heading = f"Settings of {info.name}"
        form.view("how", types.Header(label=heading, divider=True))
    ask = {
        "weights": lambda: _ask_weights(form, info),
        "command": lambda: _ask_command(form),
        "memory": lambda: _ask_memory(form, benchmark),
        "size": lambda: _ask_size(ctx, form, benchmark, info),
        "device": lambda: _ask_device(form, info),
        "precision": lambda: _ask_precision(form),
        "compile_encoder": lambda: _ask_compile(form),
    }
    for name in asked:
        ask.get(name, lambda: None)()
    others = sorted(set(info.options) - set(_ASKED) - {"name"})
    if others or info.takes_any_option:
        _ask_others(form, others)
    _check_given(ctx, info)


def _ask_weights(form: types.Object, info: MethodInfo) -> None:
    form.str(
        "weights",
        label="Weights",
        description=f"{info.weights[:1].upper()}{info.weights[1:]}",
        default=info.default_weights or None,
        required=not info.default_weights,
    )


def _ask_command(form: types.Object) -> None:
    form.str(
        "command",
        label="Command",
        description="Program that segments one video, e.g. python run.py {frames} "
        "{masks} {out}; also {video}, {objects}, {device}. It runs on the machine "
        "of the App's server",
        required=True,
    )
    form.float(
        "timeout",
        label="Time limit",
        description="Seconds that one video may take. If left empty: no limit",
        min=0,
    )


def _ask_memory(form: types.Object, benchmark: Benchmark) -> None:
    from s3fo.inference.presets import PRESETS, preset_for

    ask_choice(
        form,
        "memory",
        {
            _OWN: f"The benchmark's own ({preset_for(benchmark.name)})",
            **{name: name for name in PRESETS},
        },
        label="Memory",
        description="How much of the past is kept. generic, lvos, burst: long-term "
        "memory, for long videos; davis, mose, youtube-vos: the last frames",
        default=_OWN,
    )


def _ask_size(
    ctx: Context, form: types.Object, benchmark: Benchmark, info: MethodInfo
) -> None:
    from s3fo.inference.presets import PRESETS, preset_for

    usual = None
    if "memory" in info.options:
        chosen = ctx.params.get("memory", _OWN)
        name = preset_for(benchmark.name) if chosen == _OWN else chosen
        usual = PRESETS[name].size
    form.int(
        "size",
        label="Working size",
        description="Shorter side in pixels: smaller is faster, larger finer. If "
        f"left empty: {usual or 'that of the frames'}; 0 keeps the frames' size",
        min=0,
        max=_LARGEST,
    )


def _ask_device(form: types.Object, info: MethodInfo) -> None:
    if "command" in info.options:
        form.str(
            "device",
            label="Device",
            description="What {device} stands for; several, as cuda:0,cuda:1, run "
            "as many videos at once",
            default="auto",
        )
        return
    ask_choice(
        form,
        "device",
        _devices(),
        label="Device",
        description="What computes",
        default="auto",
    )


def _ask_precision(form: types.Object) -> None:
    from s3fo.inference.precision import AUTO, PRECISIONS

    ask_choice(
        form,
        "precision",
        {name: name for name in PRECISIONS},
        label="Precision",
        description="Number format of the network: auto takes what suits network "
        "and device",
        default=AUTO,
    )


def _ask_compile(form: types.Object) -> None:
    form.bool(
        "compile_encoder",
        label="Compile the image encoder",
        description="Slow at first, faster over many frames",
        default=False,
    )


def _ask_others(form: types.Object, names: Sequence[str]) -> None:
    form.str(
        "options",
        label="Further options",
        description="NAME=VALUE, separated by spaces"
        + (f": {', '.join(names)}" if names else ", e.g. top_k=20"),
    )


def what_segments(found: Sequence[MethodInfo]) -> str:
    """Help for the choice of a method: what else there would be."""
    absent = [info for info in found if not info.installed]
    if not absent:
        return "Segmentation method"
    listed = "; ".join(f"{i.name}: {i.install or i.problem}" for i in absent)
    return f"Segmentation method. Not installed: {listed}"


def given_options(ctx: Context, info: MethodInfo) -> dict[str, Any]:
    """The method's options that the form answers."""
    from s3fo.datasets import load_benchmark_info
    from s3fo.inference.methods.registry import parse_options
    from s3fo.inference.presets import preset_for

    names = [name for name in _ASKED if name in info.options]
    given = {name: ctx.params.get(name) for name in names}
    if "memory" in given and given["memory"] in (None, _OWN):
        given["memory"] = preset_for(load_benchmark_info(ctx.dataset).name)
    if "name" in info.options:
        given["name"] = ctx.params.get("name") or info.name
    given |= parse_options((ctx.params.get("options") or "").split())
    return {key: value for key, value in given.items() if value not in (None, "")}


_LARGEST = 4320
"""Pixels of the shorter side of 8K video; a network takes more memory than there is."""

_PATHS = ("/", "./", "../", "~")
"""So begin names that can only be of files; others may be of a hub."""


def _check_given(ctx: Context, info: MethodInfo) -> None:
    """Say in the form what cannot work, as far as that costs nothing.

    Raises:
        InputError: weights that are not there, a size beyond reason, or a command
            that cannot run.
    """
    from s3fo.inference.methods.command import CommandMethod
    from s3fo.inference.weights import find_weights

    weights = ctx.params.get("weights") or info.default_weights
    if "weights" in info.options and not weights:
        raise InputError("Weights", "none", info.weights, "Fill in the field Weights.")
    if info.name in ("s3", "cutie"):
        find_weights(weights)
    elif (
        weights
        and weights.startswith(_PATHS)
        and not Path(weights).expanduser().exists()
    ):
        raise InputError(
            "Weights", f"{weights}, which is not there", info.weights,
            "Correct the field Weights.",
        )  # fmt: skip
    size = ctx.params.get("size")
    if "size" in info.options and size is not None and not 0 <= size <= _LARGEST:
        raise InputError(
            "Working size", f"{size} pixels", f"0 to {_LARGEST} pixels",
            "Correct the field Working size, or leave it empty.",
        )  # fmt: skip
    if info.name == "command":
        options = given_options(ctx, info)
        if "command" not in options:
            raise InputError(
                "Command", "none", "a program with {out}", "Fill in the field Command."
            )
        CommandMethod(**options)


def _devices() -> dict[str, str]:
    """Devices of this machine: value -> what to show."""
    from s3fo.inference.device import choose_device, device_name

    found = {"auto": f"Automatic ({device_name(choose_device('auto'))})"}
    for kind in ("cpu", "cuda", "mps"):
        try:
            found[kind] = device_name(choose_device(kind))
        except InputError:
            continue
    return found
