"""The panels as a person uses them: find what hurts, open the worst, review a failure.

The tests share the dataset and the App's server; every one opens a new page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import fiftyone as fo
import pandas as pd
import pytest
from three_videos import three_videos

import s3fo
from evaluation.audit import Audit
from s3fo.datasets.auditing.events import write_audit
from s3fo.datasets.reading import tables
from s3fo.datasets.views.appearance import apply_defaults

browser = pytest.importorskip("browser", reason="needs playwright")

pytestmark = [
    pytest.mark.app,
    pytest.mark.skipif(not browser.chromium(), reason="needs Chromium"),
]

METHODS = ("copy", "flow")
LAYOUT = "Evaluation"


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Iterator[fo.Dataset]:
    """Three synthetic videos, two methods, attributes and failures."""
    with three_videos(tmp_path_factory.mktemp("demo"), "panels", METHODS) as dataset:
        attributes = s3fo.datasets.compute_attributes(dataset)
        for method in METHODS:
            s3fo.datasets.find_failures(
                dataset, method, attributes=attributes, error_maps=False
            )
        write_audit(dataset, two_events(dataset))
        apply_defaults(dataset)
        yield dataset


def two_events(dataset: fo.Dataset) -> Audit:
    """An audit by hand: frames 3 to 5, and 7, of the first video's object 1."""
    (video, *_) = s3fo.datasets.load_benchmark_info(dataset)
    rows = [
        (
            0,
            video.name,
            1,
            "jump",
            0,
            video.frames[2],
            video.frames[4],
            0.9,
            "it jumps",
        ),
        (
            1,
            video.name,
            1,
            "specks",
            0,
            video.frames[6],
            video.frames[6],
            0.6,
            "specks",
        ),
    ]
    columns = ["event", "sequence", "object", "kind", "other", "start", "end"]
    columns += ["confidence", "reason"]
    return Audit(pd.DataFrame(), pd.DataFrame(rows, columns=columns), 240)


def test_a_click_on_an_attributes_bar_shows_its_videos(page, demo):
    page.get_by_text("trends and splits were looked at").wait_for()
    browser.wait_for_videos(page, demo.values("sequence"))
    shown = page.inner_text("body")
    for method in METHODS:
        mean = demo.mean(f"{method}_objects.detections.JF")
        assert f"{mean:.3f}" in shown, method
    browser.keep_picture(page, "panel-attributes")

    # In one video only is an object absent. Reappearances split the objects alike,
    # and the first of such attributes is charted.
    bar = next(name for name in browser.bars(page, 0) if name.startswith("Absent"))
    left, top = browser.in_chart(page, 0, 0, bar)
    browser.click(page, left + 15, top - 6)
    browser.wait_for_videos(page, ["away-and-back"])


def open_objects(page) -> None:
    """Show the tab with the histogram and the points of all objects."""
    page.get_by_text("trends and splits were looked at").wait_for()
    page.get_by_role("button", name="Objects", exact=True).click()
    page.get_by_text("drag over bars").wait_for()


def test_a_drag_over_the_histogram_shows_those_objects(page, demo):
    open_objects(page)
    scores = tables.object_scores(demo, "flow").objects
    inside = scores[scores["J&F"].between(0.4, 0.5)]
    assert set(inside["sequence"]) == {"near-and-far"}
    start, end = (browser.in_chart(page, 0, x, 0.5) for x in (0.41, 0.49))
    browser.drag(page, start, end)
    browser.wait_for_videos(page, ["near-and-far"])
    browser.keep_picture(page, "panel-objects")


def test_a_line_around_points_shows_those_objects(page, demo):
    open_objects(page)
    browser.choose_attribute(page, "Size")
    table = of_size(demo)
    chosen = table[(table["size"] > 0.048) & table["J&F"].between(0.36, 0.56)]
    videos = {"away-and-back", "near-and-far"}
    assert len(chosen) == 3 and set(chosen["sequence"]) == videos
    corners = [(0.048, 0.56), (0.068, 0.56), (0.068, 0.36), (0.048, 0.36)]
    browser.drag(page, *(browser.in_chart(page, 1, *corner) for corner in corners))
    page.get_by_text("3 objects in 2 videos").wait_for()
    browser.wait_for_videos(page, sorted(videos))
    browser.keep_picture(page, "panel-objects-chosen")


