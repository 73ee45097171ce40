"""Pictures show what is there, in colours that everybody can tell apart."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_videos import draw, during, paint, still, travel
from matplotlib.backends.backend_agg import FigureCanvasAgg

from evaluation.attributes import object_attributes
from evaluation.attributes.video import open_videos
from evaluation.breakdown import breakdown
from evaluation.failures import (
    CIRCUMSTANCES,
    ComparedMasks,
    FailureKind,
    Failures,
    find_failures,
)
from evaluation.plots import (
    KIND_COLOURS,
    PIXEL_COLOURS,
    Pixel,
    attribute_chart,
    attribute_examples,
    attribute_spread,
    error_map,
    error_map_figure,
    failure_strip,
    lay_over,
    save_figure,
    timeline,
)
from evaluation.plots.errors import colour
from evaluation.scoring import Scores, score

# Machado et al. 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(code: str, blindness: str) -> np.ndarray:
    """CIELAB of a colour as somebody with a colour blindness sees it."""
    linear = (np.array(colour(code)) / 255.0) ** 2.2
    shown = (np.array(BLINDNESS[blindness]) @ linear).clip(0, 1) ** (1 / 2.2)
    return cv2.cvtColor(shown.astype(np.float32)[None, None], cv2.COLOR_RGB2LAB)[0, 0]


@pytest.mark.parametrize("blindness", list(BLINDNESS))
def test_error_colours_are_told_apart(blindness: str) -> None:
    for one, two in combinations(PIXEL_COLOURS.values(), 2):
        distance = np.linalg.norm(seen(one, blindness) - seen(two, blindness))
        assert distance > 20, (one, two)


def test_error_maps_name_every_pixel() -> None:
    truth = np.array([[0, 0, 1, 1, 1, 2]], np.uint8)
    predicted = np.array([[0, 1, 1, 0, 2, 2]], np.uint8)
    right, hit, missed, false, wrong = Pixel
    assert error_map(truth, predicted).tolist() == [
        [right, false, hit, missed, wrong, hit]
    ]
    about_one = error_map(truth, predicted, 1).tolist()
    assert about_one == [[right, false, hit, missed, wrong, right]]
    about_two = error_map(truth, predicted, 2).tolist()
    assert about_two == [[right, right, right, right, wrong, hit]]


def test_error_maps_take_overlapping_masks() -> None:
    mask = np.array([[True, False]])
    assert error_map({3: mask}, {}).tolist() == [[Pixel.MISSED, Pixel.RIGHT]]
    assert error_map({}, {3: mask}).tolist() == [[Pixel.FALSE, Pixel.RIGHT]]


def test_images_stay_as_they_are_where_all_is_right() -> None:
    image = np.full((1, 2, 3), 90, np.uint8)
    painted = lay_over(image, np.array([[Pixel.RIGHT, Pixel.HIT]], np.uint8), 1.0)
    assert painted[0, 0].tolist() == [90, 90, 90]
    assert tuple(painted[0, 1]) == colour(PIXEL_COLOURS[Pixel.HIT])


def test_every_kind_of_failure_has_its_own_colour() -> None:
    assert set(KIND_COLOURS) == set(FailureKind)
    assert len(set(KIND_COLOURS.values())) == len(FailureKind)


@pytest.fixture(scope="module")
def broken() -> tuple[Failures, ComparedMasks, Scores, dict]:
    video = draw(
        {
            1: travel(0.15, 0.006, 0.3, 0.14),
            2: during(still(0.7, 0.7, 0.14), lambda t: not 15 <= t < 22),
        },
        40,
    )
    truth = dict(video.label_maps)
    predicted = {frame: label_map.copy() for frame, label_map in truth.items()}
    for t in range(8, 20):
        frame = f"{t:05d}"
        predicted[frame][truth[frame] == 1] = 2
        predicted[frame][truth[frame] == 2] = 1
    for t in range(22, 28):
        predicted[f"{t:05d}"][truth[f"{t:05d}"] == 2] = 0
    scores = score({"v": predicted}, {"v": truth}, workers=1)
    failures = find_failures({"v": predicted}, {"v": truth}, scores, workers=1)
    masks = ComparedMasks({"v": predicted}, {"v": truth}, scores)
    return failures, masks, scores, truth


def picture(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image[..., ::-1]


def share_of(image: np.ndarray, code: str) -> float:
    """Share of pixels near a colour."""
    away = np.abs(image.astype(int) - np.array(colour(code))).max(axis=2)
    return float((away < 40).mean())


@pytest.mark.seconds
def test_a_strip_shows_the_event(broken: tuple, tmp_path: Path) -> None:
    failures, masks, _, truth = broken
    event = failures.events.iloc[0].to_dict()
    video = replace(draw({}, 40), label_maps=truth)
    colours = {0: (120, 130, 120), 1: (200, 40, 40), 2: (40, 60, 200)}
    images = paint(video, tmp_path, colours).images
    figure = failure_strip(event, masks, images)
    strip = picture(save_figure(figure, tmp_path / "strip.png"))
    assert strip.shape[1] == round(6.3 * 200)
    # One of its three rows is the error map, in which whole objects change identity.
    assert share_of(strip, PIXEL_COLOURS[Pixel.WRONG_IDENTITY]) > 0.005


@pytest.mark.seconds
def test_a_strip_can_do_without_images(broken: tuple, tmp_path: Path) -> None:
    failures, masks, _, _ = broken
    for event in failures.events.to_dict("records"):
        save_figure(failure_strip(event, masks), tmp_path / "strip.png", 60)
    assert picture(tmp_path / "strip.png").std() > 10


def test_long_headlines_are_broken_into_lines(broken: tuple) -> None:
    failures, masks, _, _ = broken
    event = failures.events.iloc[0].to_dict()
    event["onset"] = ", ".join(name.replace("_", " ") for name in CIRCUMSTANCES)
    event["sequence"] = "v"
    figure = failure_strip(event | {"n_frames": 1234567, "cost": 0.123456}, masks)
    canvas = FigureCanvasAgg(figure)
    headline, top = figure.texts[0], figure.axes[0].title
    box = headline.get_window_extent(canvas.get_renderer())
    assert event["onset"].split(", ")[-1] in headline.get_text()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
    assert box.y0 >= top.get_window_extent(canvas.get_renderer()).y1


def test_examples_go_from_least_to_most(broken: tuple, tmp_path: Path) -> None:
    truth = broken[3]
    attributes = object_attributes({"v": truth}, fps=24)
    videos = open_videos({"v": truth})
    figure = attribute_examples(attributes, videos, ("size", "speed"))
    assert figure is not None
    values = [float(axes.get_title().split(": ")[1]) for axes in figure.axes]
    assert values == [*sorted(values[:2]), *sorted(values[2:])]
    assert values[2] < values[3], "one travels, one stands"
    assert attribute_examples(attributes, videos, ("similarity",)) is None
    image = picture(save_figure(figure, tmp_path / "examples.png"))
    assert share_of(image, "#AAAAAA") > 0.2, "grey where there are no images"
    shown = attribute_spread(attributes).axes
    assert "Speed" in {axes.get_title() for axes in shown}


def test_a_timeline_marks_events_and_absence(broken: tuple, tmp_path: Path) -> None:
    failures = broken[0]
    figure = timeline(failures, "v", 2)
    image = picture(save_figure(figure, tmp_path / "timeline.png"))
    kinds = set(failures.events.loc[failures.events["object"] == 2, "kind"])
    assert kinds == {"identity swap", "false on absent", "late recovery"}
    for kind in kinds:
        assert share_of(image, KIND_COLOURS[FailureKind(kind)]) > 0.001
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert "identity swap 1" in texts


def test_an_error_map_has_a_legend(broken: tuple, tmp_path: Path) -> None:
    truth, predicted = broken[1].read("v", "00010")
    figure = error_map_figure(None, truth, predicted, title="v, frame 00010")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["hit", "missed", "false", "wrong identity"]
    image = picture(save_figure(figure, tmp_path / "errors.png"))
    assert share_of(image, "#7B2CBF") > 0.001


def test_a_chart_has_a_row_per_group_and_hollow_dots_for_few(
    broken: tuple, tmp_path: Path
) -> None:
    _, _, scores, truth = broken
    attributes = object_attributes({"v": truth})
    table = breakdown({"new": scores, "old": scores}, attributes, ["auto_DR", "size"])
    figure = attribute_chart(table)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["Disappears, returns: yes", "Disappears, returns: no"]
    turned = attribute_chart(table, ["size", "auto_DR"])
    labels = [label.get_text() for label in turned.axes[0].get_yticklabels()]
    assert labels[-2:] == ["Disappears, returns: yes", "Disappears, returns: no"]
    markers = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert {line.get_markerfacecolor() for line in markers} == {"white"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["new", "old"]
    FigureCanvasAgg(figure).draw()
    shown = [float(tick.get_text()) for tick in figure.axes[0].get_xticklabels()]
    assert max(shown) > 10 and "J&F, %" in figure.axes[0].get_xlabel()
    save_figure(figure, tmp_path / "chart.svg")
    assert "Disappears, returns" in (tmp_path / "chart.svg").read_text()
