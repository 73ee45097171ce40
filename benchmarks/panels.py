"""How fast the App's panels open and answer clicks on a large dataset.

    python -m benchmarks.panels [--short] [--videos N] [--frames N]

5000 videos of 20 frames (428 x 240 pixels, three objects) with evaluations of three
methods, attributes and failures; with `--short` 20 videos of 12 frames. Every event is
handed to the panel as the App's server does: in a new context that loads the dataset
again, with the state that a browser would send, up to the answer as JSON.

Seconds are those on the clock; CPU-seconds are those of this process and of the MongoDB
server together, which on a shared machine say more. "First" is with nothing remembered.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pydash
from fiftyone.operators.executor import ExecutionContext, Executor

from benchmarks.import_scale import about, cpu_seconds, mongod
from benchmarks.many_videos import METHODS, make_dataset
from s3fo.datasets.reading import cache
from s3fo.plugin.panels.audit import GroundTruthAudit
from s3fo.plugin.panels.evaluation import VOSEvaluation
from s3fo.plugin.panels.failures import Failures
from s3fo.plugin.panels.looks.failure_map import FailureMap
from s3fo.plugin.panels.side_by_side import SideBySide
from s3fo.plugin.panels.timeline import ObjectTimeline

OPEN_WITHIN, ANSWER_WITHIN = 2.0, 1.0
"""Seconds that a panel may take to open, and to answer a click."""

_REPEATS = 3


def main() -> None:
    """Make the dataset, measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="20 videos of 12 frames")
    parser.add_argument("--markdown", type=Path, help="also write the table there")
    parser.add_argument("--videos", type=int, help="5000, short: 20")
    parser.add_argument("--frames", type=int, help="of a video; 20, short: 12")
    options = parser.parse_args()
    videos, frames, size = (
        (20, 12, (60, 90)) if options.short else (5000, 20, (240, 428))
    )
    shape = (options.videos or videos, options.frames or frames, size)
    name = f"s3fo-panels-{os.getpid()}"
    with tempfile.TemporaryDirectory(prefix="s3fo-panels-") as folder:
        os.environ["S3FO_CACHE_DIR"] = f"{folder}/cache"
        try:
            dataset = make_dataset(Path(folder), name, *shape)
            lines = report(dataset, measure(dataset))
        finally:
            if fo.dataset_exists(name):
                fo.delete_dataset(name)
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


@dataclass
class Answer:
    """How long a panel took, and what it told the App.

    Attributes:
        panel: its name.
        event: what a person did.
        seconds: on the clock, of each time.
        cpu: seconds of this process and the server, of each time.
        limit: seconds it may take.
        requests: what the App was told to do: operator name -> parameters.
    """

    panel: str
    event: str
    limit: float = ANSWER_WITHIN
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    requests: dict[str, Any] = field(default_factory=dict)