def test_a_click_on_a_point_opens_its_object_at_its_worst_frame(page, demo):
    open_objects(page)
    browser.choose_attribute(page, "Size")
    largest = of_size(demo).sort_values("size").iloc[-1]
    place = browser.in_chart(page, 1, largest["size"], largest["J&F"])
    time = browser.open_clip(page, lambda: browser.click(page, *place))
    browser.keep_picture(page, "panel-objects-open")
    shows_worst_frame(page, demo, largest, time)
    browser.close_video(page)
    page.locator(".xtitle", has_text="Size").wait_for()


def of_size(demo: fo.Dataset):
    """Every object's score with flow, and its size."""
    sizes = tables.object_table(demo)[["sequence", "object", "size"]]
    return tables.object_scores(demo, "flow").objects.merge(sizes)


def test_the_object_worst_by_another_measure_opens_at_its_worst_frame(page, demo):
    page.get_by_text("trends and splits were looked at").wait_for()
    page.get_by_role("button", name="Worst objects").click()
    page.get_by_text("Click a row").wait_for()
    scores = tables.object_scores(demo, "flow").objects
    worst = scores.sort_values("J&F").iloc[0]
    first_row(page, worst["sequence"], f"{worst['J&F']:.3f}")
    browser.keep_picture(page, "panel-worst")

    browser.choose(page, "J&F", "J decay")
    worst = scores.sort_values("J_decay").iloc[-1]
    row = first_row(page, worst["sequence"], f"{worst['J_decay']:.3f}")
    time = browser.open_clip(page, row.click)
    browser.keep_picture(page, "panel-worst-open")
    shows_worst_frame(page, demo, worst, time)

    # The timeline shows every frame of the video.
    page.get_by_text("Object timeline").first.click()
    page.get_by_text(f"Object {worst['object']}, which was opened").wait_for()
    browser.in_chart(page, -1, 20, 0)
    browser.keep_picture(page, "panel-timeline")
    browser.close_video(page)

    # The table stays sorted after a row was opened.
    page.get_by_role("combobox").filter(has_text="J decay").wait_for()
    first_row(page, f"{worst['J_decay']:.3f}")


def first_row(page, *texts: str):
    """The first row of the last table, once it shows these texts."""
    row = page.get_by_role("table").last.get_by_role("row").nth(1)
    for text in texts:
        browser.expect(row).to_contain_text(text, timeout=browser.PATIENCE)
    return row


def shows_worst_frame(page, demo: fo.Dataset, worst, time: float) -> None:
    """The open video stands at an object's worst frame, and shows it alone."""
    frame, alone, every = worst_frame(demo, "flow", worst)
    # 0 where the player has not told it; the clip's own test looks at that.
    assert time == 0 or time == pytest.approx((frame - 1) / 24, abs=0.02)
    sidebar = page.locator('[data-cy="modal"]').inner_text()
    told = rf"frames\.flow\s+{alone} of {every}\s"
    assert re.search(told, sidebar), "not this object alone"


def worst_frame(dataset: fo.Dataset, method: str, worst) -> tuple[int, int, int]:
    """Number of an object's worst frame, from 1; its labels and the video's."""
    means, alone, every = {}, 0, 0
    for number, frame in dataset[worst["sample_id"]].frames.items():
        for label in frame[method].detections:
            every += 1
            if label.index == worst["object"]:
                alone += 1
                if label.get_field("J") is not None:
                    means[number] = label.J + label.F
    return min(means, key=means.__getitem__), alone, every


