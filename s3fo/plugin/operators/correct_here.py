"""Operator: correct a failure at its onset, segment on from there, and compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import fiftyone as fo
import numpy as np
import pandas as pd
from fiftyone import ViewField
from fiftyone.operators import types

from evaluation._utils.progress import ProgressCallback
from evaluation.corrections import regained
from evaluation.errors import InputError
from s3fo.benchmarks import Benchmark, VideoSequence
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.plugin.context import Context, take_stage_params
from s3fo.plugin.panels.opening import plan_frame, show_frame
from s3fo.plugin.shared.base import VOSOperator
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.forms import (
    ask_choice,
    ask_method_name,
    known_failures,
    own_folder,
)
from s3fo.plugin.shared.method_form import ask_options, given_options
from s3fo.plugin.shared.outcome import PLUGIN, Step, Summary
from s3fo.plugin.shared.prompts import prompt_fields, read_frame_masks

if TYPE_CHECKING:
    from s3fo.inference import AnyMethod, MethodInfo

_MOST = 200
"""Failures to choose from, the costliest."""


class CorrectHere(VOSOperator):
    """Give a method the right mask where a failure begins, and segment again."""

    name = "correct_here"
    label = "Correct here"
    description = "Correct a failure where it begins, segment on from there, compare"
    risk = "high"

    def fields(self, ctx: Context, form: types.Object) -> None:
        """Which failure, by which mask, with which method."""
        from s3fo.datasets import load_benchmark_info

        key = _evaluation(ctx)
        self._ask_failure(ctx, form, key)
        ask_choice(
            form,
            "mask_field",
            {name: _field_title(name) for name in prompt_fields(ctx.dataset)},
            label="Right mask",
            description="Field to take the object's mask in that frame from. In a "
            "field of your own it is the only label of the frame, or the one with the "
            "object's index",
            default=GROUND_TRUTH,
        )
        methods = _methods()
        default = _recorded(ctx.dataset, key, methods)
        ask_choice(
            form,
            "method",
            {name: info.title for name, info in methods.items()},
            label="Method",
            description="Segments the video again; at first the one that made the "
            "masks, where that is known",
            default=default,
        )
        ask_method_name(ctx, form, default=_corrected_name(ctx.dataset, key))
        info = methods.get(ctx.params.get("method") or default)
        if info is not None:
            ask_options(ctx, form, load_benchmark_info(ctx.dataset), info)

    def _ask_failure(self, ctx: Context, form: types.Object, key: str) -> None:
        known = known_failures(ctx.dataset)
        ask_choice(
            form,
            "eval_key",
            {name: name for name in known},
            label="Evaluation",
            description="Whose failures",
            default=key,
        )
        events = _events(ctx, key)
        ask_choice(
            form,
            "event",
            {str(row["id"]): _describe(row) for row in _rows(events.head(_MOST))},
            label="Failure",
            description="The costliest first; it is corrected in its first frame",
            default=str(_event(ctx, key)["id"]),
        )

    def work(self, ctx: Context, progress: ProgressCallback) -> Summary:
        """Segment the video again, import its masks and score them."""
        from s3fo.datasets import add_predictions, evaluate, load_benchmark_info
        from s3fo.datasets.reading import tables

        key = _evaluation(ctx)
        event, benchmark = _event(ctx, key), load_benchmark_info(ctx.dataset)
        sequence = benchmark[event["sequence"]]
        frame = sequence.frames[int(event["start"]) - 1]
        name = ctx.params.get("name") or _corrected_name(ctx.dataset, key)
        protocol = tables.evaluation_protocol(ctx.dataset, key)
        place = sequence, frame, int(event["object"])
        folder = self._segment(ctx, benchmark, place, name, progress)
        add_predictions(ctx.dataset, folder, name)
        after = evaluate(
            ctx.dataset,
            name,
            protocol=protocol,
            sequences=[sequence.name],
            options=tables.input_options(ctx.dataset, key),
        )
        before = tables.object_scores(ctx.dataset, key)
        regain = regained(before, after.objects)
        _note_regain(ctx.dataset, key, event, regain)
        metric = protocol.object_metric
        return {
            "failure": _describe(event),
            "corrected in frame": frame,
            f"{metric} of the object before": _of(before.objects, event, metric),
            f"{metric} of the object after": _of(after.objects, event, metric),
            "cost of the failure, points": 100 * float(event["cost"]),
            "regained, points": 100 * regain,
            "predictions": name,
            "results": str(folder),
        }

    def _segment(
        self,
        ctx: Context,
        benchmark: Benchmark,
        place: tuple[VideoSequence, str, int],
        name: str,
        progress: ProgressCallback,
    ) -> Path:
        """Segment a video from the corrected frame on.

        Args:
            ctx: with the form.
            benchmark: of the dataset.
            place: video, frame and object to correct.
            name: of the new predictions.
            progress: of the method.

        Returns:
            The folder of masks.

        Raises:
            InputError: the method has failed.
        """
        from s3fo.datasets.reading import tables
        from s3fo.inference import correct_at

        sequence, frame, number = place
        key = _evaluation(ctx)
        field = ctx.params.get("mask_field") or GROUND_TRUTH
        drawn = field != GROUND_TRUTH
        run = correct_at(
            benchmark,
            own_folder(ctx) / name,
            {sequence.name: {frame: [number]}},
            method=_method(ctx, key),
            masks=_Drawn(ctx.dataset, field, sequence, number) if drawn else None,
            protocol=tables.evaluation_protocol(ctx.dataset, key),
            overwrite=True,
            progress=progress,
        )
        for reason in run.failures.values():
            raise InputError(
                sequence.name,
                reason,
                "masks of every frame",
                "Choose another method or other settings.",
            )
        return run.out

    def next_steps(self, ctx: Context, summary: Summary) -> Sequence[Step]:
        """Look at the masks before and after, at the corrected frame."""
        key, name = _evaluation(ctx), str(summary["predictions"])
        event = str(_event(ctx, key)["id"])
        params = {"eval_key": key, "event": event, "corrected": name}
        return [Step("See before and after", f"{PLUGIN}/show_correction", params)]


class ShowCorrection(DescribedOperator):
    """Show the masks before and after a correction: for the button of its result."""

    name = "show_correction"
    label = "Show a correction"
    settings: ClassVar = {"unlisted": True, "icon": None}

    def resolve_input(self, ctx: Context) -> types.Property:
        """Which failure, and which evaluation has the corrected masks."""
        form = types.Object()
        form.str("eval_key", label="Evaluation", required=True)
        form.str("event", label="Id of the failure's label", required=True)
        form.str("corrected", label="Evaluation of the corrected masks", required=True)
        return types.Property(form)

    def execute(self, ctx: Context) -> dict[str, str]:
        """Open the video at the corrected frame, with both masks of the object."""
        take_stage_params(ctx)
        key, corrected = ctx.params["eval_key"], ctx.params["corrected"]
        events = _events(ctx, key)
        event = events[events["id"].astype(str) == str(ctx.params["event"])].iloc[0]
        plan = plan_frame(
            ctx.dataset,
            event["sample_id"],
            int(event["start"]),
            [key, corrected],
            object_id=int(event["object"]),
            active=ctx.active_fields,
        )
        ctx.trigger(f"{PLUGIN}/close_result")
        show_frame(ctx, plan)
        return {"eval_key": key, "corrected": corrected}


class _Drawn:
    """The mask of an object that somebody put into a field of the dataset."""

    def __init__(
        self, dataset: fo.Dataset, field: str, sequence: VideoSequence, object_id: int
    ) -> None:
        self._dataset, self._field = dataset, field
        self._sequence, self._object = sequence, object_id

    def __call__(self, sequence: str, frame: str) -> Mapping[int, np.ndarray]:
        sample = self._dataset.one(ViewField("sequence") == sequence)
        found = read_frame_masks(sample.frames, self._field, self._sequence, frame)
        own = found.get(self._object)
        if own is None and len(found) == 1:  # drawn in the App, a label has no index
            own = next(iter(found.values()))
        if own is None:
            raise InputError(
                f"frames.{self._field}, {sequence}, frame {frame}",
                f"{len(found)} labels, none with the index {self._object}"
                if found
                else "no label",
                "the object's mask: the only label of the frame, or one of its index",
                "Draw it there, or choose the ground truth as the right mask.",
            )
        return {self._object: own}


def _note_regain(
    dataset: fo.Dataset, key: str, event: Mapping[str, Any], regain: float
) -> None:
    """Keep what a failure regains beside its cost, on its label."""
    field = f"{key}_failures"
    path = f"{field}.detections.regain"
    if not dataset.has_field(path):
        dataset.add_sample_field(path, fo.FloatField)
    sample = dataset[event["sample_id"]]
    for label in sample[field].detections:
        if label.id == str(event["id"]):
            label["regain"] = regain
    sample.save()


def _evaluation(ctx: Context) -> str:
    known = known_failures(ctx.dataset)
    given = ctx.params.get("eval_key")
    return given if given in known else known[-1]


def _events(ctx: Context, key: str) -> pd.DataFrame:
    """Failures of an evaluation, the costliest first.

    Raises:
        InputError: there is none.
    """
    from s3fo.datasets.reading.tables import event_table

    events = event_table(ctx.dataset, key)
    if not len(events):
        raise InputError(
            f"evaluation {key}",
            "no failures",
            "at least one failure to correct",
            "Choose another evaluation.",
        )
    return events


def _event(ctx: Context, key: str) -> dict[str, Any]:
    """The failure that was chosen; the costliest where none was.

    Raises:
        InputError: there is no such failure.
    """
    events = _events(ctx, key)
    given = ctx.params.get("event")
    ids = [str(one) for one in events["id"]]
    if given and given not in ids and ctx.params.get("eval_key") == key:
        raise InputError(
            f"failure {given}",
            f"no such failure of {key}",
            "the id of one of its labels in the field of failures",
            "Choose one from the list.",
        )
    return _rows(events)[ids.index(given) if given in ids else 0]


def _rows(events: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in events.to_dict("records")]


def _describe(event: Mapping[str, Any]) -> str:
    return (
        f"{event['sequence']}, object {event['object']}: {event['kind']}, frames "
        f"{event['start']} to {event['end']}, {100 * event['cost']:.2f} points"
    )


def _field_title(name: str) -> str:
    return "Ground truth" if name == GROUND_TRUTH else f"frames.{name}"


def _of(objects: pd.DataFrame, event: Mapping[str, Any], metric: str) -> float:
    """The score of the object that an event is of."""
    own = (objects["sequence"] == event["sequence"]) & (
        objects["object"] == event["object"]
    )
    return float(objects.loc[own, metric].iloc[0])


def _corrected_name(dataset: fo.Dataset, key: str) -> str:
    from s3fo.datasets.reading.tables import prediction_field

    return f"{prediction_field(dataset, key)}_corrected"


def _methods() -> dict[str, MethodInfo]:
    """Methods that are installed and go frame by frame."""
    from s3fo.inference import list_methods

    return {
        info.name: info
        for info in list_methods()
        if info.installed and info.name != "command"
    }


def _recorded(dataset: fo.Dataset, key: str, methods: Mapping[str, MethodInfo]) -> str:
    """The method that made the masks of an evaluation; S3 where nothing tells."""
    from evaluation.runs import read_run
    from s3fo.datasets import load_predictions_info
    from s3fo.datasets.reading.tables import prediction_field

    source = load_predictions_info(dataset).get(prediction_field(dataset, key))
    if source is not None and source.folder.is_dir():
        made_by = read_run(source.folder).method
        if made_by in methods:
            return made_by
    return "s3" if "s3" in methods else next(iter(methods))


def _method(ctx: Context, key: str) -> AnyMethod:
    """The method with its settings."""
    from s3fo.inference import build_method
    from s3fo.inference.methods.registry import find_method

    name = ctx.params.get("method") or _recorded(ctx.dataset, key, _methods())
    info = find_method(name)
    return build_method(info.name, **given_options(ctx, info))
