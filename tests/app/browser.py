"""The App in a headless browser, driven as a person would."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fiftyone as fo
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

PICTURES = Path(__file__).resolve().parents[2] / "artifacts"
PATIENCE = 60_000
"""Milliseconds; software rendering on a busy machine takes its time."""

_SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """The browser's executable; None if there is none."""
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("google-chrome")


_SIZE: ViewportSize = {"width": 1500, "height": 900}
_QUIET = "window.IS_PLAYWRIGHT = true; localStorage.setItem('mui-mode', '{theme}')"
"""FiftyOne then neither advertises over the page nor reports what is done on it."""


@contextmanager
def window() -> Iterator[Browser]:
    """A browser, for all the pages of a run."""
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=chromium(), args=list(_SWITCHES)
        )
        yield browser
        browser.close()


@contextmanager
def new_page(browser: Browser, address: str, theme: str = "dark") -> Iterator[Page]:
    """A page of a running App, with nothing kept from earlier ones."""
    page = browser.new_page(viewport=_SIZE)
    page.add_init_script(_QUIET.format(theme=theme))
    page.set_default_timeout(PATIENCE)
    page.goto(address, timeout=3 * PATIENCE)
    # Pages before may have left a layout without the grid.
    anything = page.locator('[data-cy="looker"], [data-cy^="panel-content-"]')
    anything.first.wait_for(timeout=3 * PATIENCE)
    try:
        yield page
    finally:
        page.close()


def start_again(page: Page, dataset: fo.Dataset, layout: str | None) -> None:
    """Show a whole dataset in a layout: the server keeps what pages before left.

    Args:
        page: to reset.
        dataset: that is open in it.
        layout: name of a workspace; None: the grid alone.
    """
    if page.locator('[data-cy="modal"]').count():
        run(page, "close_sample")
        page.locator('[data-cy="modal"]').wait_for(state="detached")
    run(page, "clear_view")
    set_spaces(page, dataset.load_workspace(layout or "Benchmark"))
    wait_for_videos(page, dataset.values("sequence"))


def set_spaces(page: Page, spaces: fo.Space) -> None:
    """Arrange the panels of a page; none keeps what was chosen in it before."""
    told = spaces.to_json()
    # Panels are known by their ids, and saved layouts keep these.
    for known in set(re.findall(r'"component_id": "([^"]+)"', told)):
        told = told.replace(known, str(uuid.uuid4()))
    run(page, "set_spaces", spaces=json.loads(told))


def free_port() -> int:
    """A port that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(dataset: fo.Dataset, folder: Path) -> Iterator[str]:
    """The App, by the user's command from another working directory.

    Args:
        dataset: to open.
        folder: working directory of the command.

    Yields:
        Address of the dataset in it.
    """
    server = None
    try:
        for _ in range(_STARTS):
            port = free_port()
            words = ("app", dataset.name, "--remote", "--port", str(port))
            server = subprocess.Popen(
                command(*words), cwd=folder, stdout=subprocess.DEVNULL
            )
            root = f"http://127.0.0.1:{port}"
            if _answers(root, server) and _stays(server):
                break
            _end(server)
        else:
            raise AssertionError(f"s3fo app did not answer in {_STARTS} starts")
        yield f"{root}/datasets/{dataset.name}"
    finally:
        if server is not None:
            _end(server)


_STARTS = 3
"""A server that does not come up in time on a busy machine is started again."""


def command(*words: str) -> list[str]:
    """A command of `s3fo`, as a program to start."""
    return [sys.executable, "-m", "s3fo.cli", *words]


def _answers(root: str, server: subprocess.Popen[bytes], seconds: float = 180) -> bool:
    """Wait until a server answers; False where it ended or took too long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(root, timeout=5).close()
            return True
        except OSError:
            time.sleep(0.5)
    return False


def _stays(server: subprocess.Popen[bytes], seconds: float = 5) -> bool:
    """Whether a server that answers goes on: FiftyOne ends one that came up late."""
    try:
        server.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def run(page: Page, operator: str, **params: object) -> None:
    """Run one of FiftyOne's operators in the page."""
    page.evaluate(
        "([name, params]) => window.__foo__.executeOperator(name, params)",
        [operator, params],
    )


def keep_picture(page: Page, name: str) -> Path:
    """Take a screenshot as a test artefact, to be looked at."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=str(path))
    return path


def choose_workspace(page: Page, name: str) -> None:
    """Change to a saved layout, with the menu."""
    page.get_by_role("button", name="Unsaved").click()
    page.get_by_text(name, exact=True).click()


def wait_for_videos(page: Page, names: list[str]) -> None:
    """Until the grid shows the videos with these names, and no others."""
    grid = page.locator('[data-cy="looker"]')
    expect(grid).to_have_count(len(names), timeout=PATIENCE)
    for name in names:
        expect(grid.filter(has_text=name)).to_have_count(1, timeout=PATIENCE)


def choose(page: Page, shown: str, wanted: str) -> None:
    """Choose in the last drop-down that shows something."""
    page.get_by_role("combobox").filter(has_text=shown).last.click()
    page.get_by_role("option", name=wanted, exact=True).click()


def choose_attribute(page: Page, wanted: str) -> None:
    """Choose what the objects' scores are held against, whatever it is now."""
    page.get_by_role("combobox").last.click()
    page.get_by_role("option", name=wanted, exact=True).click()
    page.locator(".xtitle", has_text=wanted).wait_for()