def test_two_methods_are_held_against_each_other(page, demo):
    page.get_by_text("trends and splits were looked at").wait_for()
    page.get_by_role("button", name="Difference").click()
    page.get_by_text("is better on").wait_for()
    flow, copy = (
        demo.mean(f"{name}_objects.detections.JF") for name in ("flow", "copy")
    )
    # The better method comes second, so that what it gains reads as positive.
    page.get_by_text(f"flow - copy: {flow - copy:+.3f}").wait_for()
    browser.wait_for_points(page, 0, [0, demo.count("objects.detections")])
    browser.keep_picture(page, "panel-difference")


def test_a_bar_of_the_difference_filters_the_grid(page, demo):
    page.get_by_text("trends and splits were looked at").wait_for()
    page.get_by_role("button", name="Difference").click()
    flow, copy = (
        demo.mean(f"{name}_objects.detections.JF") for name in ("flow", "copy")
    )
    page.get_by_text(f"flow - copy: {flow - copy:+.3f}").wait_for()
    browser.wait_for_points(page, 0, [0, demo.count("objects.detections")])
    objects = tables.object_table(demo)
    low = {}
    for bar, known in browser.bars(page, 1).items():
        if limit := re.search(r": low \(< ([0-9.]+)", html.unescape(bar)):
            attribute = known.split("|")[1]
            under = objects[objects[attribute] < float(limit[1])]
            low[bar] = sorted(set(under["sequence"]))
    bar = next(bar for bar, videos in low.items() if len(videos) < len(demo))
    left, top = browser.in_chart(page, 1, 0, bar)
    browser.click(page, left + 15, top)
    browser.wait_for_videos(page, low[bar])
    page.get_by_text(f"flow - copy: {flow - copy:+.3f}").wait_for()


def test_a_failure_is_stepped_to_and_reviewed(page, demo):
    events = tables.event_table(demo, "flow")
    browser.choose_workspace(page, "Failures")
    wait_for_event(page, 1, len(events))
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_event(page, 2, len(events))
    page.get_by_role("button", name="Label error").click()
    wait_for_event(page, 3, len(events))
    page.get_by_role("cell", name="label error").wait_for()
    assert page.locator('[data-cy="filmstrip"]').count() == 1
    browser.keep_picture(page, "panel-failures")
    demo.reload()
    assert tables.event_table(demo, "flow")["tags"].iloc[1] == ["label error"]
    assert "flow label error" in demo.list_saved_views()


def test_a_kind_stays_chosen_while_one_steps_on(page, demo):
    events = tables.event_table(demo, "flow")
    leaks = int((events["kind"] == "leak").sum())
    browser.choose_workspace(page, "Failures")
    wait_for_event(page, 1, len(events))
    browser.choose(page, "all kinds", "leak")
    wait_for_event(page, 1, leaks)
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_event(page, 2, leaks)
    rows = page.get_by_role("table").last.get_by_role("row")
    browser.expect(rows).to_have_count(1 + leaks, timeout=browser.PATIENCE)
    browser.keep_picture(page, "panel-failures-leaks")


def wait_for_event(page, number: int, count: int) -> None:
    """Until the panel shows an event, of so many."""
    page.get_by_text(re.compile(rf"^{number} of {count}:")).wait_for()


def test_a_failure_is_corrected_from_the_panel(page, demo):
    events = tables.event_table(demo, "flow")
    browser.set_spaces(page, demo.load_workspace("Failures"))
    wait_for_event(page, 1, len(events))
    page.get_by_role("button", name="Correct here").click()
    page.get_by_text("Right mask").first.wait_for()
    browser.keep_picture(page, "correct-here-form")
    page.get_by_role("button", name="Execute").click()
    shown = page.get_by_role("button", name="See before and after")
    shown.wait_for(timeout=3 * browser.PATIENCE)
    browser.keep_picture(page, "correct-here-done")
    shown.click()
    page.locator('[data-cy="modal"]').wait_for()
    shown.wait_for(state="detached")
    browser.keep_picture(page, "correct-here-compared")
    demo.reload()
    assert demo.has_frame_field("flow_corrected")
    first = demo.values("flow_failures.detections", unwind=True)
    assert any(label.has_field("regain") for label in first)


