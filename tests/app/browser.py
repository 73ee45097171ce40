"""The App in a headless browser, driven as a person would."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fiftyone as fo
from playwright.sync_api import Page, sync_playwright

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


@contextmanager
def open_app(dataset: fo.Dataset) -> Iterator[tuple[fo.Session, Page]]:
    """Serve a dataset and open it in a browser."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    session = fo.launch_app(dataset, port=port, remote=True)
    try:
        with sync_playwright() as player:
            browser = player.chromium.launch(
                executable_path=chromium(), args=list(_SWITCHES)
            )
            page = browser.new_page(viewport={"width": 1500, "height": 900})
            page.set_default_timeout(PATIENCE)
            page.goto(f"http://localhost:{port}/datasets/{dataset.name}")
            yield session, page
            browser.close()
    finally:
        session.close()


def keep_picture(page: Page, name: str) -> Path:
    """Take a screenshot as a test artefact, to be looked at."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=str(path))
    return path


def dismiss_advertising(page: Page) -> None:
    """Close the pop-over that covers the App when it opens for the first time."""
    page.get_by_text("Dismiss").click()


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
