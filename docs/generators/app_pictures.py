"""The pictures of docs/app.md, taken from the running product.

    python docs/generators/app_pictures.py

Runs the demo (what an earlier run finished is kept), opens it in headless Chromium,
walks through it with the mouse as the page tells, and writes docs/images/app-*.png.
"""

from __future__ import annotations

import argparse
import io
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import fiftyone as fo
    from playwright.sync_api import Page, ViewportSize

REPOSITORY = Path(__file__).resolve().parents[2]
IMAGES = REPOSITORY / "docs" / "images"
WIDTH = 1200
"""Pixels at most: what a page of text has room for, twice."""

SIZE: ViewportSize = {"width": 1500, "height": 1200}
PANEL = '[data-cy^="panel-content-vos_"]'
VIDEO = '[data-cy="modal"]'
PLAYER = '[data-cy="modal-looker-container"]'
SIDE = '[data-cy="panel-content-vos_side_by_side"]'
MAP = '[data-cy="panel-content-vos_failure_map"]'
GRID = '[data-cy="panel-content-Samples"]'
"""Parts of the App that are kept alone, so that they can be read beside text."""

LARGEST = 150_000
"""Bytes of a picture."""

METHOD = "s3"


class Walk:
    """The way through the App that docs/app.md describes."""

    def __init__(self, page: Page, dataset: fo.Dataset, out: Path) -> None:
        self.page, self.dataset, self.out = page, dataset, out

    def take(self) -> None:
        """Answer the three questions, and look at everything on the way."""
        self.what_hurts()
        self.which_objects()
        self.worst_object()
        self.through_time()
        self.who_wins()
        self.what_fails()
        self.review()
        self.map_failures()
        self.worst_frames()

    def what_hurts(self) -> None:
        """The headline about attributes, and its videos."""
        self.page.get_by_text("trends and splits were looked at").wait_for()
        browser.wait_for_videos(self.page, self.dataset.values("sequence"))
        self.page.locator(".js-plotly-plot .main-svg").first.wait_for()
        self.keep("attributes", PANEL)
        self.page.set_viewport_size({"width": 1300, "height": 860})
        self.keep("overview")
        self.page.set_viewport_size(SIZE)

    def which_objects(self) -> None:
        """How the scores of the objects are spread."""
        self.page.get_by_role("button", name="Objects", exact=True).click()
        self.page.get_by_text("drag over bars").wait_for()
        browser.in_chart(self.page, 1, 40, 0.5)
        self.keep("objects", PANEL)

    def worst_object(self) -> None:
        """The worst object, opened at its worst frame."""
        from s3fo.datasets.reading import frame_table, tables

        self.page.get_by_role("button", name="Worst objects").click()
        self.page.get_by_text("Click a row").wait_for()
        objects = tables.object_scores(self.dataset, METHOD).objects
        worst = objects.sort_values("J&F").iloc[0]
        place = (worst["sample_id"], int(worst["object"]))
        frame = frame_table.worst_frame(self.dataset, METHOD, *place)
        row = self.page.get_by_role("row").filter(has_text=f"{worst['J&F']:.3f}").last
        row.hover()
        self.keep("worst", PANEL)
        browser.open_video_at(self.page, row.click, (frame - 1) / 24)
        self.keep("worst-frame", PLAYER)
        self.side_by_side()

    def side_by_side(self) -> None:
        """The same object under two methods, at the same frame."""
        self.page.set_viewport_size({"width": 1500, "height": 700})
        # Not the hint of the panel behind, which names it, too.
        self.page.locator(VIDEO).get_by_text("Side by side").first.click()
        self.page.locator('[data-cy="side-by-side-legend"]').wait_for()
        drawn = self.page.locator('[data-cy="side-by-side"] canvas[data-frame]')
        browser.expect(drawn).to_have_count(4, timeout=browser.PATIENCE)
        self.keep("side-by-side", SIDE)
        self.page.set_viewport_size(SIZE)

    def map_failures(self) -> None:
        """All failures as a map, and the clips of some of them."""
        self.page.set_viewport_size({"width": 1300, "height": 700})
        browser.run(self.page, "@s3fo/vos/map_failures", eval_key=METHOD)
        shown = self.page.get_by_role("button", name="See the map")
        shown.click(timeout=5 * browser.PATIENCE)
        drawn = self.page.locator(f"{MAP} .nsewdrag").first
        drawn.wait_for()
        self.page.wait_for_timeout(2_000)
        area = drawn.bounding_box()
        assert area, "no map"
        left, top = area["x"] + 3, area["y"] + 3
        right, low = left + area["width"] / 2, top + area["height"] - 6
        browser.drag(
            self.page, (left, top), (right, top), (right, low), (left, low), (left, top)
        )
        self.page.get_by_text(" clips. ").first.wait_for()
        clips = self.page.locator('[data-cy="looker"]').filter(has_text=" points")
        clips.nth(3).wait_for()
        self.keep("failure-map", f"{GRID}, {MAP}")

    def audit(self) -> None:
        """What looks wrong in the ground truth."""
        self.page.set_viewport_size({"width": 1500, "height": 1000})
        self.page.get_by_text("1 of ").first.wait_for()
        browser.in_chart(self.page, 0, 0, 0)
        self.page.locator("img[src^='data:image/jpeg']").first.wait_for()
        self.keep("audit", PANEL)

    def worst_frames(self) -> None:
        """The grid with the worst frame of every video."""
        browser.start_again(self.page, self.dataset, "Evaluation")
        browser.run(self.page, "@s3fo/vos/show_worst_frames", eval_key=METHOD)
        self.page.get_by_text("Show worst frames in the grid: done").wait_for()
        self.page.get_by_role("button", name="Done").click()
        self.page.set_viewport_size({"width": 1300, "height": 380})
        self.keep("worst-frames", GRID)

    def through_time(self) -> None:
        """J and F of the open video, frame by frame."""
        self.page.get_by_text("Object timeline").first.click()
        self.page.get_by_text("which was opened").wait_for()
        browser.in_chart(self.page, -1, 20, 0)
        self.keep("timeline", VIDEO)
        browser.run(self.page, "close_sample")
        self.page.locator(VIDEO).wait_for(state="detached")

    def who_wins(self) -> None:
        """Two methods against each other."""
        self.page.get_by_role("button", name="Difference", exact=True).click()
        self.page.get_by_text("is better on").wait_for()
        browser.in_chart(self.page, 0, 0.5, 0.5)
        self.keep("difference", PANEL)

    def what_fails(self) -> None:
        """Kinds of failures by what they cost, and the costliest event."""
        browser.choose_workspace(self.page, "Failures")
        self.page.get_by_text("costs most").wait_for()
        browser.in_chart(self.page, 0, 0, 0)
        self.page.locator("img[src^='data:image/jpeg']").first.wait_for()
        self.keep("failures", PANEL)

    def review(self) -> None:
        """Say what one thinks of an event; the next one comes."""
        self.page.get_by_role("button", name="Confirmed").click()
        self.page.get_by_text("2 of ").first.wait_for()
        tagged = self.page.get_by_role("cell", name="confirmed").first
        tagged.scroll_into_view_if_needed()
        self.keep("reviewed", PANEL)

    def keep(self, name: str, part: str | None = None) -> None:
        """Take a picture of what is seen.

        Args:
            name: of the picture.
            part: selector of what to keep of the page, and what is between where
                there are several; None keeps all.
        """
        self.page.wait_for_timeout(2_500)
        shot = Image.open(io.BytesIO(self.page.screenshot()))
        if part:
            seen = [item.bounding_box() for item in self.page.locator(part).all()]
            boxes = [box for box in seen if box and box["width"]]
            assert boxes, f"{part} is not shown"
            left = max(0, min(box["x"] for box in boxes))
            top = max(0, min(box["y"] for box in boxes))
            right = min(shot.width, max(box["x"] + box["width"] for box in boxes))
            bottom = min(shot.height, max(box["y"] + box["height"] for box in boxes))
            shot = shot.crop((round(left), round(top), round(right), round(bottom)))
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / f"app-{name}.png").write_bytes(compressed(shot))


