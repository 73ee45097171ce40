"""Every operator, called by an agent: through FiftyOne's MCP server, over its pipes."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
import yaml
from operator_runs import folder
from small_benchmark import own_name

import s3fo
from s3fo.plugin.install import FOLDER

mcp = pytest.importorskip("mcp", reason="pip install fiftyone-mcp-server")
pytest.importorskip("fiftyone_mcp", reason="pip install fiftyone-mcp-server")

Call = Callable[..., dict[str, Any]]


async def _talk(calls: queue.SimpleQueue, folder: Path) -> None:
    """Start a server, ask it what is queued until None comes, and stop it.

    Args:
        calls: tool, arguments, and where the answer goes.
        folder: for what operators write of their own accord.
    """
    from mcp.client.stdio import stdio_client

    command = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "fiftyone_mcp.server"],
        env={**os.environ, "FIFTYONE_DEFAULT_DATASET_DIR": str(folder)},
    )
    async with (
        stdio_client(command) as pipes,
        mcp.ClientSession(*pipes) as session,
    ):
        await session.initialize()
        while (asked := await asyncio.to_thread(calls.get)) is not None:
            tool, arguments, answer = asked
            try:
                answer.set_result(await session.call_tool(tool, arguments))
            except Exception as error:
                answer.set_exception(error)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Call]:
    """Calls a tool of a running server; its answer, read from JSON."""
    from s3fo.plugin import install

    install()
    calls: queue.SimpleQueue = queue.SimpleQueue()
    own = tmp_path_factory.mktemp("own")
    talk = lambda: asyncio.run(_talk(calls, own))  # noqa: E731
    thread = threading.Thread(target=talk, daemon=True)
    thread.start()

    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        answer: Future = Future()
        calls.put((tool, arguments, answer))
        return dict(json.loads(answer.result(timeout=300).content[0].text))

    yield call
    calls.put(None)
    thread.join(timeout=30)


@pytest.fixture
def operator(server, dataset) -> Call:
    """Calls one of our operators; its result, or the text of its error."""

    def call(operator: str, /, of: fo.Dataset = dataset, **params: Any) -> Any:
        uri = f"@s3fo/vos/{operator}"
        answer = server(
            "execute_operator", operator_uri=uri, params=params, dataset_name=of.name
        )
        if not answer["success"]:
            return answer["error"]
        return answer["data"]["result"]

    return call


@pytest.mark.slow
def test_an_agent_goes_from_masks_to_a_report(operator, dataset, results, tmp_path):
    done = operator("import_predictions", results=folder(results))
    assert (done["predictions"], done["sequences"]) == ("shifted", 2)

    for name in ("run_method", "run_s3"):
        made = operator(name, method="copy", name=name, out=folder(tmp_path))
        assert (made["predictions"], made["videos"]) == (name, 2)

    scores = operator("evaluate_vos", predictions="shifted")
    dataset.reload()  # Another process has changed it.
    again = s3fo.evaluate(dataset, "shifted", "again", workers=1)
    assert scores["J&F"] == pytest.approx(again.summary["J&F"])
    assert scores["objects"] == 3

    assert operator("compute_attributes")["objects"] == 3
    failures = operator("find_failures", eval_key="shifted", error_maps=False)
    assert failures["evaluation"] == "shifted" and failures["events"] >= 1
    fixed = operator("correct_here", eval_key="shifted", method="copy", name="fixed")
    assert "fixed" in fixed.values()
    dataset.reload()
    event = dataset.values("shifted_failures.detections.id", unwind=True)[0]
    shown = {"eval_key": "shifted", "corrected": "fixed"}
    assert operator("show_correction", event=str(event), **shown) == shown
    for name, metric in (("mean_jf", "J&F"), ("mean_j", "J"), ("mean_f", "F")):
        told = operator(name, eval_key="shifted")
        assert told[metric] == again.summary[metric] and told["objects"] == 3
    for name in ("mean_jf_adaptive", "mean_f_adaptive"):
        assert None in operator(name).values()  # DAVIS does not have it.

    audited = operator("audit_ground_truth", images=False)
    assert (audited["events"], audited["object frames"]) == (0, 22)
    dataset.reload()
    assert "Audit" in dataset.list_workspaces()

    told = operator("map_failures", eval_key="shifted", features="colour")
    assert told["failures"] == failures["events"]
    shown = operator("show_failure_map", eval_key="shifted")
    assert shown == {key: told[key] for key in ("saved view", "brain key")}
    asked = {"sequence": "pair", "eval_keys": ["shifted"], "start": 3, "count": 2}
    masks = operator("masks_of_frames", **asked)["masks"]
    assert [len(masks[name]) for name in ("ground truth", "shifted")] == [2, 2]
    drawn = operator("show_worst_frames", eval_key="shifted")
    assert drawn["thumbnails"] == 2
    dataset.reload()
    assert drawn["media field"] in dataset.app_config.media_fields

    report = operator("make_report", predictions="shifted", out=folder(tmp_path / "r"))
    assert Path(report["page"]).is_file()
    assert report["not compared, for want of videos"] == "fixed"

    assert operator("open_workspace", workspace="Failures") == {"workspace": "Failures"}
    told = operator("show_changes")
    assert told["methods"].split(", ") == ["shifted", "run_method", "run_s3", "fixed"]
    assert "@s3fo/vos/evaluate_vos" in operator("menu")
    assert operator("restore_colours") is None  # It only tells an App.
    assert operator("relocate")["still missing"] == "nothing"

    assert operator("remove_evaluation", eval_key="again", confirm=True) == {
        "removed": "again",
        "predictions, which stay": "shifted",
    }
    gone = operator("remove_predictions", predictions="shifted", confirm=True)
    assert gone["evaluations removed"] == "shifted"
    assert operator("show_changes")["methods"] == "run_method, run_s3, fixed"


@pytest.mark.slow
def test_an_agent_runs_the_pipeline(operator, dataset, tmp_path):
    """FiftyOne's pipelines return nothing: what they did is in the dataset."""
    done = operator("benchmark_method", method="copy", out=str(tmp_path))
    assert done is None
    assert operator("mean_jf")["evaluation"] == "copy"
    assert (tmp_path / "report-copy" / "report.html").is_file()


