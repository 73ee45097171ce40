"""The demo as a newcomer meets it: two commands, in two folders, every method.

`s3fo demo` runs in one working directory, `s3fo app s3fo-demo` in another; every check
is made for each method, and no test needs another one.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import fiftyone as fo
import pytest

from s3fo.datasets.reading import frame_table, tables

browser = pytest.importorskip("browser", reason="needs playwright")

pytestmark = [
    pytest.mark.app,
    pytest.mark.skipif(not browser.chromium(), reason="needs Chromium"),
]

METHODS = ("copy", "flow", "s3")
NAME = "s3fo-demo"
LAYOUT = "Evaluation"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[fo.Dataset]:
    """What `make demo` makes, with its relative paths."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run(browser.command("demo"), cwd=folder, check=True, capture_output=True)
    dataset = fo.load_dataset(NAME)
    yield dataset
    dataset.delete()


def open_failures(page, demo, method: str):
    browser.set_spaces(page, demo.load_workspace("Failures"))
    page.get_by_role("button", name="Next", exact=True).wait_for()
    if method != "s3":
        browser.choose(page, "s3", method)
    events = tables.event_table(demo, method)
    page.get_by_text(re.compile(f"^1 of {len(events)}:")).wait_for()
    return events


def open_worst(page, demo, method: str):
    """Open the worst object of a method at its worst frame; return its row."""
    page.get_by_role("button", name="Worst objects").click()
    page.get_by_text("Click a row").wait_for()
    if method != "s3":
        browser.choose(page, "s3", method)
    worst = tables.object_scores(demo, method).objects.sort_values("J&F").iloc[0]
    row = page.get_by_role("table").last.get_by_role("row").nth(1)
    for text in (worst["sequence"], f"{worst['J&F']:.3f}"):
        browser.expect(row).to_contain_text(text, timeout=browser.PATIENCE)
    place = (demo, method, worst["sample_id"], int(worst["object"]))
    frame = frame_table.worst_frame(*place)
    browser.open_video_at(page, row.click, seconds(frame))
    return worst


def seconds(frame: int) -> float:
    return (frame - 1) / 24


def sidebar(page) -> str:
    return page.locator('[data-cy="modal"]').inner_text()


def test_the_app_opens_on_the_scores_of_every_method(page, demo):
    page.get_by_text("mean over all objects").wait_for()
    shown = page.inner_text("body")
    for method in METHODS:
        assert f"{tables.summary(demo, method)['J&F']:.3f}" in shown, method
    browser.keep_picture(page, "demo-evaluation")


@pytest.mark.parametrize("method", METHODS)
def test_the_worst_object_opens_with_its_methods_masks_and_curves(page, demo, method):
    worst = open_worst(page, demo, method)
    own = demo[worst["sample_id"]].frames
    labels = [d.index for f in own.values() for d in f[method].detections]
    alone, everything = labels.count(worst["object"]), len(labels)
    told = rf"frames\.{method}\s+{alone} of {everything}\s"
    assert re.search(told, sidebar(page)), "not this object alone"
    browser.keep_picture(page, f"demo-worst-{method}")

    page.get_by_text("Object timeline").first.click()
    page.get_by_text(f"Object {worst['object']}, which was opened").wait_for()
    panel = page.locator('[data-cy="panel-content-vos_timeline"]')
    browser.expect(panel.get_by_role("combobox")).to_contain_text(method)
    browser.keep_picture(page, f"demo-timeline-{method}")

    browser.run(page, "close_sample")
    browser.wait_for_videos(page, demo.values("sequence"))
    # The App opens the next video on the tab that was open last.
    place = (demo, method, worst["sample_id"], int(worst["object"]))
    row = page.get_by_role("table").last.get_by_role("row").nth(1)
    frame = frame_table.worst_frame(*place)
    browser.open_video_at(page, row.click, seconds(frame))


