"""A benchmark on disk -> a FiftyOne video dataset."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import fiftyone as fo

from evaluation._utils.names import storable
from evaluation._utils.progress import ProgressCallback
from evaluation.errors import InputError
from evaluation.masks.names import shown
from s3fo.benchmarks import Benchmark, VideoSequence, open_benchmark
from s3fo.choices import AnyMaskForm, MaskForm, VideoForm
from s3fo.datasets._fiftyone import update_documents
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.changed_labels import (
    KeptLabelsWarning,
    begin_truth_labels,
    remember_truth_files,
    remember_truth_labels,
)
from s3fo.datasets.importing.content import content_of, truth_token
from s3fo.datasets.importing.kept_truth import KeptTruth
from s3fo.datasets.importing.labels import categories_of, masks_of_frame, object_spans
from s3fo.datasets.importing.mask_forms import choose_form
from s3fo.datasets.importing.relocation import renew_paths
from s3fo.datasets.importing.source import open_or_make, sole_load
from s3fo.datasets.importing.stored_masks import annotations_to_show
from s3fo.datasets.importing.videos import (
    VideoFile,
    check_mask_size,
    make_video,
    name_video,
    note_changing_ids,
)
from s3fo.datasets.importing.writing import (
    MaskSource,
    batches,
    declare_masks,
    index_labels,
    insert_frames,
    write_masks,
)
from s3fo.datasets.parallel import map_ahead
from s3fo.datasets.schema import save_benchmark_info
from s3fo.datasets.views import appearance as views

_VideoWriter = Callable[[VideoSequence], VideoFile]


class _Known(NamedTuple):
    """What is in the dataset of a sequence, once it was imported completely."""

    id: str
    content: str | None
    frame_count: int | None
    filepath: str


@dataclass(frozen=True)
class _Prepared:
    """A sequence ready to be written, unless it is there already."""

    sequence: VideoSequence
    video: VideoFile
    content: str
    known: _Known | None

    @property
    def name(self) -> str:
        return self.sequence.name

    @property
    def unchanged(self) -> bool:
        return self.known is not None and self.known.content == self.content

    @property
    def has_frames(self) -> bool:
        """Whether the dataset holds as many frames of it as there are."""
        frame_count = self.video.frame_count
        return self.known is not None and self.known.frame_count == frame_count

    @property
    def frames_to_write(self) -> int:
        return 0 if self.unchanged else len(self.sequence.frames)


def load_benchmark(
    benchmark: Benchmark | str,
    root: str | Path | None = None,
    *,
    split: str | None = None,
    dataset_name: str | None = None,
    masks: AnyMaskForm = "auto",
    video: VideoForm = "mp4",
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> fo.Dataset:
    """Load a benchmark as a FiftyOne video dataset, one sample per sequence.

    Loading again adds nothing twice: sequences whose files are unchanged are left
    alone with all that was computed on them (but for their paths, where the files
    have moved), changed ones are updated (but for labels that were edited, with a
    warning), and those that the benchmark no longer has are taken out. A load that was
    interrupted continues.

    >>> dataset = load_benchmark("synthetic", root, dataset_name=name, video="none")
    >>> len(dataset), dataset.media_type
    (1, 'video')

    Args:
        benchmark: an opened benchmark, or the name of one.
        root: folder of the benchmark; needed with a name.
        split: e.g. ``"val"``; only with a name, None means its usual one.
        dataset_name: name in FiftyOne; None means ``"<benchmark>-<split>"``.
        masks: keep masks inside each label (``"instances"``), or refer to the PNG
            files (``"reference"``, for scale); ``"auto"`` decides by size. Videos
            of more than 4500 frames are refused with ``"instances"``.
        video: ``"mp4"`` encodes every sequence once, for the App's player (about 14
            ms per frame at 480p). ``"none"`` does not: look at the frames through
            `image_sequences`, or load again with ``"mp4"`` later.
        workers: threads that decode and encode; None means one per core.
        progress: told after each sequence.

    Returns:
        The persistent dataset.

    Raises:
        InputError: the folder is not that benchmark, a file is broken or of the wrong
            size, a video is too long to keep masks inside the labels, or the dataset
            holds another benchmark or is being loaded by somebody else.
    """
    benchmark = _open(benchmark, root, split).absolute()
    _refuse_unstorable(benchmark)
    form = choose_form(masks, benchmark.sequences)
    video_writer = _video_writer(video)
    name = dataset_name or _default_name(benchmark)
    with sole_load(name):
        return _load(name, benchmark, form, video_writer, workers, progress)


def _refuse_unstorable(benchmark: Benchmark) -> None:
    """Refuse names that are not UTF-8: FiftyOne's database stores no others."""
    for sequence in benchmark:
        files = sequence.images.values()
        for text in (str(benchmark.root), sequence.name, *map(str, files)):
            if storable(text) != text:
                raise InputError(
                    storable(text),
                    "a name that is not UTF-8, as of an archive from another system",
                    "names in UTF-8: FiftyOne's database stores no others",
                    "Rename it, e.g. with convmv -f latin1 -t utf8 -r --notest FOLDER.",
                )


