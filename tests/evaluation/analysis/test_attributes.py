"""Measured attributes follow what was drawn, whatever resolution and frame rate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn_videos import DrawnVideo, draw, during, paint, still, travel

from evaluation.attributes import ATTRIBUTES, Attributes, object_attributes
from evaluation.attributes.occlusion import visibility_dip
from evaluation.attributes.video import open_videos
from evaluation.errors import InputError
from evaluation.masks.label_map import write_label_map
from evaluation.options import InputOptions
from evaluation.scoring import score
from s3fo.benchmarks import open_folders


def measured(videos: list[DrawnVideo], name: str, object_id: int = 1) -> np.ndarray:
    objects = object_attributes(videos).objects
    return objects.loc[objects["object"] == object_id, name].to_numpy(float)


def spearman(injected: list[float], found: np.ndarray) -> float:
    return float(pd.Series(injected).corr(pd.Series(found), method="spearman"))


def covering(fraction: float, annotated: bool) -> DrawnVideo:
    """A walking disk of which a passing one covers a fraction for half a second."""
    # Two disks of radius r at distance d: d = 2r touches, d = 0 covers wholly.
    distance = 2 * 0.15 * (1 - fraction) * 180 / 320

    def over(t: int) -> tuple[float, float, float, float]:
        away = 0 if 14 <= t < 26 else 0.4
        return 0.3 + 0.003 * t + distance + away, 0.5, 0.15, 0.15

    target = travel(0.3, 0.003, 0.5, 0.15)
    if annotated:
        return draw({1: target, 2: over}, 40)
    return draw({1: target}, 40, walls=[over])


FRACTIONS = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]


@pytest.mark.seconds
@pytest.mark.parametrize("annotated", [True, False])
def test_occlusion_follows_how_much_is_covered(annotated: bool) -> None:
    videos = [
        replace(covering(fraction, annotated), name=f"{fraction}")
        for fraction in FRACTIONS
    ]
    assert spearman(FRACTIONS, measured(videos, "occlusion")) >= 0.98


def test_size_speed_and_length_follow_what_was_drawn() -> None:
    halves = [0.02, 0.04, 0.08, 0.16, 0.3]
    sizes = [draw({1: still(0.5, 0.5, h)}, 4, name=f"{h}") for h in halves]
    found = measured(sizes, "size")
    assert np.allclose(found, [np.pi * h**2 * 180 / 320 for h in halves], rtol=0.1)
    speeds = [0.0, 0.001, 0.002, 0.005, 0.01, 0.02]
    moving = [draw({1: travel(0.2, s, 0.5, 0.1)}, 24, name=f"{s}") for s in speeds]
    diagonal = np.hypot(180, 320) / 320
    injected = np.array(speeds) * 24 / diagonal
    assert np.allclose(measured(moving, "speed"), injected, rtol=0.08)
    lengths = [1, 2, 7, 50, 51, 130]
    videos = [
        draw({1: still(0.5, 0.5, 0.1)}, n, name=f"{n}", size=(36, 64)) for n in lengths
    ]
    assert measured(videos, "length").tolist() == lengths
    buckets = object_attributes(videos).objects["length_bucket"]
    assert buckets.tolist() == ["1-50"] * 4 + ["51-100", "101-300"]


def test_an_object_cut_into_parts_is_occluded() -> None:
    """A thin pole hides next to nothing, and yet official tags count it."""

    def behind(width: float) -> DrawnVideo:
        pole = lambda t: (0.5, 0.5, width, 2.0)  # noqa: E731
        return draw({1: still(0.5, 0.5, 0.2)}, 12, name=f"{width}", walls=[pole])

    objects = object_attributes([behind(1e-4), behind(0.01)]).objects
    assert objects["visibility_dip"].max() < 0.1
    assert objects["auto_OCC"].tolist() == [False, True]


def test_a_steady_stride_is_a_deformation() -> None:
    """Its period of a second must not make it look rigid."""

    def striding(t: int) -> tuple[float, float, float, float]:
        width = 0.1 + 0.04 * np.sin(2 * np.pi * t / 24)
        return 0.5, 0.5, width, 0.1

    rigid, walker = (draw({1: path}, 48) for path in (still(0.5, 0.5, 0.1), striding))
    assert measured([rigid], "deformation")[0] < 0.02
    assert measured([walker], "deformation")[0] > 0.15


def test_absences_are_counted_timed_and_explained() -> None:
    behind = during(still(0.5, 0.5, 0.1), lambda t: not (10 <= t < 22 or t == 30))
    out = travel(0.1, 0.02, 0.85, 0.1)
    back = lambda t: out(t) if t < 55 else out(110 - t)  # noqa: E731
    attributes = object_attributes([draw({1: behind, 2: back}, 96)])
    hidden, left = attributes.objects.to_dict("records")
    # The single absent frame 30 is shorter than `min_gap`.
    assert (hidden["absences"], hidden["reappearances"]) == (1, 1)
    assert hidden["longest_gap"] == pytest.approx(0.5)
    assert hidden["disappearance"] == pytest.approx(13 / 95)
    assert hidden["auto_DR"] and hidden["auto_OCC"] and not hidden["auto_OUT"]
    assert left["left_frame"] == 1 and left["auto_OUT"] and not left["auto_OCC"]
    frames = attributes.frames
    assert set(frames.loc[(frames["object"] == 2), "absence"]) == {"", "left frame"}
    assert set(frames.loc[(frames["object"] == 1), "absence"]) == {"", "hidden"}
    hidden_frames = frames[(frames["object"] == 1) & ~frames["visible"]]
    assert (hidden_frames["occlusion"] == 1).all()
    assert (
        frames.loc[(frames["object"] == 2) & ~frames["visible"], "occlusion"]
        .isna()
        .all()
    )


def test_disappearance_follows_the_absent_share() -> None:
    shares = [0, 3, 6, 12, 18, 24, 30]
    videos = [
        draw(
            {1: during(still(0.5, 0.5, 0.1), lambda t, n=n: not 5 <= t < 5 + n)},
            40,
            name=f"{n}",
        )
        for n in shares
    ]
    assert spearman(shares, measured(videos, "disappearance")) == pytest.approx(1)
    assert spearman(shares, measured(videos, "longest_gap")) == pytest.approx(1)


def test_similarity_follows_how_alike_colours_are(tmp_path: Path) -> None:
    mixes = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]
    red, blue = np.array([200, 40, 40]), np.array([40, 60, 200])
    videos = []
    for mix in mixes:
        video = draw(
            {1: still(0.3, 0.5, 0.2), 2: still(0.7, 0.5, 0.2)}, 3, name=f"{mix}"
        )
        colours = {
            0: (90, 140, 90),
            1: tuple(red),
            2: tuple(mix * red + (1 - mix) * blue),
        }
        videos.append(paint(video, tmp_path / f"{mix}", colours))
    found = measured(videos, "similarity")
    assert spearman(mixes, found) >= 0.95
    assert found[-1] > 0.95 > 0.5 > found[0]


def test_a_distractor_in_the_background_is_noticed(tmp_path: Path) -> None:
    values = []
    for twin in (False, True):
        video = draw({1: still(0.25, 0.5, 0.2)}, 3)
        if twin:
            both = draw({1: still(0.25, 0.5, 0.2), 2: still(0.75, 0.5, 0.2)}, 3)
        else:
            both = video
        colours = {0: (90, 140, 90), 1: (200, 40, 40), 2: (200, 40, 40)}
        painted = paint(both, tmp_path / str(twin), colours)
        values.append(
            measured([replace(video, images=painted.images)], "background_similarity")[
                0
            ]
        )
    assert values[1] > 0.9 > 0.6 > values[0]


def test_objects_never_in_view_together_are_compared_apart(tmp_path: Path) -> None:
    early = during(still(0.5, 0.5, 0.2), lambda t: t < 10)
    late = during(still(0.5, 0.5, 0.2), lambda t: t >= 14)
    video = paint(
        draw({1: early, 2: late}, 24),
        tmp_path,
        {0: (90, 140, 90), 1: (200, 40, 40), 2: (200, 40, 40)},
    )
    objects = object_attributes([video]).objects
    assert objects["similarity"].isna().all()
    assert (objects["similarity_apart"] > 0.95).all()


def test_cuts_are_found_and_soft_changes_are_not(tmp_path: Path) -> None:
    video = draw({1: still(0.5, 0.5, 0.2)}, 40)
    one = paint(video, tmp_path / "a", {0: (90, 140, 90), 1: (200, 40, 40)})
    two = paint(video, tmp_path / "b", {0: (150, 60, 150), 1: (40, 200, 220)})
    frames = list(video.frames)
    mixed = {f: (one if i < 17 else two).images[f] for i, f in enumerate(frames)}
    attributes = object_attributes([replace(video, images=mixed)])
    assert attributes.objects["scene_cuts"].tolist() == [1]
    assert attributes.frames.loc[attributes.frames["scene_cut"], "frame"].tolist() == [
        "00017"
    ]
    assert object_attributes([one]).objects["scene_cuts"].tolist() == [0]


def test_an_object_that_a_cut_takes_away_is_not_occluded(tmp_path: Path) -> None:
    there = during(still(0.5, 0.5, 0.2), lambda t: not 10 <= t < 20)
    video = paint(draw({1: there}, 30), tmp_path, {0: (90, 90, 90), 1: (200, 40, 40)})
    masks_alone = object_attributes([video], images=False).objects.iloc[0]
    assert masks_alone["auto_OCC"] and masks_alone["occlusion"] > 0.3
    for frame in list(video.frames)[10:20]:
        cv2.imwrite(str(video.images[frame]), np.full((180, 320, 3), (200, 30, 30)))
    attributes = object_attributes([video])
    row = attributes.objects.iloc[0]
    assert row["scene_cuts"] == 2 and row["reappearances"] == 1
    assert not row["auto_OCC"] and row["occlusion"] < 0.01
    assert set(attributes.frames["absence"]) == {"", "new shot"}


def lively(size: tuple[int, int], name: str) -> DrawnVideo:
    """Two objects that move, grow, touch and deform."""

    def grower(t: int) -> tuple[float, float, float, float]:
        half = 0.1 + 0.002 * t
        return 0.25 + 0.004 * t, 0.5, half, half * (1 + 0.3 * np.sin(t / 8))

    return draw({1: grower, 2: travel(0.75, -0.003, 0.55, 0.14)}, 72, size, name)


TOLERANCES = {
    "size": 0.01,
    "length": 0.03,
    "duration": 0.03,
    "speed": 0.05,
    "relative_speed": 0.05,
    "box_overlap": 0.03,
    "contact": 0.2,
    "scale_change": 0.03,
    "complexity": 0.1,
    "solidity": 0.02,
    "deformation": 0.15,
    "crowdedness": 0.05,
}
"""Relative differences allowed between resolutions and frame rates."""


@pytest.fixture(scope="module")
def sizes() -> list[pd.DataFrame]:
    """Objects of the same video at two resolutions."""
    videos = [lively(size, "v") for size in [(720, 1280), (240, 426)]]
    return [object_attributes([video]).objects for video in videos]


@pytest.fixture(scope="module")
def rates() -> list[pd.DataFrame]:
    """Objects of the same video at full, half and a quarter of its frame rate."""
    video = lively((240, 426), "v")
    return [object_attributes([video.every(step)]).objects for step in (1, 2, 4)]


@pytest.mark.parametrize("name", list(TOLERANCES))
def test_values_do_not_depend_on_resolution(
    sizes: list[pd.DataFrame], name: str
) -> None:
    large, small = sizes
    assert np.allclose(large[name], small[name], rtol=TOLERANCES[name], atol=0.03)


@pytest.mark.parametrize("name", sorted({*TOLERANCES} - {"length"}))
def test_values_do_not_depend_on_the_frame_rate(
    rates: list[pd.DataFrame], name: str
) -> None:
    full, *thinned = rates
    for table in thinned:
        tolerance = 2 * TOLERANCES[name]
        assert np.allclose(full[name], table[name], rtol=tolerance, atol=0.02)


def test_sparse_ground_truth_is_measured_and_said() -> None:
    video = lively((240, 426), "v")
    full = object_attributes([video]).objects
    fifth = object_attributes([video.annotated_only(list(video.frames)[::5])])
    for name in ("size", "duration", "speed", "scale_change"):
        assert np.allclose(full[name], fifth.objects[name], rtol=0.1, atol=0.01), name
    assert any("not every frame" in note for note in fifth.notes)
    first = object_attributes([video.annotated_only(["00000"])])
    assert any("only one frame" in note for note in first.notes)
    for name in ("speed", "length", "disappearance", "deformation", "scale_change"):
        assert first.objects[name].isna().all(), name
    assert first.objects["auto_FM"].isna().all()
    assert first.objects["size"].notna().all()


def test_numbers_in_names_count_the_frames_between_bare_masks() -> None:
    video = draw({1: travel(0.1, 0.004, 0.5, 0.1), 2: still(0.8, 0.3, 0.1)}, 41)
    fifth = {f: m for f, m in video.label_maps.items() if int(f) % 5 == 0}

    def first(masks: dict[str, np.ndarray]) -> pd.Series:
        return object_attributes({"v": masks}, fps=24, workers=1).objects.iloc[0]

    every, sparse = first(dict(video.label_maps)), first(fifth)
    assert sparse["length"] == every["length"] == 41
    assert sparse["speed"] == pytest.approx(every["speed"], rel=0.05)
    # Times in nanoseconds are names, too, but no numbers of frames.
    stamps = {str(10**18 + int(f) * 10**7): m for f, m in fifth.items()}
    assert first(stamps)["length"] == len(fifth)


def test_videos_that_say_little_are_measured_as_far_as_they_go() -> None:
    mask = np.zeros((90, 160), np.uint8)
    empty = mask.copy()
    mask[20:60, 30:70] = 255
    nothing = object_attributes({"v": {"0": empty, "1": empty}}, workers=1)
    assert nothing.objects.empty and nothing.frames.empty
    assert any("no object" in note for note in nothing.notes)
    # 0/255 masks of one object that is not there yet: 255 is no void.
    late = object_attributes({"v": {"0": empty, "1": mask, "2": mask}}, workers=1)
    assert late.objects["object"].tolist() == [1]
    single = object_attributes({"v": {"0": mask}}, fps=5, workers=1).objects.iloc[0]
    assert single["duration"] == pytest.approx(1 / 5)
    assert pd.isna(single["auto_OCC"]) and pd.isna(single["auto_DR"])


def test_hidden_for_good_inside_the_frame_is_occluded() -> None:
    gone = draw({1: during(still(0.5, 0.5, 0.2), lambda t: t < 10)}, 20)
    row = object_attributes([gone], workers=1).objects.iloc[0]
    assert row["auto_OCC"] and not row["auto_OUT"] and not row["auto_DR"]


def test_unknown_frame_rate_is_said() -> None:
    video = replace(lively((120, 213), "v"), fps=None)
    assert any("24 assumed" in note for note in object_attributes([video]).notes)


def test_official_tags_stand_beside_the_computed_ones() -> None:
    still_video = draw({1: still(0.5, 0.5, 0.1)}, 24, name="tagged")
    videos = [
        replace(still_video, attributes=("FM", "XX")),
        replace(still_video, name="bare", attributes=()),
        replace(still_video, name="unknown"),
    ]
    attributes = object_attributes(videos)
    assert attributes.official_tags == ["FM", "XX"]
    official = attributes.objects["official_FM"]
    assert official.tolist()[:2] == [True, False] and official.isna()[2]
    assert attributes.objects["auto_FM"].tolist() == [False] * 3
    row = attributes.agreement().set_index("tag").loc["FM"]
    assert (row["official_only"], row["neither"], row["agreement"]) == (1, 1, 0.5)


def test_neighbours_of_the_same_category_are_counted() -> None:
    paths = {k: still(0.2 * k, 0.5, 0.05) for k in (1, 2, 3)}
    known = [
        SimpleNamespace(object_id=k, category=c)
        for k, c in zip((1, 2, 3), "aab", strict=True)
    ]
    objects = object_attributes([replace(draw(paths, 2), known_objects=known)]).objects
    assert objects["same_category"].tolist() == [1, 1, 0]
    assert objects["n_objects"].tolist() == [3, 3, 3]


def test_overlapping_masks_are_measured_apart() -> None:
    whole = np.zeros((60, 80), bool)
    whole[10:50, 10:70] = True
    part = np.zeros_like(whole)
    part[20:30, 20:40] = True
    masks = SimpleNamespace(
        read=lambda frame: {4: whole, 9: part, 11: np.zeros_like(part)}
    )
    video = SimpleNamespace(
        name="v",
        frames=["0", "1"],
        images={},
        annotated_frames=["0", "1"],
        fps=24,
        object_masks=masks,
    )
    objects = object_attributes([video]).objects.set_index("object")
    assert objects["size"].to_dict() == {4: 2400 / 4800, 9: 200 / 4800}
    assert objects.loc[9, "box_overlap"] == 1


def test_sixteen_bit_ids_are_kept() -> None:
    label_map = np.zeros((40, 60), np.uint16)
    label_map[5:20, 5:20], label_map[25:35, 30:50] = 300, 7
    video = DrawnVideo("v", {"0": label_map}, ["0"])
    assert object_attributes([video]).objects["object"].tolist() == [7, 300]


def test_any_extractor_can_give_the_similarity(tmp_path: Path) -> None:
    class Side:
        name = "which half of the image"
        side = 64

        def __call__(self, image: np.ndarray, regions: list) -> np.ndarray:
            left = [region.centroid[1] < image.shape[1] / 2 for region in regions]
            return np.array([[one, not one] for one in left], np.float32)

    paths = {1: still(0.2, 0.3, 0.1), 2: still(0.3, 0.7, 0.1), 3: still(0.8, 0.5, 0.1)}
    video = paint(
        draw(paths, 2),
        tmp_path,
        {0: (0, 0, 0), 1: (9, 9, 9), 2: (9, 9, 9), 3: (9, 9, 9)},
    )
    attributes = object_attributes([video], extractor=Side())
    assert attributes.objects["similarity"].tolist() == [1, 1, 0]
    assert attributes.objects["similar_to"].tolist()[:2] == [2, 1]
    assert attributes.extractor == "which half of the image"


def test_tables_survive_saving(tmp_path: Path) -> None:
    video = replace(lively((120, 213), "v"), attributes=("FM",))
    looks = {"sequence": ["v"], "object": [1], "descriptor": [np.float32([0.6, 0.8])]}
    attributes = replace(object_attributes([video]), descriptors=pd.DataFrame(looks))
    attributes.save(tmp_path)
    loaded = Attributes.load(tmp_path)
    assert (
        loaded.descriptors["descriptor"][0].tolist() == looks["descriptor"][0].tolist()
    )
    pd.testing.assert_frame_equal(attributes.objects, loaded.objects)
    pd.testing.assert_frame_equal(attributes.frames, loaded.frames)
    assert (loaded.notes, loaded.extractor) == (attributes.notes, attributes.extractor)
    with pytest.raises(InputError, match="no saved attributes"):
        Attributes.load(tmp_path / "elsewhere")


def test_every_attribute_is_a_column_even_without_images() -> None:
    objects = object_attributes([lively((120, 213), "v")]).objects
    assert set(ATTRIBUTES) <= set(objects)


def test_folders_are_read_in_natural_order_and_workers_change_nothing(
    tmp_path: Path,
) -> None:
    for name, speed in (("one", 0.01), ("two", 0.0)):
        video = draw({1: travel(0.3, speed, 0.5, 0.1)}, 12, name=name, size=(60, 100))
        for index, frame in enumerate(video.frames):
            values = video.label_maps[frame] * (255 if name == "two" else 1)
            write_label_map(tmp_path / name / f"{index}.png", values)
    done: list[int] = []
    alone = object_attributes(
        tmp_path, fps=24, workers=1, progress=lambda *at: done.append(at[0])
    )
    shared_out = object_attributes(tmp_path, fps=24, workers=2)
    pd.testing.assert_frame_equal(alone.objects, shared_out.objects)
    assert alone.frames["frame"].tolist()[:12] == [str(n) for n in range(12)]
    assert alone.objects["object"].tolist() == [1, 1] and done[-1] == 24


def test_bad_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        object_attributes(tmp_path / "nowhere")
    with pytest.raises(InputError, match="empty folder"):
        object_attributes(tmp_path)
    video = draw({1: still(0.5, 0.5, 0.1)}, 2, name="here")
    with pytest.raises(InputError, match="there"):
        object_attributes([video], sequences=["there"])
    for rate in ({"fps": 0}, {"fps": -24.0}, {"appearance_rate": 0}):
        with pytest.raises(InputError, match="above 0"):
            object_attributes([video], **rate)
    broken = replace(video, images={"00000": tmp_path / "missing.jpg"})
    with pytest.raises(InputError, match=r"missing\.jpg"):
        object_attributes([broken])
    cv2.imwrite(str(tmp_path / "cut.png"), np.zeros((64, 64, 3), np.uint8))
    cropped = replace(video, images={"00000": tmp_path / "cut.png"})
    with pytest.raises(InputError, match=r"cut\.png.*64x64 pixels beside masks of"):
        object_attributes([cropped])


def test_agreement_with_the_official_tags_of_davis(shared: Path) -> None:
    """Fast motion and scale variation agree on at least 9 of 10 sequences."""
    root = shared / "data/davis2016-val/Annotations/480p"
    facts = (shared / "reference/davis_sequences_attributes.json").read_text()
    official = json.loads(facts)["sequences"]
    videos = []
    for video in open_videos(root, fps=24):
        frames = list(video.frames)
        maps = {
            f: cv2.resize(
                video.read_annotation(f), (427, 240), interpolation=cv2.INTER_NEAREST
            )
            for f in frames
        }
        tags = tuple(official[video.name]["attributes"])
        videos.append(DrawnVideo(video.name, maps, frames, attributes=tags))
    agreement = object_attributes(videos).agreement().set_index("tag")["agreement"]
    assert agreement["FM"] >= 0.9 and agreement["SV"] == 1 and agreement["LR"] >= 0.9


@pytest.mark.parametrize(("contact", "expected"), [(0.02, 0.5), (0.03, 0.0)])
def test_a_dip_at_the_border_is_no_occlusion(contact: float, expected: float) -> None:
    """Half of the area is missing in frame 5; up to 2 % of contact explains nothing."""
    areas, border = np.full(11, 100.0), np.zeros(11)
    areas[5], border[5] = 50, contact
    dips = visibility_dip(areas, border, np.arange(11) / 10)
    assert dips[5] == expected
    assert not dips[np.arange(11) != 5].any()


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("binarize", [False, True])
@pytest.mark.parametrize("void", [None, 2, 255])
def test_sizes_are_of_the_masks_that_are_scored(tmp_path, void, binarize, beside):
    # 12 pixels of object 1, 6 of object 2 and 4 of void, of 80.
    values = np.zeros((8, 10), np.uint8)
    values[2:5, 1:5], values[2:5, 6:8], values[6, 1:5] = 1, 2, 255
    for frame in range(3):
        write_label_map(tmp_path / f"gt/v/{frame:05d}.png", values)
        (tmp_path / "images/v").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / f"images/v/{frame:05d}.bmp"), values)
    truth = tmp_path / "gt"
    source = open_folders(tmp_path / "images", truth) if beside else truth
    options = InputOptions(void=void, binarize=binarize)
    sizes = object_attributes(source, options=options, workers=2).objects["size"]
    scored = score(truth, source, "davis-2017", options=options).frames["gt_area"]
    expected = {
        (None, False): [12, 6], (2, False): [12], (255, False): [12, 6],
        (None, True): [22], (2, True): [16], (255, True): [18],
    }[void, binarize]  # fmt: skip
    assert [round(80 * size) for size in sizes] == expected == scored.tolist()