class Visitor:
    """A browser with one panel open, which keeps its state as the App does.

    Args:
        panel: what is looked at.
        dataset: in the App.
        current_sample: id of the video that is open, for modal panels.
    """

    def __init__(
        self, panel: foo.Panel, dataset: fo.Dataset, current_sample: str | None = None
    ) -> None:
        self.panel, self.dataset, self.sample = panel, dataset, current_sample
        self.state: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.layout: dict[str, Any] = {}
        self.answers: dict[str, Answer] = {}
        self.server = mongod()
        self.shown: dict[str, Any] = {}
        """What the grid shows: stages as `view`, the sidebar as `filters`."""

    def choose(self, event: str, name: str, value: Any) -> Answer:
        """Choose from a drop-down or open a tab: the App keeps the value by itself.

        It does so under the name of the line in which the drop-down stands.
        """
        line = pydash.get(self.layout, "choices.type.properties", {})
        path = f"choices.{name}" if name in line else name
        pydash.set_(self.state, path, value)
        method = (line if name in line else self.layout)[name]["on_change"]
        return self.do(event, method.split("#")[-1], path=path, value=value)

    def do(
        self, event: str, method: str, limit: float = ANSWER_WITHIN, **params: Any
    ) -> Answer:
        """Let the panel handle an event."""
        answer = self.answers.setdefault(
            event, Answer(str(self.panel.label), event, limit)
        )
        start, own, theirs = time.time(), time.process_time(), cpu_seconds(self.server)
        executor = Executor()
        request = {
            "dataset_name": self.dataset.name,
            "current_sample": self.sample,
            **self.shown,
            "params": {
                **params,
                "panel_id": "panel",
                "panel_state": json.loads(json.dumps(self.state)),
                "__method__": method,
            },
        }
        with ExecutionContext(request, executor) as context:
            self.panel.execute(context)
        told = json.loads(json.dumps(executor.to_json()))["requests"]
        answer.seconds.append(time.time() - start)
        cpu = time.process_time() - own + cpu_seconds(self.server) - theirs
        answer.cpu.append(cpu)
        answer.requests = {item["operator_uri"]: item["params"] for item in told}
        self._take_in(told)
        return answer

    def _take_in(self, told: list[dict[str, Any]]) -> None:
        for item in told:
            params = item["params"]
            if item["operator_uri"] == "patch_panel_state":
                self._merge(self.state, params["state"])
            elif item["operator_uri"] == "clear_panel_state":
                self.state.clear()
            elif item["operator_uri"] == "patch_panel_data":
                self._merge(self.data, params["data"])
            elif item["operator_uri"] == "show_panel_output":
                self.layout = params["output"]["type"]["properties"]

    @staticmethod
    def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
        for key, value in values.items():
            pydash.set_(into, key, value)


class _Measured(Visitor):
    """A browser whose panel has to do its work: a report of an error costs little.

    Raises:
        RuntimeError: from every event that ends in one.
    """

    def do(
        self, event: str, method: str, limit: float = ANSWER_WITHIN, **params: Any
    ) -> Answer:
        answer = super().do(event, method, limit, **params)
        for name, text in (("trouble", "details"), ("problem", "problem")):
            if name in self.layout:
                told = self.state.get(text)
                raise RuntimeError(f"{self.panel.label}, {event}: {told}")
        return answer


def measure(dataset: fo.Dataset) -> list[Answer]:
    """Do everything a person can do, several times."""
    answers: list[Answer] = []
    for visit in VISITS:
        answers += _repeated(visit, dataset)
    return answers


def _repeated(
    visit: Callable[[fo.Dataset, dict[str, Answer]], None], dataset: fo.Dataset
) -> list[Answer]:
    answers: dict[str, Answer] = {}
    for _ in range(_REPEATS):
        cache.invalidate()
        visit(dataset, answers)
    return list(answers.values())


def _open(
    panel: foo.Panel,
    dataset: fo.Dataset,
    answers: dict[str, Answer],
    current_sample: str | None = None,
) -> _Measured:
    """Open a panel with nothing remembered, and once more."""
    person = _Measured(panel, dataset, current_sample)
    person.answers = answers
    person.do("open, first", "on_load", OPEN_WITHIN)
    person.do("open", "on_load", OPEN_WITHIN)
    return person


