"""`audit_ground_truth`: ground truth in, what looks wrong about it out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation._utils.names import any_name_in_tables, counted
from evaluation._utils.parallel import run_in_order
from evaluation._utils.progress import ProgressCallback
from evaluation.attributes.regions import Region
from evaluation.attributes.video import (
    NOTHING_ANNOTATED,
    AnnotatedVideo,
    choose_videos,
    odd_masks,
    open_videos,
    read_objects,
)
from evaluation.audit.agreement import MethodMasks, open_methods
from evaluation.audit.edges import EdgeTracker
from evaluation.audit.jumps import jumps
from evaluation.audit.kinds import AuditEvent, ErrorKind
from evaluation.audit.steady import (
    appears,
    copies,
    exchanged,
    fragments,
    vanishes,
)
from evaluation.audit.tables import EVENT_COLUMNS, FRAME_COLUMNS, Audit
from evaluation.audit.tracks import Track, follow
from evaluation.masks.names import shown
from evaluation.masks.open import Source
from evaluation.masks.pairs import Masks
from evaluation.options import InputOptions
from evaluation.results.ground_truths import name_of

Shapes = dict[int, NDArray[np.int64]]
"""Object id -> [2, T] area and checksum of its pixels in each frame."""

Audited = tuple[str, list[str], list[AuditEvent], Shapes, list[str]]


@any_name_in_tables()
def audit_ground_truth(
    ground_truth: Any,
    *,
    images: str | Path | bool | None = None,
    methods: Mapping[str, Source] | None = None,
    sequences: Collection[str] | None = None,
    options: InputOptions | None = None,
    min_confidence: float = 0.5,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Audit:
    """Find what looks wrong in ground truth, per object and frame.

    Args:
        ground_truth: as for `evaluation.object_attributes`.
        images: beside bare masks, the folder `<root>/<sequence>/<frame>.jpg`; False
            leaves images alone (masks shifted in time or space are not looked for).
        methods: results by the name of their method; from two on, frames are found
            in which all agree with each other against the ground truth.
        sequences: names of the sequences wanted; None takes all.
        options: how masks are read; of the ground truth `binarize` and `void` count.
        min_confidence: events below it are left out; all are at least 0.5.
        workers: processes; None takes one per processor.
        progress: called as frames get done.

    Raises:
        InputError: no masks, unknown sequence names, broken images, or one method.

    Example:
        >>> audit = audit_ground_truth("Annotations/480p", images="JPEGImages/480p")
        >>> audit.events[["sequence", "object", "kind", "start", "end", "reason"]]
    """
    chosen = InputOptions.of(options)
    folder = images if isinstance(images, (str, Path)) else None
    videos = choose_videos(open_videos(ground_truth, folder, None, chosen), sequences)
    answers = open_methods(methods, ground_truth, [v.name for v in videos], chosen)
    job = _Job(images is not False, answers, min_confidence)
    sizes = [len(video.annotated_frames) for video in videos]
    done = run_in_order(job, videos, sizes, workers, progress)
    blind = sum(not video.images for video in videos) if images is not False else 0
    notes = list(answers.notes) if answers else []
    if blind or images is False:
        notes.append(
            f"{blind or len(videos)} of {len(videos)} videos without images: masks "
            "shifted in time or space were not looked for there"
        )
    odd: dict[str, list[str]] = {}
    for video, (*_, remarks) in zip(videos, done, strict=True):
        for note in [*odd_masks(video), *remarks]:
            odd.setdefault(note, []).append(video.name)
    notes += [f"{shown(names)}: {note}" for note, names in odd.items()]
    return replace(_assemble(done, notes), ground_truth=name_of(ground_truth))


class _Job:
    """What is done with one video."""

    def __init__(
        self, with_images: bool, methods: MethodMasks | None, least: float
    ) -> None:
        self._with_images, self._methods, self._least = with_images, methods, least

    def __call__(self, video: AnnotatedVideo, on_step: Callable[[], None]) -> Audited:
        frames = list(video.annotated_frames)
        found, shapes, notes = self._look(video, frames, on_step)
        kept = [event for event in found if event.confidence >= self._least]
        return video.name, frames, kept, shapes, notes

    def _look(
        self, video: AnnotatedVideo, frames: list[str], on_step: Callable[[], None]
    ) -> tuple[list[AuditEvent], Shapes, list[str]]:
        edges = EdgeTracker(video) if self._with_images and video.images else None
        votes = self._methods.votes(video.name) if self._methods else None
        shape = (0, 0)

        def read() -> Iterator[Masks]:
            nonlocal shape
            for frame in frames:
                on_step()
                masks = read_objects(video, frame)
                one = (
                    next(iter(masks.values()), None)
                    if isinstance(masks, dict)
                    else masks
                )
                shape = shape if one is None else (one.shape[0], one.shape[1])
                yield masks

        def look(index: int, regions: dict[int, Region]) -> None:
            if edges is not None and shape != (0, 0):
                edges.look(index, regions, shape)
            if votes is not None:
                votes.look(index, frames[index], regions)

        tracks, exchanges = follow(read(), len(frames), look)
        found = list(exchanged(exchanges, len(frames)))
        found += _of_tracks(tracks, edges, _covered_frames(found))
        found += _never_seen(video, tracks)
        found += edges.events() if edges is not None else []
        found += votes.events() if votes is not None else []
        shapes = {k: np.stack([one.area, one.digest]) for k, one in tracks.items()}
        notes = _note_blank(frames, [one.visible for one in tracks.values()])
        return found, shapes, notes + (edges.reader.notes if edges is not None else [])


def _note_blank(frames: list[str], visible: list[NDArray[np.bool_]]) -> list[str]:
    """What to say of frames without any object: a fact, which need not be an error.

    Args:
        frames: names of the annotated frames.
        visible: of each object, in which of them it is.
    """
    shown = np.logical_or.reduce(visible) if visible else np.zeros(len(frames), bool)
    if frames and not shown.any():
        return [NOTHING_ANNOTATED]
    blank = [name for name, there in zip(frames, shown, strict=True) if not there]
    if not blank:
        return []
    listed = ", ".join(blank[:3]) + (", ..." if len(blank) > 3 else "")
    return [
        f"{len(blank)} of {counted(len(frames), 'annotated frame')} "
        f"{'shows' if len(blank) == 1 else 'show'} no object ({listed}); right only "
        "where all objects are hidden or away"
    ]


def _covered_frames(events: list[AuditEvent]) -> set[tuple[int, int]]:
    """(object, frame index) at the ends of exchanges, which are jumps by themselves."""
    return {
        (event.object_id, index)
        for event in events
        for index in range(event.start - 1, event.end + 1)
    }


def _of_tracks(
    tracks: Mapping[int, Track],
    edges: EdgeTracker | None,
    covered: set[tuple[int, int]],
) -> Iterator[AuditEvent]:
    starts = [int(track.visible.argmax()) for track in tracks.values()]
    prompt = min(starts, default=0)
    for track in tracks.values():
        yield from vanishes(track)
        yield from appears(track, prompt)
        strengths = None if edges is None else edges.strengths(track.object_id)
        yield from copies(track, strengths)
        yield from fragments(track)
        for event in jumps(track, strengths):
            if (event.object_id, event.start) not in covered:
                yield event


def _never_seen(video: AnnotatedVideo, tracks: Mapping[int, Track]) -> list[AuditEvent]:
    """Objects that the benchmark lists and no mask shows."""
    known = {item.object_id for item in getattr(video, "known_objects", None) or ()}
    return [
        AuditEvent(
            object_id,
            ErrorKind.PROMPT_WITHOUT_OBJECT,
            0,
            1,
            "listed by the benchmark, and in no mask of the video",
            1.0,
        )
        for object_id in sorted(known - tracks.keys())
    ]


def _assemble(done: list[Audited], notes: list[str]) -> Audit:
    rows: list[dict[str, Any]] = []
    frames: dict[int, list[tuple[str, int, int]]] = {}
    for name, names, events, shapes, _ in done:
        for event in events:
            span = slice(event.start, event.end)
            nowhere = np.zeros((2, len(names)), np.int64)
            own = shapes.get(event.object_id, nowhere)[:, span].tolist()
            frames[len(rows)] = list(zip(names[span], *own, strict=True))
            rows.append(_row(name, names, event))
    table = pd.DataFrame(rows, columns=list(EVENT_COLUMNS[1:]))
    order = table.sort_values("confidence", ascending=False, kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    table.insert(0, "event", range(len(table)))
    flagged = [
        (row.sequence, row.object, frame, row.event, row.kind, row.confidence, *shape)
        for row, place in zip(table.itertuples(index=False), order, strict=True)
        for frame, *shape in frames[int(place)]
    ]
    return Audit(
        pd.DataFrame(flagged, columns=list(FRAME_COLUMNS)),
        table,
        sum(int((own[0] > 0).sum()) for *_, one, _ in done for own in one.values()),
        tuple(notes),
    )


def _row(sequence: str, names: list[str], event: AuditEvent) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "object": event.object_id,
        "kind": event.kind.value,
        "other": event.other,
        "start": names[event.start],
        "end": names[event.end - 1],
        "start_index": event.start,
        "end_index": event.end - 1,
        "n_frames": event.end - event.start,
        "confidence": event.confidence,
        "reason": event.reason,
    }
