"""The panels as a person uses them: find what hurts, open the worst, judge a failure.

Every test goes on where the one before left the App.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import fiftyone as fo
import pytest
from three_videos import three_videos

import s3fo
from s3fo.datasets import tables

browser = pytest.importorskip("browser", reason="needs playwright")

pytestmark = [
    pytest.mark.app,
    pytest.mark.skipif(not browser.chromium(), reason="needs Chromium"),
]

METHODS = ("copy", "flow")


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[fo.Dataset]:
    """Three synthetic videos, two methods, attributes and failures."""
    with three_videos(tmp_path_factory.mktemp("demo"), "panels", METHODS) as dataset:
        attributes = s3fo.datasets.compute_attributes(dataset)
        for method in METHODS:
            s3fo.datasets.find_failures(
                dataset, method, attributes=attributes, error_maps=False
            )
        yield dataset


@pytest.fixture(scope="module")
def app(demo):
    with browser.open_app(demo, "Evaluation") as (session, page):
        yield session, page


def test_a_click_on_an_attributes_bar_shows_its_videos(app, demo):
    _, page = app
    page.get_by_text("hurts flow most").wait_for()
    browser.wait_for_videos(page, demo.values("sequence"))
    shown = page.inner_text("body")
    for method in METHODS:
        mean = demo.mean(f"{method}_objects.detections.JF")
        assert f"{mean:.3f}" in shown, method
    browser.keep_picture(page, "panel-attributes")

    # In one video only does an object come back; * says that such objects are few.
    left, top = browser.in_chart(page, 0, 0, "Reappearances: 1 *")
    browser.click(page, left + 15, top - 6)
    browser.wait_for_videos(page, ["away-and-back"])


def test_a_drag_over_the_histogram_shows_those_objects(app, demo):
    _, page = app
    page.get_by_role("tab", name="Objects", exact=True).click()
    page.get_by_text("drag over bars").wait_for()
    scores = tables.object_scores(demo, "flow").objects
    inside = scores[scores["J&F"].between(0.4, 0.5)]
    assert set(inside["sequence"]) == {"near-and-far"}
    start, end = (browser.in_chart(page, 0, x, 0.5) for x in (0.41, 0.49))
    browser.drag(page, start, end)
    browser.wait_for_videos(page, ["near-and-far"])
    browser.keep_picture(page, "panel-objects")


def test_the_worst_object_opens_alone_at_its_worst_frame(app, demo):
    _, page = app
    page.get_by_role("tab", name="Worst objects").click()
    page.get_by_text("Click a row").wait_for()
    worst = tables.object_scores(demo, "flow").objects.sort_values("J&F").iloc[0]
    row = page.get_by_role("row").filter(has_text=f"{worst['J&F']:.3f}").last
    assert worst["sequence"] in row.inner_text()
    browser.keep_picture(page, "panel-worst")

    time = browser.open_clip(page, row)
    browser.keep_picture(page, "panel-worst-open")
    frame, later = worst_frame(demo, "flow", worst)
    seconds = float(time.split(" / ")[0].split(":")[1])
    assert seconds == pytest.approx((frame - 1) / 24, abs=0.02)
    sidebar = page.locator('[data-cy="modal"]').inner_text()
    assert re.search(rf"frames\.flow\s+{later}\s", sidebar), "more than one object"


def worst_frame(dataset: fo.Dataset, method: str, worst) -> tuple[int, int]:
    """Number of an object's worst frame, from 1, and of its labels from there on."""
    means, numbers = {}, []
    for number, frame in dataset[worst["sample_id"]].frames.items():
        for label in frame[method].detections:
            if label.index == worst["object"]:
                numbers.append(number)
                if label.get_field("J") is not None:
                    means[number] = label.J + label.F
    lowest = min(means, key=means.__getitem__)
    return lowest, sum(number >= lowest for number in numbers)


def test_the_timeline_shows_every_frame_of_the_video(app, demo):
    _, page = app
    page.get_by_text("Object timeline").first.click()
    page.get_by_text("Lowest: object").wait_for()
    browser.in_chart(page, -1, 20, 0)
    browser.keep_picture(page, "panel-timeline")
    browser.close_video(page)


def test_two_methods_are_held_against_each_other(app, demo):
    _, page = app
    page.get_by_role("tab", name="Difference").click()
    page.get_by_text("is better on").wait_for()
    flow, copy = (
        demo.mean(f"{name}_objects.detections.JF") for name in ("flow", "copy")
    )
    assert f"copy - flow: {copy - flow:+.3f}" in page.inner_text("body")
    browser.keep_picture(page, "panel-difference")


def test_a_failure_is_stepped_to_and_judged(app, demo):
    _, page = app
    events = tables.event_table(demo, "flow")
    browser.choose_workspace(page, "Failures")
    wait_for_event(page, 1, len(events))
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_event(page, 2, len(events))
    page.get_by_role("button", name="Label error").click()
    wait_for_event(page, 3, len(events))
    page.get_by_role("cell", name="label error").wait_for()
    assert page.locator("img[src^='data:image/jpeg']").count() == 1
    browser.keep_picture(page, "panel-failures")
    demo.reload()
    assert tables.event_table(demo, "flow")["tags"].iloc[1] == ["label error"]
    assert "flow label error" in demo.list_saved_views()


def test_a_kind_stays_chosen_while_one_steps_on(app, demo):
    _, page = app
    leaks = int((tables.event_table(demo, "flow")["kind"] == "leak").sum())
    page.get_by_text("all kinds").click()
    page.get_by_role("option", name="leak", exact=True).click()
    wait_for_event(page, 1, leaks)
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_event(page, 2, leaks)
    browser.keep_picture(page, "panel-failures-leaks")


def wait_for_event(page, number: int, count: int) -> None:
    """Until the panel shows an event, of so many."""
    page.get_by_text(re.compile(rf"^{number} of {count}:")).wait_for()