@pytest.mark.parametrize("method", METHODS)
def test_a_failure_is_seen_watched_reviewed_and_undone(page, demo, method):
    events = open_failures(page, demo, method)
    first = events.iloc[0]
    page.locator("img[src^='data:image/jpeg']").first.wait_for()
    assert "Errno" not in page.inner_text("body")
    clip = page.get_by_role("button", name="Clip", exact=True)
    browser.open_video_at(page, clip.click, seconds(first["start"]))
    browser.keep_picture(page, f"demo-clip-{method}")
    own = demo[first["sample_id"]].frames
    labels = [d.index for f in own.values() for d in f[method].detections]
    alone, everything = labels.count(first["object"]), len(labels)
    told = rf"frames\.{method}\s+{alone} of {everything}\s"
    assert re.search(told, sidebar(page)), "not the object that fails alone"
    page.get_by_text("Object timeline").first.click()
    page.get_by_text(f"Object {first['object']}, which was opened").wait_for()
    browser.run(page, "close_sample")
    browser.wait_for_videos(page, demo.values("sequence"))

    page.get_by_role("button", name="Confirmed").click()
    page.get_by_text(re.compile(f"^2 of {len(events)}:")).wait_for()
    assert tags(demo, method, first["id"]) == ["confirmed"]
    page.get_by_role("button", name="Undo").click()
    page.get_by_text(re.compile(f"^1 of {len(events)}:")).wait_for()
    assert tags(demo, method, first["id"]) == []


def tags(demo, method: str, event_id: str) -> list[str]:
    demo.reload()
    events = tables.event_table(demo, method)
    return events[events["id"] == event_id]["tags"].iloc[0]


@pytest.mark.parametrize("method", METHODS)
def test_all_clips_and_back_to_all_videos(page, demo, method):
    events = open_failures(page, demo, method)
    page.get_by_role("button", name="All clips").click()
    page.get_by_text(f"{len(events)} clips").first.wait_for()
    first = events.iloc[0]
    cost = f"{first['kind']}, {100 * first['cost']:.1f} points"
    page.get_by_text(cost).first.wait_for()
    page.get_by_role("button", name="All videos").click()
    browser.wait_for_videos(page, demo.values("sequence"))
    # The groups of the sidebar have their fields again.
    for other in METHODS:
        page.get_by_text(f"{other}_JF", exact=True).first.wait_for()
    browser.keep_picture(page, f"demo-back-{method}")


def requests_of_evaluation(page) -> list[int]:
    """Sizes of the requests of the panel from now on."""
    asked = []

    def count(request) -> None:
        if "operators/execute" in request.url and "vos_evaluation" in (
            request.post_data or ""
        ):
            asked.append(len(request.post_data))

    page.on("request", count)
    return asked


def test_a_panel_follows_the_grid_with_one_request(page, demo):
    browser.choose(page, "all videos", "what the grid shows")
    page.get_by_text("Of 12 of 12 objects").wait_for()
    page.wait_for_timeout(1_500)
    asked = requests_of_evaluation(page)
    view = demo.select(demo.first().id)
    browser.run(page, "set_view", view=view._serialize())
    page.get_by_text("of 12 objects, in 1 video").wait_for()
    page.wait_for_timeout(1_500)
    assert len(asked) == 1
    browser.run(page, "clear_view")
    page.get_by_text("Of 12 of 12 objects").wait_for()
    page.wait_for_timeout(1_500)
    assert len(asked) == 2


def test_the_wheel_scrolls_and_a_page_takes_one_request(page, demo):
    drawn = page.locator(".js-plotly-plot").first
    drawn.locator(".main-svg").first.wait_for()
    box = drawn.bounding_box()
    limits = "chart => chart._fullLayout.xaxis.range"
    before = drawn.evaluate(limits)
    # Below the chart's legend, and inside the window.
    page.mouse.move(box["x"] + box["width"] / 2, min(box["y"] + 120, 880))
    page.mouse.wheel(0, 300)
    page.wait_for_timeout(1_000)
    assert drawn.bounding_box()["y"] < box["y"] - 50, "the panel did not scroll"
    assert drawn.evaluate(limits) == before

    # A page, a choice: one request each, and none for drop-downs that appear.
    asked = requests_of_evaluation(page)
    page.get_by_role("button", name="Objects", exact=True).click()
    page.get_by_text("drag over bars").wait_for()
    page.wait_for_timeout(1_500)
    assert len(asked) == 1 and asked[0] < 100_000
    browser.choose_attribute(page, "Size")
    page.wait_for_timeout(1_500)
    assert len(asked) == 2 and asked[1] < 100_000


def test_a_drag_over_the_histogram_shows_those_videos(page, demo):
    page.get_by_role("button", name="Objects", exact=True).click()
    page.get_by_text("drag over bars").wait_for()
    objects = tables.object_scores(demo, "s3").objects
    low = objects[objects["J&F"] < 0.8]
    start, end = (browser.in_chart(page, 0, x, 0.5) for x in (0.41, 0.79))
    browser.drag(page, start, end)
    assert len(low)
    page.get_by_text(re.compile(r"objects in \d videos")).wait_for()