def open_clip(page: Page, act: Callable[[], None]) -> float:
    """Click what opens a video at a frame later than the first.

    FiftyOne's player tells its time line where a clip begins when the video has
    loaded. Where the page listens for that only later, on a busy machine, the picture
    is the right one, but the time stays 0.

    Args:
        page: to look at.
        act: clicks it.

    Returns:
        The time shown, in seconds.
    """
    act()
    time = page.get_by_test_id("timeline-playhead-time")
    expect(time).to_have_text(re.compile(r"/ 0:0(?!0\.00)"), timeout=PATIENCE)
    with suppress(AssertionError):
        expect(time).not_to_have_text(re.compile("^0:00.00 "), timeout=PATIENCE / 6)
    page.wait_for_timeout(1_000)
    return float(time.inner_text().split(" / ")[0].split(":")[1])


def open_video_at(page: Page, act: Callable[[], None], seconds: float) -> None:
    """Click what opens a video at a time, and wait until the player stands there.

    Args:
        page: to look at.
        act: clicks it.
        seconds: the time that the player's time line must show, and keep for a second.
    """
    act()
    time = page.get_by_test_id("timeline-playhead-time")
    expect(time).to_have_text(re.compile(r"/ 0:0(?!0\.00)"), timeout=PATIENCE)
    there = 0
    for _ in range(PATIENCE // 250):
        shown = float(time.inner_text().split(" / ")[0].split(":")[1])
        there = there + 1 if abs(shown - seconds) < 0.03 else 0
        if there == 4:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"the player shows {shown} s, not {seconds:.2f} s")


def close_video(page: Page) -> None:
    """Close the video that is open, with a click beside it."""
    page.mouse.click(_SIZE["width"] / 2, _SIZE["height"] - 5)
    page.locator('[data-cy="modal"]').wait_for(state="detached")


def in_chart(page: Page, chart: int, x: float | str, y: float | str) -> tuple[int, int]:
    """Where in the page a chart shows a value of its axes.

    Args:
        page: with the chart.
        chart: which of those on the page, from 0.
        x: number, or category of a bar.
        y: likewise.
    """
    drawn = page.locator(".js-plotly-plot").nth(chart)
    drawn.locator(".main-svg").first.wait_for()
    drawn.scroll_into_view_if_needed()
    left, top = drawn.evaluate(
        """(chart, [x, y]) => {
            const {xaxis, yaxis, _size} = chart._fullLayout;
            const box = chart.getBoundingClientRect();
            const left = box.left + _size.l, top = box.top + _size.t;
            return [left + xaxis.d2p(x), top + yaxis.d2p(y)];
        }""",
        [x, y],
    )
    return round(left), round(top)


def bars(page: Page, chart: int) -> dict[str, str]:
    """What the bars of a chart are of -> their ids."""
    drawn = page.locator(".js-plotly-plot").nth(chart)
    drawn.locator(".main-svg").first.wait_for()
    return dict(drawn.evaluate("({data: [{y, ids}]}) => y.map((k, i) => [k, ids[i]])"))


def wait_for_points(page: Page, chart: int, counts: list[int]) -> None:
    """Until the traces of a chart have so many points each."""
    page.wait_for_function(
        """([chart, counts]) => {
            const drawn = document.querySelectorAll(".js-plotly-plot")[chart];
            const found = (drawn?.data ?? []).map((trace) => (trace.x ?? []).length);
            return JSON.stringify(found) === JSON.stringify(counts);
        }""",
        arg=[chart, counts],
    )


def click(page: Page, left: float, top: float) -> None:
    """Click in a chart, which must see the mouse coming."""
    page.mouse.move(left - 3, top)
    page.mouse.move(left, top)
    page.wait_for_timeout(300)
    page.mouse.click(left, top)


def drag(page: Page, *corners: tuple[float, float]) -> None:
    """Drag the mouse along a line."""
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=5)
    page.mouse.up()


def count_colour(picture: Path, colour: str, tolerance: int = 40) -> int:
    """Pixels of a screenshot whose hue is that of ``"#RRGGBB"`` laid over video."""
    import cv2
    import numpy as np

    wanted = np.uint8([[[int(colour[i : i + 2], 16) for i in (5, 3, 1)]]])
    hue = int(cv2.cvtColor(wanted, cv2.COLOR_BGR2HSV)[0, 0, 0])
    image = cv2.cvtColor(cv2.imread(str(picture)), cv2.COLOR_BGR2HSV)
    apart = np.abs(image[..., 0].astype(int) - hue)
    near = np.minimum(apart, 180 - apart) <= tolerance // 8  # Red is 0 and 180.
    return int((near & (image[..., 1] > 100)).sum())
