"""The part of a form that asks which benchmark, and where it lies."""

from __future__ import annotations

from fiftyone.operators import types

from evaluation._utils.names import counted
from s3fo.benchmarks import Benchmark, catalog, open_benchmark, open_folders
from s3fo.plugin.context import Context
from s3fo.plugin.shared.forms import ask_choice, ask_folder, chosen_folder

_FOLDERS = "folders"
_SYNTHETIC = "synthetic"
_DEFAULT = "davis-2017"

BENCHMARK_PARAMS = ("benchmark", "root", "split", "images", "masks")
"""What `ask_benchmark` asks."""


def ask_benchmark(
    ctx: Context, form: types.Object, *, required: bool = True
) -> Benchmark | None:
    """Ask which benchmark, and where it lies; say what is there.

    Args:
        ctx: with the answers so far.
        form: the form.
        required: whether the form is incomplete without folders.

    Returns:
        The benchmark; None while its folders are not chosen.

    Raises:
        InputError: there is no such benchmark in the folder.
    """
    ask_choice(
        form,
        "benchmark",
        _benchmarks(),
        label="Benchmark",
        description="What the folder holds",
        default=_DEFAULT,
    )
    _ask_where(form, ctx.params.get("benchmark", _DEFAULT), required)
    benchmark = chosen_benchmark(ctx)
    if benchmark is not None:
        frames = sum(len(sequence.frames) for sequence in benchmark)
        found = f"{counted(len(benchmark), 'sequence')}, {counted(frames, 'frame')}"
        note = types.AlertView(
            severity="info", label=found, description="; ".join(benchmark.notes)
        )
        form.view("found", note)
    return benchmark


def chosen_benchmark(ctx: Context) -> Benchmark | None:
    """The benchmark that the form describes; None while it is incomplete.

    Raises:
        InputError: there is no such benchmark in the folder.
    """
    name = ctx.params.get("benchmark", _DEFAULT)
    if name == _FOLDERS:
        images, masks = chosen_folder(ctx, "images"), chosen_folder(ctx, "masks")
        return open_folders(images, masks) if images and masks else None
    root = chosen_folder(ctx, "root")
    return open_benchmark(name, root, split=ctx.params.get("split")) if root else None


def _benchmarks() -> dict[str, str]:
    known = {name: catalog.get_entry(name).title for name in catalog.names()}
    return {
        **known,
        _SYNTHETIC: "Synthetic, as s3fo writes it",
        _FOLDERS: "My own folders of frames and masks",
    }


def _ask_where(form: types.Object, name: str, required: bool) -> None:
    if name == _FOLDERS:
        images, masks = (f"Folder of <sequence>/<frame>.{kind}" for kind in _KINDS)
        ask_folder(form, "images", "Frames", images, required=required)
        ask_folder(form, "masks", "Masks", masks, required=required)
    elif name == _SYNTHETIC:
        about = "The one it was written to"
        ask_folder(form, "root", "Folder", about, required=required)
    else:
        entry = catalog.get_entry(name)
        about = f"Holds {entry.layout}"
        ask_folder(form, "root", "Folder", about, required=required)
        ask_choice(
            form,
            "split",
            {split: split for split in catalog.splits(name)},
            label="Split",
            description=entry.about,
            default=entry.split,
        )


_KINDS = ("jpg", "png")