def _load(
    name: str,
    benchmark: Benchmark,
    form: MaskForm,
    video_writer: _VideoWriter,
    workers: int | None,
    progress: ProgressCallback | None,
) -> fo.Dataset:
    dataset, created = open_or_make(name, benchmark)
    edited = set() if created else begin_truth_labels(dataset)
    kept = KeptTruth(dataset, edited)
    declare_masks(dataset, GROUND_TRUTH, form)
    try:
        every = benchmark.sequences
        _import(dataset, every, video_writer, form, kept, workers, progress)
    except InputError:
        if created:
            dataset.delete()
        else:
            remember_truth_labels(dataset, edited)
        raise
    _take_out_others(dataset, benchmark, kept)
    if benchmark.split:
        dataset.set_values("split", [benchmark.split] * len(dataset))
    index_labels(dataset, GROUND_TRUTH, ("label", "index"))
    if not created:
        renew_paths(dataset, benchmark)
    save_benchmark_info(dataset, benchmark, form)
    remember_truth_labels(dataset, edited)
    remember_truth_files(dataset, map_ahead(truth_token, benchmark.sequences, workers))
    _describe(dataset, form)
    views.apply_defaults(dataset)
    return dataset


_FORMS: Mapping[MaskForm, str] = {
    "instances": "Masks are in the labels: player, Annotate tab, patches and exports "
    "have them.",
    "reference": "Masks are in files, shown by the fields that end in _mask; labels "
    "beside them are boxes. FiftyOne's Annotate tab, patches and exports have these "
    "boxes only: for masks there, load the benchmark again with masks='instances'.",
}
"""What a dataset says of the form that its masks have."""


def _describe(dataset: fo.Dataset, form: MaskForm) -> None:
    """Say in the dataset's description which form its masks have, and what for.

    What somebody else wrote there stays.
    """
    if dataset.description in (None, "", *_FORMS.values()):
        dataset.description = _FORMS[form]


def _open(
    benchmark: Benchmark | str, root: str | Path | None, split: str | None
) -> Benchmark:
    if isinstance(benchmark, Benchmark):
        return benchmark
    if root is None:
        raise InputError(
            benchmark, "no root", "the folder that holds it", "Give `root`."
        )
    return open_benchmark(benchmark, root, split=split)


def _default_name(benchmark: Benchmark) -> str:
    return "-".join(part for part in (benchmark.name, benchmark.split) if part)


def _video_writer(video: str) -> _VideoWriter:
    writers: dict[VideoForm, _VideoWriter] = {"mp4": make_video, "none": name_video}
    if video not in writers:
        raise InputError(
            "video", repr(video), " or ".join(writers), "Pass one of these as `video`."
        )
    return writers[video]


def _take_out_others(
    dataset: fo.Dataset, benchmark: Benchmark, kept: KeptTruth
) -> None:
    """Delete the samples of sequences that the benchmark does not have."""
    names = {sequence.name for sequence in benchmark}
    known = _known(dataset)
    others = [known[name].id for name in known if name not in names]
    kept.before_deleting(others, anew=False)
    dataset.delete_samples(others)


def _import(
    dataset: fo.Dataset,
    sequences: Sequence[VideoSequence],
    video_writer: _VideoWriter,
    form: MaskForm,
    kept: KeptTruth,
    workers: int | None,
    progress: ProgressCallback | None,
) -> None:
    """Write all videos that are new or changed, but labels that were edited."""
    known = _known(dataset)
    prepared = map_ahead(_preparer(known, video_writer, form), sequences, workers)
    done = 0
    for batch in batches(prepared, lambda item: item.frames_to_write):
        changed = [item for item in batch if not item.unchanged]
        _write(dataset, changed, form, kept, workers)
        _point_at_videos(dataset, [item for item in batch if item.unchanged])
        for item in batch:
            done += 1
            if progress:
                progress(done, len(sequences), f"{item.name} {done}/{len(sequences)}")


def _point_at_videos(dataset: fo.Dataset, items: list[_Prepared]) -> None:
    """Give unchanged samples their videos: these may lie in another folder now."""
    moved = [
        (item.known.id, {"filepath": str(item.video.path)})
        for item in items
        if item.known and item.known.filepath != str(item.video.path)
    ]
    if moved:
        update_documents(dataset, moved)


def _known(dataset: fo.Dataset) -> dict[str, _Known]:
    """What the dataset holds already, by the name of the sequence."""
    paths = ["sequence", "id", "content", "metadata.total_frame_count", "filepath"]
    rows = zip(*dataset.values(paths), strict=True)
    return {name: _Known(*row) for name, *row in rows if name is not None}


