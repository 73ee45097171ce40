"""Mask files as the App shows them: an object has one colour, whatever the palette."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from PIL import Image
from small_benchmark import own_name

import s3fo
from evaluation.masks.label_map import davis_palette, read_label_map, write_label_map
from s3fo.benchmarks import VideoSequence
from s3fo.datasets.importing.stored_masks import files_to_show, mask_targets
from s3fo.datasets.views.colours import object_colour

IDS = np.tile(np.arange(12, dtype=np.uint8), (9, 2))
OTHER_PALETTE = [0, 0, 0, 236, 95, 103, 249, 145, 87, *range(120)]


def written(path: Path, mode: str, bits: int | None = None) -> Path:
    """The same ids as YouTube-VOS has them (its own palette), or in grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(IDS)
    if mode == "P":
        image.putpalette(OTHER_PALETTE)
    image.save(path, **({"bits": bits} if bits else {}))
    return path


def shown_colours(path: Path) -> dict[int, str]:
    """Colour of each id in a file that is shown instead of `IDS`."""
    colours = np.asarray(Image.open(path).convert("RGB"))
    return {
        int(key): "#{:02X}{:02X}{:02X}".format(*colours[key == IDS][0])
        for key in np.unique(IDS[IDS > 0])
    }


def test_files_with_davis_palette_are_shown_themselves(tmp_path, cache):
    write_label_map(tmp_path / "0.png", IDS)
    files = {"0": tmp_path / "0.png"}
    assert files_to_show(files) is files
    assert shown_colours(files["0"])[3] == object_colour(3)
    assert files_to_show({}) == {}


@pytest.mark.parametrize(("highest", "own"), [(7, True), (8, False)])
def test_colours_may_end_with_the_last_object(tmp_path, cache, highest, own):
    """DAVIS's first colours, then black: right as long as no id is black."""
    ids = np.where(highest >= IDS, IDS, 0).astype(np.uint8)
    image = Image.fromarray(ids)
    image.putpalette(davis_palette()[:8].tobytes() + bytes(3 * 248))
    image.save(tmp_path / "0.png")
    files = {"0": tmp_path / "0.png"}
    assert (files_to_show(files) is files) == own
    shown = np.asarray(Image.open(files_to_show(files)["0"]).convert("RGB"))
    assert np.array_equal(shown, davis_palette()[ids])


@pytest.mark.parametrize("bits", [None, 4])
def test_other_palettes_are_shown_in_the_objects_colours(tmp_path, cache, bits):
    path = written(tmp_path / "0.png", "P", bits)
    before = path.read_bytes()
    (shown,) = files_to_show({"0": path}).values()
    assert shown.is_relative_to(cache)
    assert np.array_equal(read_label_map(shown), IDS)
    assert shown_colours(shown) == {key: object_colour(key) for key in range(1, 12)}
    assert path.read_bytes() == before
    made = shown.stat().st_mtime_ns
    assert files_to_show({"0": path})["0"].stat().st_mtime_ns == made


def test_grey_files_are_told_by_integers(tmp_path):
    path = written(tmp_path / "0.png", "L")
    files = {"0": path}
    assert files_to_show(files) is files
    assert mask_targets(path)[2] == "object 2"


def test_of_binary_masks_every_pixel_is_object_1(tmp_path, cache):
    for mode in "LP":
        path = written(tmp_path / f"{mode}.png", mode)
        shown = files_to_show({"0": path}, binary=True)["0"]
        assert set(shown_colours(shown).values()) == {object_colour(1)}


def test_what_is_no_mask_is_left_to_whoever_reads_it(tmp_path):
    (tmp_path / "0.png").write_bytes(b"nothing")
    files = {"0": tmp_path / "0.png"}
    assert files_to_show(files) is files
    with pytest.raises(OSError):
        mask_targets(files["0"])


def test_a_dataset_shows_ground_truth_and_results_alike(benchmark, tmp_path):
    """Ground truth with another palette, results in grey: colours agree."""
    pair = benchmark["pair"]
    odd, results = {}, tmp_path / "results/pair"
    results.mkdir(parents=True)
    for frame in pair.frames:
        ids = Image.fromarray(pair.read_annotation(frame))
        ids.save(results / f"{frame}.png")
        ids.putpalette(OTHER_PALETTE)
        odd[frame] = tmp_path / f"{frame}.png"
        ids.save(odd[frame])
    sequence: VideoSequence = replace(pair, annotations=odd)
    dataset = s3fo.load_benchmark(
        replace(benchmark, sequences=(sequence,)),
        dataset_name=own_name("palettes"),
        masks="reference",
    )
    try:
        s3fo.add_predictions(dataset, tmp_path / "results", "grey")
        paths = dataset.values("frames.ground_truth_mask.mask_path", unwind=True)
        assert len(paths) == 8 and not set(paths) & set(map(str, odd.values()))
        targets = dataset.mask_targets
        for name in ("frames.ground_truth_mask", "ground_truth_mask"):
            assert targets[name][object_colour(2).lower()] == "object 2"
        fields = {item["path"]: item for item in dataset.app_config.color_scheme.fields}
        for name in ("frames.grey_mask", "grey_mask"):
            colour = fields[name]["maskTargetsColors"][1]
            assert colour == {"intTarget": 2, "color": object_colour(2)}
            assert targets[name][2] == "object 2"
        fo.load_dataset(dataset.name).reload()
    finally:
        dataset.delete()
