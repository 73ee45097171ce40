"""What a person sees: the dataset, a video with masks, an evaluation, the operators."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import pytest
from small_benchmark import own_name
from three_videos import three_videos

import s3fo

browser = pytest.importorskip("browser", reason="needs playwright")

pytestmark = [
    pytest.mark.app,
    pytest.mark.skipif(not browser.chromium(), reason="needs Chromium"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def demo(folder) -> Iterator[fo.Dataset]:
    with three_videos(folder, "app", ["copy"]) as dataset:
        yield dataset


def test_the_grid_shows_every_video_with_name_and_score(page, demo):
    for name, score in zip(*demo.values(["sequence", "copy_JF"]), strict=True):
        page.get_by_text(name).first.wait_for()
        page.get_by_text(f"{score:.3f}".rstrip("0")).first.wait_for()
    assert page.locator('[data-cy="looker"]').count() == 3
    browser.keep_picture(page, "grid")


def test_a_video_opens_with_the_masks_of_its_objects(page, demo):
    page.locator('[data-cy="looker"]').first.click()
    page.get_by_text("frames.ground_truth").last.wait_for()
    page.wait_for_timeout(6_000)
    picture = browser.keep_picture(page, "modal")
    for object_id in (1, 2):
        colour = s3fo.datasets.object_colour(object_id)
        assert browser.count_colour(picture, colour) > 500, f"object {object_id}"
    page.keyboard.press("Escape")


def test_the_evaluation_is_listed_and_opens(page, demo):
    panel = fo.Panel(type="model_evaluation_panel_builtin")
    spaces = fo.Space(children=[panel], active_child=panel.component_id)
    browser.set_spaces(page, spaces)
    page.get_by_text("1 Model Evaluations").wait_for()
    status = page.get_by_text("Needs Review").bounding_box()
    page.mouse.click(status["x"] - 100, status["y"] + 5)
    page.get_by_text("J&F", exact=True).wait_for()
    shown = page.inner_text("body")
    results = demo.load_evaluation_results("copy")
    for name in ("J&F", "J", "F"):
        assert f"{results.metrics()[name]:.3f}".rstrip("0") in shown, name
    assert "DAVIS-2017 semi-supervised" in shown
    browser.keep_picture(page, "evaluation")


def test_an_operator_runs_from_the_operator_browser(page, demo):
    page.keyboard.press("`")
    page.keyboard.type("VOS")
    page.get_by_text("Evaluate VOS predictions").click()
    page.get_by_text("Evaluation key").wait_for()
    browser.keep_picture(page, "operator-form")
    key = page.get_by_text("Evaluation key").locator("xpath=following::input[1]")
    key.fill("from_the_app")
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("protocol:").wait_for()
    browser.keep_picture(page, "operator-done")
    demo.reload()
    assert "from_the_app" in demo.list_evaluations()
    assert demo.values("from_the_app_JF") == demo.values("copy_JF")
    page.get_by_role("button", name="Done").click()


@pytest.fixture
def new_name() -> Iterator[str]:
    """Of a dataset that a test makes."""
    name = own_name("loaded")
    yield name
    if fo.dataset_exists(name):
        fo.delete_dataset(name)


def test_a_benchmark_is_loaded_from_the_operator_browser(page, demo, folder, new_name):
    page.keyboard.press("`")
    page.keyboard.type("VOS")
    page.get_by_text("Load a VOS benchmark").click()
    page.get_by_text("What the folder holds").wait_for()
    browser.choose(page, "DAVIS 2017", "Synthetic, as s3fo writes it")
    page.get_by_text("The one it was written to").wait_for()
    answer = "xpath=following::input[1]"
    path = page.get_by_text("The one it was written to").locator(answer)
    path.fill(str(folder))
    page.get_by_text("found no synthetic.json").wait_for()
    path.fill(str(folder / "data"))
    page.get_by_text("3 sequences, 120 frames").wait_for()
    page.get_by_text("Dataset name").locator(answer).fill(new_name)
    browser.keep_picture(page, "load-form")
    page.get_by_role("button", name="Execute").click()
    page.get_by_text("Load a VOS benchmark: done").wait_for()
    browser.keep_picture(page, "load-done")
    page.get_by_role("button", name="Done").click()
    browser.expect(page).to_have_url(re.compile(new_name), timeout=browser.PATIENCE)
    # The dataset before has videos of the same names.
    page.get_by_text("copy_JF").first.wait_for(state="detached")
    browser.wait_for_videos(page, demo.values("sequence"))
    browser.keep_picture(page, "load-grid")
    loaded = fo.load_dataset(new_name)
    assert loaded.count("frames") == demo.count("frames")
    assert loaded.count("objects.detections") == demo.count("objects.detections")
