"""Benchmarks have their forms of masks in `evaluation.formats`, and nowhere below."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import evaluation
from evaluation import get_protocol
from evaluation.formats import FORMS
from evaluation.frame_rules import object_frames
from evaluation.masks.sequence import ArraySequence

ROOT = Path(evaluation.__file__).parent
BENCHMARKS = re.compile(
    r"BURST|SA-?V\b|SA_V|YouTube|LVOS|MOSE|VOST|VISOR|OVIS|PUMaVOS|"
    r"DAVIS",
)


def test_masks_name_no_benchmark():
    """The palette is called after DAVIS by everybody; it is no rule of a benchmark."""
    palette = {"colours.py", "label_map.py", "decoder.py"}
    named = {
        f"{path.name}: {found.group()}"
        for path in (ROOT / "masks").glob("*.py")
        for found in BENCHMARKS.finditer(path.read_text(encoding="utf-8"))
        if not (path.name in palette and found.group() == "DAVIS")
    }
    assert not named


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ({"sequences": []}, "BURST"),
        ({"video_id": "a", "masklet": [], "masklet_id": []}, "SA-V"),
        ({"videos": [], "annotations": []}, "YouTube-VIS"),
        ({"cat": {"00000": {}}}, FORMS[-1].name),
        ({"videos": {"00000": {}}}, FORMS[-1].name),
    ],
)
def test_a_document_is_known_by_its_keys(document, name):
    assert next(form for form in FORMS if form.recognises(document)).name == name


@pytest.mark.parametrize(
    ("step", "scored"), [(5, [7, 12]), (1, [3, 6, 7, 12]), (2, [6])]
)
def test_frames_of_a_range_are_stepped_by_the_protocol(step, scored):
    """Annotated 2, 3, 6, 7, 12, 17; range 2..18; first and last are not scored."""
    annotated = [2, 3, 6, 7, 12, 17]
    masks = {f"{t:05d}": np.ones((2, 2), np.uint8) for t in annotated}
    truth = ArraySequence("clip", masks)
    rules = replace(get_protocol("lvos"), range_step=step)
    frames = object_frames(truth, 1, rules, {1: (2, 18)})
    assert frames == {f"{t:05d}" for t in scored}
    assert get_protocol("lvos").range_step == 5


@pytest.mark.parametrize("step", [0, -1, "5"])
def test_a_step_is_a_positive_integer(step):
    with pytest.raises(ValueError, match="range_step"):
        replace(get_protocol("lvos"), range_step=step)