def test_an_event_of_the_audit_is_confirmed_and_scores_are_told_twice(page, demo):
    browser.set_spaces(page, demo.load_workspace("Audit"))
    wait_for_event(page, 1, 2)
    assert page.locator('[data-cy="filmstrip"]').count() == 1
    page.get_by_role("button", name="Scores without the confirmed").click()
    page.get_by_text("No event is confirmed").wait_for()
    page.get_by_role("button", name="Confirmed", exact=True).click()
    wait_for_event(page, 2, 2)
    told = page.get_by_text("Without the frames of 1 confirmed event")
    told.wait_for()
    browser.keep_picture(page, "panel-audit")
    page.get_by_role("table").last.scroll_into_view_if_needed()
    browser.keep_picture(page, "panel-audit-scores")
    page.get_by_role("button", name="Clip", exact=True).click()
    page.locator('[data-cy="modal"]').wait_for()
    browser.keep_picture(page, "panel-audit-clip")
    demo.reload()
    assert [tags for tags in tables.audit_table(demo)["tags"]] == [["confirmed"], []]


def with_grid(kind: str) -> fo.Space:
    """A layout: the grid, and a panel beside it."""
    panels = [fo.Panel(type=name) for name in ("Samples", kind)]
    sides = [fo.Space(children=[one], active_child=one.component_id) for one in panels]
    return fo.Space(children=sides, orientation="horizontal")


def test_a_cell_of_the_heat_map_opens_its_objects(page, demo):
    browser.set_spaces(page, with_grid("vos_heat_map"))
    page.get_by_text("n: objects in the cell").wait_for()
    drawn = page.locator(".js-plotly-plot").first
    drawn.locator(".main-svg").first.wait_for()
    x, y, n = drawn.evaluate(
        """({data: [{x, y, text}]}) => {
            for (const [i, line] of text.entries())
                for (const [k, told] of line.entries())
                    if (told) return [x[k], y[i], Number(told.match(/n = (\\d+)/)[1])];
        }"""
    )
    browser.keep_picture(page, "panel-heat-map")
    browser.click(page, *browser.in_chart(page, 0, x, y))
    page.get_by_text(re.compile(rf"^{n} objects? in \d videos?: ")).first.wait_for()
    shown = page.locator('[data-cy="looker"]')
    browser.expect(shown).not_to_have_count(len(demo), timeout=browser.PATIENCE)
    browser.keep_picture(page, "panel-heat-map-cell")