def visit_evaluation(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "VOS evaluation"."""
    person = _open(VOSEvaluation(), dataset, answers)
    bar = person.data["by_attribute"][0]["ids"][-1]
    person.do("click an attribute's bar", "on_click_group", id=bar)
    person.choose("choose an attribute", "attribute", bar.split("|")[1])
    person.do("open tab Objects", "on_open_tab", tab="objects")
    bars, counts = (person.data["histogram"][0][name] for name in ("ids", "y"))
    fullest = bars[counts.index(max(counts))]
    person.do("click a bar of the histogram", "on_click_bin", id=fullest)
    dragged = [{"id": b, "y": y} for b, y in zip(bars, counts, strict=True)]
    person.do("drag over the histogram", "on_select_bins", data=dragged)
    points = person.data["scatter"][0]["ids"]
    person.do("click a point", "on_click_point", id=points[0])
    person.do(
        "draw around 300 points",
        "on_select_points",
        data=[{"id": point} for point in points[:300]],
    )
    person.choose("scatter against another attribute", "against", "size")
    person.do("open tab Worst objects", "on_open_tab", tab="worst")
    person.do("click the worst object", "on_click_worst", row=0)
    person.choose("sort by F", "order", "F_mean")
    person.do("open tab Difference", "on_open_tab", tab="difference")
    person.choose("swap the methods", "first", METHODS[0])
    person.choose("leave one method", "methods", [METHODS[1]])


def visit_failures(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "Failures"."""
    person = _open(Failures(), dataset, answers)
    person.do("click a row", "on_click_event", row=5)
    person.do("next", "on_step", at=person.state["at"] + 1)
    looked_at = {"event_id": person.state["event"], "at": person.state["at"]}
    person.do("clip", "on_open", **looked_at)
    person.do("all clips", "on_clips")
    person.do("review, and on to the next", "on_tag", tag="confirmed", **looked_at)
    bar = person.data["costs"][0]["ids"][0]
    person.do("click a bar", "on_click_cost", id=bar)
    person.choose("choose a kind", "kind", "all")
    person.choose("split by size", "split", "size_bucket")
    person.choose("reviewed only", "tag", "confirmed")
    person.choose("reviewed or not", "tag", "all")
    person.choose("other method", "method", METHODS[0])


def visit_timeline(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "Object timeline"."""
    ids = dataset.values("id")
    person = _open(ObjectTimeline(), dataset, answers, ids[0])
    person.sample = ids[-1]
    person.do("next video", "on_change_current_sample", value=ids[-1])
    person.choose("other method", "method", METHODS[0])
    person.do("click a curve", "on_click_frame", x=7)


def visit_side_by_side(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "Side by side" that ask the server."""
    ids = dataset.values("id")
    person = _open(SideBySide(), dataset, answers, ids[0])
    person.sample = ids[-1]
    person.do("next video", "on_change_current_sample", value=ids[-1])
    person.choose("other method", "first", METHODS[2])


def visit_audit(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "Audit of the ground truth"."""
    person = _open(GroundTruthAudit(), dataset, answers)
    person.do("click a row", "on_click_event", row=1)
    looked_at = {"event_id": person.state["event"], "at": person.state["at"]}
    person.do("clip", "on_open", **looked_at)
    person.do("all clips", "on_clips")
    person.do("review, and on to the next", "on_tag", tag="confirmed", **looked_at)
    person.do("click a kind", "on_click_kind", id=person.data["kinds"][0]["ids"][0])


def visit_failure_map(dataset: fo.Dataset, answers: dict[str, Answer]) -> None:
    """All clicks of the panel "Failure map"."""
    person = _open(FailureMap(), dataset, answers)
    points = person.data["map"][0]["ids"]
    person.do("click a failure", "on_click_failure", id=points[0])
    drawn = [{"id": point} for point in points[:300]]
    person.do("draw around 300 failures", "on_select_failures", data=drawn)
    person.choose("colour by cost", "colour", "cost")
    person.choose("other method", "method", METHODS[0])


VISITS = (
    visit_evaluation,
    visit_failures,
    visit_timeline,
    visit_side_by_side,
    visit_audit,
    visit_failure_map,
)
"""What every panel is asked."""


def report(dataset: fo.Dataset, answers: list[Answer]) -> list[str]:
    """The measurements as lines of Markdown."""
    frames = dataset.count("frames")
    lines = [
        f"{len(dataset)} videos, {frames} frames, {len(METHODS)} methods. {about()}",
        "",
        "| panel | event | seconds | CPU-seconds | at most |",
        "|---|---|---|---|---|",
    ]
    for item in answers:
        seconds, cpu = (
            _median(times, item.limit) for times in (item.seconds, item.cpu)
        )
        lines.append(
            f"| {item.panel} | {item.event} | {seconds} | {cpu} | {item.limit:.0f} |"
        )
    return lines


def _median(times: list[float], limit: float) -> str:
    """In seconds, marked if it is beyond the limit."""
    median = sorted(times)[len(times) // 2]
    return f"{median:.2f}" + (" (late)" if median > limit else "")


if __name__ == "__main__":
    main()
