"""Groups of options that several commands share, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evaluation.errors import InputError
from s3fo.cli.console import print_notes
from s3fo.cli.options.single import (
    Binarize,
    Images,
    Masks,
    Missing,
    Resize,
    Root,
    Sequences,
    ShardOption,
    Split,
    Void,
)

if TYPE_CHECKING:
    from evaluation.options import InputOptions
    from s3fo.benchmarks import Benchmark
    from s3fo.cluster import Chosen, Source


@dataclass(frozen=True)
class MaskOptions:
    """How masks are read and matched: every command that reads masks takes them all."""

    missing: Missing = "error"
    resize: Resize = None
    binarize: Binarize = False
    void: Void = None

    def chosen(self) -> InputOptions:
        """What they come to."""
        from evaluation.options import InputOptions

        return InputOptions(self.missing, self.resize, self.binarize, self.void)


@dataclass(frozen=True)
class TruthOptions:
    """Ground truth: a folder of masks, or a benchmark."""

    gt: Annotated[
        Path | None, typer.Option(help="Ground truth: <sequence>/<frame>.png.")
    ] = None
    benchmark: Annotated[
        str | None, typer.Option(help="Instead of --gt: benchmark name, with --root.")
    ] = None
    root: Root = None
    split: Split = None

    def require_one(self) -> None:
        """Refuse a folder and a benchmark at once.

        Raises:
            InputError: both are named.
        """
        if self.gt is not None and self.benchmark is not None:
            raise InputError(
                "ground truth",
                "both --gt and --benchmark",
                "one of them",
                "Pass either --gt or --benchmark, not both.",
            )

    def open(self) -> Benchmark | Path:
        """The folder, or the benchmark opened.

        Raises:
            InputError: neither or both are named, or what is named is broken.
        """
        self.require_one()
        if self.gt is not None:
            return self.gt
        return open_source(self.benchmark, self.root, self.split, None, None)

    def located(self) -> Source:
        """The same as paths that other machines can open."""
        from s3fo.cluster import Source

        root, gt = _text(self.root), _text(self.gt)
        return Source(self.benchmark, root, self.split, gt=gt).absolute()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def protocol_of(truth: Benchmark | Path) -> str:
    """Rules to score by where none are named: the benchmark's, or DAVIS 2017's."""
    return "davis-2017" if isinstance(truth, Path) else truth.protocol


@dataclass(frozen=True)
class ImagedTruthOptions(TruthOptions):
    """Ground truth with the images it was drawn on, where they are of use."""

    images: Annotated[
        Path | None, typer.Option(help="Beside --gt: <sequence>/<frame>.jpg.")
    ] = None

    def open(self) -> Benchmark | Path:
        """The folder, or the benchmark or the two folders opened."""
        if self.gt is None or self.images is None:
            return super().open()
        self.require_one()
        return open_source(None, None, None, self.images, self.gt)


@dataclass(frozen=True)
class SourceOptions:
    """Videos to work on: a benchmark by its name, or folders of images and masks."""

    benchmark: Annotated[
        str | None, typer.Argument(help="Benchmark name, e.g. davis-2017.")
    ] = None
    root: Root = None
    split: Split = None
    images: Images = None
    masks: Masks = None

    def open(self) -> Benchmark:
        """The benchmark or the folders, opened.

        Raises:
            InputError: neither or both are named, or what is named is broken.
        """
        return open_source(
            self.benchmark, self.root, self.split, self.images, self.masks
        )

    def located(self) -> Source:
        """The same as paths that other machines can open."""
        from s3fo.cluster import Source

        root, images, masks = map(_text, (self.root, self.images, self.masks))
        return Source(
            self.benchmark, root, self.split, images=images, masks=masks
        ).absolute()


@dataclass(frozen=True)
class PartOptions:
    """Which sequences of it."""

    sequence: Sequences = None
    shard: ShardOption = None

    def of(self, source: Benchmark | Path) -> Chosen:
        """What they leave of a source; ends if that is nothing.

        Raises:
            InputError: there is no such sequence or shard.
        """
        return chosen_sequences(source, self.sequence, self.shard)


def chosen_sequences(
    source: Benchmark | Path, sequences: list[str] | None, shard: str | None
) -> Chosen:
    """What ``--sequence`` and ``--shard`` leave of a source; ends if that is nothing.

    Raises:
        InputError: there is no such sequence or shard.
    """
    from s3fo.cluster import choose_sequences

    chosen = choose_sequences(source, sequences, shard)
    part = chosen.shard
    if part is not None and (part.origin or part.count > 1):
        why = f", as {part.origin} says" if part.origin else " only"
        typer.echo(
            f"note: shard {part} ({len(chosen.names or ())} of {chosen.n_sequences} "
            f"sequences){why}; --shard 1/1 takes all",
            err=True,
        )
    if part is not None and not chosen.names:
        typer.echo(
            f"note: nothing to do: shard {part} of {chosen.n_sequences} sequences is "
            "empty",
            err=True,
        )
        raise typer.Exit
    return chosen


def open_source(
    benchmark: str | None,
    root: Path | None,
    split: str | None,
    images: Path | None,
    masks: Path | None,
) -> Benchmark:
    """Open what the options name: a benchmark in a folder, or two plain folders.

    Raises:
        InputError: neither or both are named, or what is named is broken.
    """
    from s3fo.benchmarks import open_benchmark, open_folders

    if images is not None and benchmark is None:
        opened = open_folders(images, masks)
    elif benchmark is not None and root is not None and images is None:
        opened = open_benchmark(benchmark, root, split=split)
    else:
        given = ", ".join(
            name
            for name, value in (
                ("a benchmark name", benchmark),
                ("--root", root),
                ("--images", images),
                ("--masks", masks),
            )
            if value is not None
        )
        raise InputError(
            "what to work on",
            given or "nothing",
            "NAME --root DIR [--split S], or --images DIR [--masks DIR]",
            "`s3fo benchmarks` lists the names.",
        )
    print_notes(opened.notes)
    return opened