def test_an_agent_loads_a_benchmark(operator, benchmark):
    name = own_name("by-agent")
    try:
        done = operator(
            "load_benchmark",
            benchmark="davis-2017",
            root=folder(benchmark.root),
            split="val",
            dataset_name=name,
            video="none",
        )
        assert (done["dataset"], done["sequences"], done["objects"]) == (name, 2, 3)
    finally:
        fo.delete_dataset(name)


def test_an_agent_packs_a_submission(operator, benchmark, results, tmp_path):
    hidden = replace(benchmark, name="mose-v1", split="val")
    dataset = s3fo.load_benchmark(hidden, dataset_name=own_name("hidden-by-agent"))
    try:
        s3fo.add_predictions(dataset, results, "shifted")
        done = operator("export_submission", of=dataset, out=folder(tmp_path / "zip"))
        assert Path(done["zip"]).is_file() and done["masks"] == 14
    finally:
        dataset.delete()


def test_an_agent_is_told_what_is_wrong(operator, dataset):
    assert "no predictions" in operator("evaluate_vos")
    assert "no evaluation" in operator("find_failures")


def test_every_operator_has_a_schema_that_an_agent_can_read(server, predicted):
    s3fo.evaluate(predicted, "shifted", workers=1)
    listed = server("list_operators", builtin_only=False, operator_type="operator")
    ours = [
        item
        for item in listed["data"]["operators"]
        if item["uri"].startswith("@s3fo/vos/")
    ]
    assert {item["uri"] for item in ours} == {
        item.uri
        for item in foo.list_operators(type="operator")
        if item.uri.startswith("@s3fo/vos/")
    }
    for item in ours:
        assert item["description"], item["uri"]
        answer = server(
            "get_operator_schema",
            operator_uri=item["uri"],
            dataset_name=predicted.name,
        )
        assert answer["success"], answer
        fields = answer["data"]["input_schema"].get("type", {}).get("properties", {})
        for name, told in fields.items():
            if told["type"]["name"] in ("String", "Enum", "Number", "Boolean"):
                assert told["view"].get("label"), f"{item['uri']}: {name}"


TESTED = {
    "import_predictions", "run_method", "run_s3", "evaluate_vos", "compute_attributes",
    "find_failures", "correct_here", "show_correction", "audit_ground_truth",
    "show_worst_frames", "map_failures", "show_failure_map", "masks_of_frames",
    "make_report",
    "open_workspace", "show_changes",
    "menu", "restore_colours", "relocate", "load_benchmark", "export_submission",
    "benchmark_method", "remove_predictions", "remove_evaluation",
    "mean_jf", "mean_j", "mean_f", "mean_jf_adaptive", "mean_f_adaptive",
}  # fmt: skip


def test_no_operator_is_left_out():
    manifest = yaml.safe_load((FOLDER / "fiftyone.yml").read_text())
    assert set(manifest["operators"]) == TESTED