def _preparer(
    known: Mapping[str, _Known], video_writer: _VideoWriter, form: MaskForm
) -> Callable[[VideoSequence], _Prepared]:
    def prepare(sequence: VideoSequence) -> _Prepared:
        video = video_writer(sequence)
        check_mask_size(sequence)
        note_changing_ids(sequence)
        content = content_of(sequence, video, form)
        return _Prepared(sequence, video, content, known.get(sequence.name))

    return prepare


def _write(
    dataset: fo.Dataset,
    items: list[_Prepared],
    form: MaskForm,
    kept: KeptTruth,
    workers: int | None,
) -> None:
    """Write sequences: those of which frames are there already, and the others."""
    fresh = [item for item in items if not item.has_frames]
    # Other frames: whatever was computed on the old ones means nothing now.
    others = [item.known.id for item in fresh if item.known]
    kept.before_deleting(others, anew=True)
    dataset.delete_samples(others)
    if fresh:
        sources = [_source(item.sequence) for item in fresh]
        ids = _add_samples(dataset, fresh)
        insert_frames(dataset, ids, GROUND_TRUTH, sources, form, workers)
        _write_samples(dataset, ids, fresh, sources)
    there = [item for item in items if item.has_frames]
    if there:
        sources = [_source(item.sequence) for item in there]
        ids = [item.known.id for item in there if item.known]
        by_id = dict(zip(ids, sources, strict=True))
        stay = {key: by_id.pop(key) for key in ids if key in kept.edited}
        kept.before_replacing(by_id)
        tags = kept.tags_of_objects(ids)
        # Killed while this goes on, they are neither of the old content nor the new.
        update_documents(dataset, [(key, {"content": None}) for key in ids])
        if by_id:
            view = dataset.select(list(by_id), ordered=True)
            masks = list(by_id.values())
            write_masks(view, GROUND_TRUTH, masks, form, workers, kept.carry)
        _keep_edited(list(stay.values()))
        _write_samples(dataset, ids, there, sources, tags)


def _keep_edited(sources: Sequence[MaskSource]) -> None:
    """Look where objects are, and say that labels are not those of the files."""
    for source in sources:
        for number, frame in enumerate(source.sequence.frames, start=1):
            for item in source.read(frame) if frame in source.masked else ():
                source.seen.setdefault(item.object_id, []).append(number)
    if sources:
        names = shown([source.sequence.name for source in sources])
        warnings.warn(
            f"labels of {GROUND_TRUTH} in {names} were edited and stay so, though "
            "their files (or the form of masks) changed: to see the files' masks, load "
            "the benchmark as another dataset, or delete these videos from this one",
            KeptLabelsWarning,
            stacklevel=2,
        )


def _add_samples(dataset: fo.Dataset, items: list[_Prepared]) -> list[str]:
    """Add bare samples, and forget them: FiftyOne reloads at each write those held.

    Returns:
        Their ids.
    """
    samples = [
        fo.Sample(filepath=str(item.video.path), sequence=item.name) for item in items
    ]
    ids: list[str] = dataset.add_samples(samples, progress=False)
    return ids


def _write_samples(
    dataset: fo.Dataset,
    ids: Sequence[str],
    items: Sequence[_Prepared],
    sources: Sequence[MaskSource],
    tags: Sequence[Mapping[int, list[str]]] = (),
) -> None:
    """Fill the samples whose frames are there, with tags that objects had.

    With this, and not before, a sample counts as imported.
    """
    rows = zip(ids, items, sources, tags or [{}] * len(items), strict=True)
    updates = [
        (key, _sample_values(item, source, own)) for key, item, source, own in rows
    ]
    update_documents(dataset, updates)


def _source(sequence: VideoSequence) -> MaskSource:
    """The annotations, and the original image of every frame."""
    return MaskSource(
        sequence,
        read=lambda frame: masks_of_frame(sequence, frame),
        masked=frozenset(sequence.annotated_frames),
        files=annotations_to_show(sequence),
        images={} if sequence.video else sequence.images,
    )


def _sample_values(
    item: _Prepared, source: MaskSource, tags: Mapping[int, list[str]]
) -> dict[str, object]:
    sequence, video = item.sequence, item.video
    categories = categories_of(sequence)
    objects = object_spans(source.seen, categories)
    for one in objects.detections:
        one.tags = tags.get(one["index"], [])
    return {
        "filepath": str(video.path),
        "metadata": video.metadata().to_dict(),
        "fps": video.fps,
        "num_objects": len(source.seen),
        "categories": sorted({name for name in categories.values() if name}),
        "attributes": list(sequence.attributes or ()),
        "objects": objects.to_dict(),
        "content": item.content,
    }