def test_the_grid_shows_worst_frames_and_videos_again(page, demo):
    shown: dict[str, int] = {}
    page.on("response", lambda answer: shown.update({answer.url: answer.status}))
    browser.run(page, "@s3fo/vos/show_worst_frames", eval_key="flow")
    page.get_by_text("Show worst frames in the grid: done").wait_for()
    demo.reload()
    page.get_by_role("button", name="Done").click()

    def pictures() -> list[int]:
        return [code for url, code in shown.items() if "thumbnails" in url]

    for _ in range(browser.PATIENCE // 250):
        if len(pictures()) == len(demo):
            break
        page.wait_for_timeout(250)
    page.wait_for_timeout(1_000)
    browser.keep_picture(page, "grid-worst-frames")
    assert pictures() == [200] * len(demo)
    page.get_by_role("button", name="All videos").first.click()
    browser.wait_for_videos(page, demo.values("sequence"))
    browser.keep_picture(page, "grid-videos-again")
    assert demo.app_config.grid_media_field == "filepath"


def test_a_panel_shows_what_its_own_button_made(page, demo):
    panels = [fo.Panel(type=kind) for kind in ("Samples", "vos_failure_map")]
    shown = fo.Space(children=panels, active_child=panels[1].component_id)
    browser.set_spaces(page, shown)
    page.get_by_text("no map of failures").wait_for()
    page.get_by_role("button", name=re.compile("map", re.I)).last.click()
    page.get_by_role("button", name="Execute").click()
    page.get_by_role("button", name="See the map").wait_for(
        timeout=3 * browser.PATIENCE
    )
    page.get_by_role("button", name="Done").click()
    page.get_by_text("no map of failures").wait_for(state="detached")
    browser.keep_picture(page, "failure-map-made")


def test_failures_are_mapped_by_their_looks(page, demo):
    events = tables.event_table(demo, "flow")
    browser.run(page, "@s3fo/vos/map_failures", eval_key="flow")
    page.get_by_role("button", name="See the map").click(timeout=3 * browser.PATIENCE)
    kinds = events["kind"].value_counts()
    browser.wait_for_points(page, 0, kinds.tolist())
    browser.keep_picture(page, "failure-map")

    around_all_points(page)
    page.get_by_text(f"{len(events)} clips. ").first.wait_for()
    clips = page.locator('[data-cy="looker"]').filter(has_text=" points")
    browser.expect(clips).to_have_count(len(events), timeout=browser.PATIENCE)
    browser.keep_picture(page, "failure-map-clips")

    browser.start_again(page, demo, "Failures")
    wait_for_event(page, 1, len(events))
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_event(page, 2, len(events))
    page.get_by_role("button", name="More like this").click()
    page.get_by_role("columnheader", name="Similarity").wait_for()
    first_row(page, events["sequence"].iloc[1], "1.000")
    browser.keep_picture(page, "failures-by-looks")
    page.get_by_role("button", name="By cost").click()
    page.get_by_role("columnheader", name="Similarity").wait_for(state="detached")


def around_all_points(page) -> None:
    """Draw a line around all that the first chart shows."""
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    left, top = box["x"] + 2, box["y"] + 2
    right, low = box["x"] + box["width"] - 2, box["y"] + box["height"] - 2
    corners = [(left, top), (right, top), (right, low), (left, low), (left, top)]
    browser.drag(page, *corners)


def test_ground_truth_and_two_methods_go_side_by_side(page, demo):
    page.locator('[data-cy="looker"]').first.click()
    page.get_by_text("frames.ground_truth").last.wait_for()
    page.get_by_text("Side by side").first.click()
    count = demo.first().metadata.total_frame_count
    drawn_at(page, 1, count)
    browser.keep_picture(page, "side-by-side")

    chart = page.locator('[data-cy="side-by-side-timeline"]')
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    # The curves begin after 64 pixels and end 6 before the edge.
    share = 64 + (box["width"] - 70) * 19 / (count - 1)
    page.mouse.click(box["x"] + share, box["y"] + 20)
    drawn_at(page, 20, count)
    page.get_by_role("button", name="Next frame").click()
    drawn_at(page, 21, count)
    picture = browser.keep_picture(page, "side-by-side-later")
    assert browser.count_colour(picture, s3fo.datasets.object_colour(1)) > 500
    legend = page.locator('[data-cy="side-by-side-legend"]').inner_text()
    # Another test may have left a corrected method.
    named = [key for key in demo.list_evaluations() if key in legend.split("\n")]
    assert len(named) == 2 and "J&F" in legend

    # The player goes on from there, and this panel from the player.
    player = page.locator('[data-cy="panel-tab-fo-sample-modal-plugin"]')
    browser.open_video_at(page, player.click, 20 / 24)
    page.get_by_text("Side by side").first.click()
    drawn_at(page, 21, count)
    page.get_by_role("button", name="Play", exact=True).click()
    frame = page.locator('[data-cy="side-by-side-frame"]')
    browser.expect(frame).to_contain_text(
        f"frame {count} of", timeout=2 * browser.PATIENCE
    )
    drawn_at(page, count, count)


def drawn_at(page, number: int, count: int) -> None:
    """Until the three pictures and the timeline of "Side by side" stand at a frame."""
    told = page.locator('[data-cy="side-by-side-frame"]')
    browser.expect(told).to_contain_text(
        f"frame {number} of {count} ", timeout=browser.PATIENCE
    )
    drawn = page.locator(f'[data-cy="side-by-side"] canvas[data-frame="{number}"]')
    browser.expect(drawn).to_have_count(4, timeout=browser.PATIENCE)
