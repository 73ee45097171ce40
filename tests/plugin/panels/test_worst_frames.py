"""Worst frames in the grid: which frame, where the picture is, and how it goes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from operator_runs import form, triggers_in_app

import s3fo
from benchmarks.panels import Visitor
from evaluation.errors import InputError
from evaluation.plots.errors import PIXEL_COLOURS, Pixel, colour
from evaluation.plots.thumbnail import frame_thumbnail
from s3fo.datasets.scoring.thumbnails import worst_frame
from s3fo.plugin import install
from s3fo.plugin.panels.evaluation import VOSEvaluation


@pytest.fixture(scope="session", autouse=True)
def plugin():
    return install()


def test_a_thumbnail_has_the_errors_of_its_frame():
    truth = np.zeros((100, 200), np.uint8)
    truth[20:60, 20:60] = 1
    predicted = np.zeros_like(truth)
    predicted[20:60, 40:80] = 1
    image = np.full((100, 200, 3), 100, np.uint8)
    picture = frame_thumbnail(image, truth, predicted, "frame 5: J&F 0.333", width=100)
    assert picture.shape == (50, 100, 3)
    grey = np.full(3, 100)
    for place, pixel in (
        ((20, 15), Pixel.MISSED),
        ((20, 25), Pixel.HIT),
        ((20, 35), Pixel.FALSE),
    ):
        expected = 0.25 * grey + 0.75 * np.array(colour(PIXEL_COLOURS[pixel]))
        assert np.abs(picture[place] - expected).max() <= 2, pixel
    assert (picture[45, 90] == grey).all()
    assert picture[:12].max() > 150 and picture[0, -1].max() <= 25


def test_the_text_of_a_thumbnail_is_legible_in_a_narrow_grid():
    empty = np.zeros((270, 480), np.uint8)
    picture = frame_thumbnail(None, empty, empty, "frame 38: J&F 0.575")
    small = cv2.resize(picture, (152, 85), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(small[:15].min(axis=2) > 150)
    assert rows.min() > 0 and rows.max() < 14, "not cut off"
    assert np.ptp(rows) >= 7 and 100 < np.ptp(columns) < 150


def test_the_grid_shows_worst_frames_and_they_go_with_the_evaluation(predicted):
    s3fo.evaluate(predicted, "shifted", "k", workers=1)
    assert list(form("show_worst_frames", predicted)["eval_key"].type.values) == ["k"]
    steps = triggers_in_app("show_worst_frames", predicted)
    asked = [step.params for step in steps if "show_media" in str(step.to_json())]
    assert asked == [{"field": "k_thumbnail", "stages": 1}]
    fields = [step.params for step in steps if "active_fields" in str(step.to_json())]
    assert fields[-1]["fields"] == ["sequence", "k_JF"], "no masks of the first frame"
    # A page that is loaded in this view looks for the pictures; later pages need not.
    loaded = Visitor(VOSEvaluation(), predicted).do("open", "on_load").requests
    assert "@s3fo/vos/restore_media" in loaded
    pair = predicted.match({"sequence": "pair"}).first()
    # Object 2 is lost in the frame of index 4, and nothing else is as wrong.
    number, score = worst_frame(predicted, "k", pair.id)
    assert number == 5 and score < 0.5
    assert "/pair-5-" in pair["k_thumbnail"]
    assert cv2.imread(pair["k_thumbnail"]).shape == (61, 93, 3)
    config = predicted.app_config
    assert config.media_fields == ["filepath", "k_thumbnail"]
    assert config.grid_media_field == "filepath", "nobody else's grid changes"

    predicted.rename_evaluation("k", "new")
    assert predicted.app_config.media_fields == ["filepath", "new_thumbnail"]
    s3fo.evaluate(predicted, "shifted", "new", protocol="mose-v2", workers=1)
    assert not predicted.has_sample_field("new_thumbnail"), "of other scores"
    assert predicted.app_config.media_fields == ["filepath"]
    loaded = Visitor(VOSEvaluation(), predicted).do("open", "on_load").requests
    assert "@s3fo/vos/restore_media" not in loaded


def test_there_is_something_to_draw(predicted):
    assert "no evaluation" in form("show_worst_frames", predicted)["problem"].view.label
    with pytest.raises(InputError, match="'none'"):
        s3fo.datasets.make_thumbnails(predicted, "none")