def damaged(benchmark: Path, folder: Path) -> fo.Dataset:
    """A dataset of two videos, audited, in whose ground truth masks are in error."""
    import numpy as np

    import s3fo
    from s3fo.benchmarks import open_benchmark

    shutil.copytree(benchmark, folder / "damaged")
    masks = folder / "damaged" / "Annotations" / "480p"
    for name, frames in (("crossing", range(12, 15)), ("near-and-far", range(20, 21))):
        for frame in frames:
            path = masks / name / f"{frame:05d}.png"
            with Image.open(path) as picture:
                ids, palette = np.array(picture), picture.getpalette()
            # Object 1 beside its place, then two objects in each other's.
            first, second = ids == 1, ids == 2
            if name == "crossing":
                ids[first] = 0
                ids[np.roll(first, 25, axis=1)] = 1
            else:
                ids[first], ids[second] = 2, 1
            new = Image.fromarray(ids, mode="P")
            new.putpalette(palette or [])
            new.save(path)
    found = open_benchmark("synthetic", folder / "damaged")
    dataset = s3fo.load_benchmark(found, dataset_name="ground-truth-in-error")
    s3fo.datasets.audit_ground_truth(dataset)
    return dataset


def compressed(picture: Image.Image) -> bytes:
    """A screenshot as PNG, with as many colours as fit into `LARGEST` bytes."""
    picture = picture.convert("RGB")
    if picture.width > WIDTH:
        height = round(picture.height * WIDTH / picture.width)
        picture = picture.resize((WIDTH, height), Image.Resampling.LANCZOS)
    # Unlike the median cut, an octree keeps the colours of small parts.
    octree, plain = Image.Quantize.FASTOCTREE, Image.Dither.NONE
    for colours in (256, 128, 64, 32):
        buffer = io.BytesIO()
        palette = picture.quantize(colours, method=octree, dither=plain)
        palette.save(buffer, format="png", optimize=True)
        if buffer.tell() <= LARGEST:
            break
    return buffer.getvalue()


def main() -> None:
    """Run the demo, then walk."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", type=Path, default=REPOSITORY / "demo")
    parser.add_argument("--out", type=Path, default=IMAGES)
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    options = parser.parse_args()

    from s3fo.datasets import open_dataset
    from s3fo.demo import WORKSPACE, run_demo
    from s3fo.plugin import install

    install()
    dataset = open_dataset(run_demo(options.demo).dataset_name)
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        browser.window() as window,
        browser.served(dataset, Path(elsewhere)) as address,
        browser.new_page(window, address, options.theme) as page,
    ):
        page.set_viewport_size(SIZE)
        browser.start_again(page, dataset, WORKSPACE)
        Walk(page, dataset, options.out).take()
        with_errors = damaged(options.demo / "benchmark", Path(elsewhere))
        page.goto(f"{address.rsplit('/', 1)[0]}/{with_errors.name}")
        browser.start_again(page, with_errors, "Audit")
        Walk(page, with_errors, options.out).audit()
        with_errors.delete()


sys.path.insert(0, str(REPOSITORY / "tests" / "app"))
import browser  # noqa: E402  # of the tests: both drive the App as a person does

if __name__ == "__main__":
    main()
