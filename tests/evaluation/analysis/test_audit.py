"""The audit of ground truth: errors drawn by hand, and clean videos left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn_videos import DrawnVideo
from PIL import Image
from typer.testing import CliRunner

from evaluation import InputError, object_attributes, score
from evaluation.audit import (
    Audit,
    ErrorKind,
    audit_ground_truth,
    jumps,
    scores_without,
    side_by_side,
)
from evaluation.audit.edges import EdgeTracker
from evaluation.audit.kinds import confidence
from evaluation.audit.steady import copies
from evaluation.audit.tracks import follow
from evaluation.masks.label_map import write_label_map

LENGTH = 16
SPEED = 3
Frames = dict[str, np.ndarray]


def square(
    key: int = 1,
    top: int = 20,
    side: int = 30,
    left: int = 10,
    speed: int = SPEED,
    width: int = 160,
) -> Frames:
    """A square that goes right by some pixels per frame, and nothing else."""
    frames = {}
    for t in range(LENGTH):
        frame = np.zeros((90, width), np.uint8)
        frame[top : top + side, left + speed * t : left + side + speed * t] = key
        frames[f"{t:05d}"] = frame
    return frames


def events(frames: Frames, **more: object) -> list[tuple[int, str, str, str]]:
    audit = audit_ground_truth({"v": frames}, images=False, workers=1, **more)
    columns = ["object", "kind", "start", "end"]
    return list(audit.events[columns].itertuples(index=False, name=None))


def test_a_clean_video_raises_nothing() -> None:
    audit = audit_ground_truth({"v": square()}, images=False)
    assert len(audit.events) == 0
    assert audit.n_object_frames == LENGTH
    assert "without images" in audit.notes[0]


def test_specks_are_counted_with_their_pixels() -> None:
    frames = square()
    for place in (5, 15, 25, 35, 45):
        frames["00007"][80, place : place + 2] = 1
    audit = audit_ground_truth({"v": frames}, images=False)
    assert list(audit.events["kind"]) == ["specks"]
    assert audit.events["reason"][0].startswith("5 small part(s) of 10 pixels")
    assert list(audit.frames["frame"]) == ["00007"]


def test_parts_that_stay_are_no_specks() -> None:
    frames = square()
    for frame in frames.values():
        for place in (5, 15, 25, 35, 45):
            frame[80, place : place + 2] = 1
    assert events(frames) == []


def test_pinholes_are_found_and_holes_that_another_object_fills_are_not() -> None:
    frames = square()
    left = 10 + SPEED * 7
    for column in (8, 15, 22):
        frames["00007"][35, left + column] = 0
    assert events(frames) == [(1, "pinholes", "00007", "00007")]
    for column in (8, 15, 22):
        frames["00007"][35, left + column] = 2
    assert "pinholes" not in {kind for _, kind, *_ in events(frames)}


def test_pinholes_of_a_fast_object_are_looked_for_where_it_has_moved() -> None:
    frames = square(speed=25, side=20, left=0, width=420)
    for column in (6, 10, 14):
        frames["00007"][30, 25 * 7 + column] = 0
    assert events(frames) == [(1, "pinholes", "00007", "00007")]


def test_few_large_holes_are_no_pinholes() -> None:
    """Three gaps of 40 pixels weigh 3 * 20 / 60 = 1, below 1.7; of 3 pixels 2.6."""
    for height, found in ((40, []), (3, [(1, "pinholes", "00007", "00007")])):
        frames = square(side=70, top=10)
        for column in (20, 35, 50):
            frames["00007"][30 : 30 + height, 10 + SPEED * 7 + column] = 0
        assert events(frames) == found


def test_holes_near_the_outline_are_no_pinholes() -> None:
    """From 3 pixels of the object around it on, a hole is in its middle."""
    for row, found in ((22, []), (23, [(1, "pinholes", "00007", "00007")])):
        frames = square()
        for column in (5, 10, 15, 20, 25):
            frames["00007"][row, 10 + SPEED * 7 + column] = 0
        assert events(frames) == found


def test_holes_where_little_around_them_is_filled_tell_half_as_much() -> None:
    """Two weigh 2 * 20 / 21 = 1.9, or half that: below 1.7 where rows beside end."""
    for rest, found in ((4, [(1, "pinholes", "00007", "00007")]), (3, []), (1, [])):
        frames = square(speed=1)
        for t in (6, 8):
            frames[f"{t:05d}"][35 + rest + 1 :] = 0
        for column in (8, 22):
            frames["00007"][35, 17 + column] = 0
        assert [one for one in events(frames) if one[1] == "pinholes"] == found


def test_gaps_of_an_object_that_is_being_hidden_are_no_pinholes() -> None:
    frames = square()
    for t in (6, 8):
        frames[f"{t:05d}"][20:39] = 0
    for column in (8, 15, 22):
        frames["00007"][45, 10 + SPEED * 7 + column] = 0
    assert "pinholes" not in {kind for _, kind, *_ in events(frames)}


def test_parts_that_come_and_go_where_there_are_many_are_no_specks() -> None:
    """50 dots that stay: from 4 + 0.2 * (50 - 20) = 10 on, more of them are specks."""
    for more, found in ((9, []), (10, [(1, "specks", "00007", "00007")])):
        frames = square(side=40, top=5)
        for frame in frames.values():
            frame[60:70:2, 2:102:10] = 1
        frames["00007"][80, 4 : 4 + 8 * more : 8] = 1
        assert events(frames) == found


def test_an_object_gone_for_two_frames_vanishes_and_for_four_it_is_absent() -> None:
    frames = square()
    for t in (6, 7):
        frames[f"{t:05d}"][:] = 0
    assert events(frames) == [(1, "vanishes", "00006", "00007")]
    for t in (8, 9):
        frames[f"{t:05d}"][:] = 0
    assert events(frames) == []


def test_an_object_that_is_being_hidden_does_not_vanish() -> None:
    frames = square()
    for t, left_over in ((4, 20), (5, 8), (6, 0), (7, 8), (8, 20)):
        frames[f"{t:05d}"][20 + left_over : 50] = 0
    assert [kind for _, kind, *_ in events(frames)] == []


def test_an_id_of_one_frame_appears_or_is_a_prompt_without_object() -> None:
    frames = square()
    frames["00005"][70:80, 100:120] = 9
    assert events(frames) == [(9, "appears", "00005", "00005")]
    frames = square()
    frames["00000"][70:80, 100:120] = 9
    assert events(frames) == [(9, "prompt without object", "00000", "00000")]


def test_exchanged_ids_name_the_other_one_and_the_stretch() -> None:
    frames = square(1, 5, 30)
    for name, other in square(2, 50, 30).items():
        frames[name] += other
    for t in range(6, 10):
        frame = frames[f"{t:05d}"]
        frames[f"{t:05d}"] = np.where(frame > 0, 3 - frame, 0).astype(np.uint8)
    audit = audit_ground_truth({"v": frames}, images=False)
    columns = ["object", "kind", "other", "start", "end", "n_frames"]
    assert set(audit.events[columns].itertuples(index=False, name=None)) == {
        (1, "ids exchanged", 2, "00006", "00009", 4),
        (2, "ids exchanged", 1, "00006", "00009", 4),
    }


@pytest.mark.parametrize("way", ["half", "moved"])
def test_one_frame_unlike_its_neighbours_is_a_jump(way: str) -> None:
    frames = square()
    if way == "half":
        frames["00008"][35:] = 0
    else:
        frames["00008"] = np.roll(frames["00008"], 25, axis=0)
    assert events(frames) == [(1, "jump", "00008", "00008")]


def bars(areas: dict[int, int]) -> Frames:
    """A bar of 36 x 25 pixels that turns by a quarter in every frame.

    Args:
        areas: rows of the bar's upper part that are missing, by frame.
    """
    frames = {}
    for t in range(LENGTH):
        frame = np.zeros((90, 160), np.uint8)
        height, width = (36, 25) if t % 2 else (25, 36)
        frame[30 + areas.get(t, 0) : 30 + height, 60 : 60 + width] = 1
        frames[f"{t:05d}"] = frame
    return frames


def test_a_sudden_change_of_area_is_a_jump_though_the_shape_changes_too() -> None:
    assert events(bars({})) == []
    audit = audit_ground_truth({"v": bars({7: 18})}, images=False, workers=1)
    assert list(audit.events["kind"]) == ["jump"]
    assert list(audit.frames["frame"]) == ["00007"]
    assert audit.events["reason"][0].startswith("area times 0.50 that of the frames")


def test_an_area_that_shrinks_bit_by_bit_hides_and_does_not_jump() -> None:
    assert events(bars({6: 10, 7: 28, 8: 10})) == []


def test_a_steady_turn_of_the_way_is_no_jump() -> None:
    frames = {
        name: np.roll(frame, max(0, t - 8) * 3, axis=0)
        for t, (name, frame) in enumerate(square().items())
    }
    assert events(frames) == []


def test_copies_count_while_the_object_moves_only() -> None:
    frames = square()
    frames["00008"] = frames["00007"].copy()
    assert (1, "copied", "00008", "00008") in events(frames)
    still = {name: frames["00000"].copy() for name in frames}
    assert events(still) == []


def test_a_mask_that_stays_on_the_edges_of_its_object_is_no_copy() -> None:
    """Four frames alike: the object rests, or its outline was left behind."""
    frames = list(square().values())
    frames[8:12] = [frames[7]] * 4
    tracks, _ = follow(iter(frames), len(frames), lambda index, regions: None)
    rests = np.full(len(frames), 20.0)
    left = rests.copy()
    left[8:12] = 18, 14, 10, 6
    assert not list(copies(tracks[1], rests))
    for edges in (left, None, np.full(len(frames), np.nan)):
        assert [(e.start, e.end) for e in copies(tracks[1], edges)] == [(8, 12)]


def test_two_methods_against_the_ground_truth() -> None:
    clean = square()
    frames = {name: frame.copy() for name, frame in clean.items()}
    frames["00003"][30:] = 0  # 10 of 30 rows are left: IoU 1/3
    methods = {"a": {"v": clean}, "b": {"v": clean}}
    audit = audit_ground_truth({"v": frames}, images=False, methods=methods)
    found = audit.events[audit.events["kind"] == ErrorKind.METHODS_AGREE.value]
    assert list(found["start"]) == ["00003"]
    assert "0.33 with the ground truth" in found["reason"].iloc[0]
    # 1 - 1/3 against a threshold of 1/2: 1 - 0.5 * 0.5 / (2/3)
    assert found["confidence"].iloc[0] == pytest.approx(0.625)
    with pytest.raises(InputError, match="results of one method"):
        audit_ground_truth({"v": frames}, methods={"a": {"v": clean}})


def test_a_copy_of_a_method_is_told(tmp_path: Path) -> None:
    frames = square()
    for name in ("a", "b", "c"):
        for frame, mask in frames.items():
            mask = np.roll(mask, 3, axis=1) if name == "c" else mask
            write_label_map(tmp_path / name / "v" / f"{frame}.png", mask)
    methods = {name: tmp_path / name for name in ("a", "b", "c")}
    notes = audit_ground_truth({"v": frames}, images=False, methods=methods).notes
    (told,) = [note for note in notes if "byte for byte" in note]
    assert told.startswith("the masks of a and of b are the same")


def _filmed(folder: Path, frames: Frames) -> dict[str, Path]:
    """Images of a bright noisy square on dark ground."""
    paths = {}
    for name, mask in frames.items():
        image = np.where(mask[..., None] > 0, 220, 40).astype(np.uint8)
        image = np.repeat(image, 3, axis=2)
        paths[name] = folder / f"{name}.png"
        cv2.imwrite(str(paths[name]), image)
    return paths


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (None, None, ""),
        ("late", "shifted in time", "2 frame(s) later"),
        ("down", "shifted in space", "6 pixels up"),
    ],
)
def test_masks_are_held_against_edges(
    tmp_path: Path, error: str | None, kind: str | None, words: str
) -> None:
    clean = square()
    images = _filmed(tmp_path, clean)
    names = list(clean)
    masks = clean
    if error == "late":
        # Each frame has the mask of two frames on: the images show it later.
        masks = {n: clean[names[min(t + 2, LENGTH - 1)]] for t, n in enumerate(names)}
    if error == "down":
        masks = {name: np.roll(mask, 6, axis=0) for name, mask in clean.items()}
    audit = audit_ground_truth([DrawnVideo("v", masks, names, images)])
    found = audit.events[audit.events["kind"].str.startswith("shifted")]
    assert list(found["kind"]) == ([kind] if kind else [])
    assert all(words in reason for reason in found["reason"])


def test_masks_that_leave_the_edges_of_a_fast_object_are_a_jump(tmp_path: Path) -> None:
    clean = square(speed=12, width=240)
    images = _filmed(tmp_path, clean)
    wrong = {**clean, "00008": np.roll(clean["00008"], 8, axis=0)}
    assert events(clean) == events(wrong) == []  # the masks alone do not tell
    for masks, found in ((clean, []), (wrong, ["00008"])):
        video = DrawnVideo("v", masks, list(clean), images)
        audit = audit_ground_truth([video], workers=1)
        assert list(audit.frames["frame"]) == found
    assert audit.events["reason"][0].startswith("edges under the outline 0.")


def test_faint_edges_of_an_object_that_comes_into_view_are_no_jump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks, images = {}, {}
    for t in range(LENGTH):
        # 2, 20 and then 40 of its 40 columns are in view; it comes out of the dark.
        mask, right = np.zeros((90, 500), np.uint8), (2, 20)[t] if t < 2 else 18 * t + 4
        mask[20:60, max(0, right - 40) : right] = 1
        name = f"{t:05d}"
        image = np.where(mask[..., None] > 0, 70 if t < 3 else 220, 40)
        images[name] = tmp_path / f"{name}.png"
        cv2.imwrite(str(images[name]), np.repeat(image, 3, axis=2).astype(np.uint8))
        masks[name] = mask
    video = DrawnVideo("v", masks, list(masks), images)
    assert audit_ground_truth([video], workers=1).events.empty
    monkeypatch.setattr(jumps, "COMES_OR_GOES", 0.0)
    assert not audit_ground_truth([video], workers=1).events.empty


def test_few_frames_say_nothing_of_shifts(tmp_path: Path) -> None:
    masks = dict(list(square().items())[:5])
    images = _filmed(tmp_path, masks)
    video = DrawnVideo("v", masks, list(masks), images)
    assert list(EdgeTracker(video).events()) == []


def test_confidence_is_a_half_at_the_threshold() -> None:
    assert confidence(2, 2) == 0.5
    assert confidence(8, 2) == 0.875
    assert confidence(0, 2) == 0.0


def _audit_of(*frames: str) -> Audit:
    rows = pd.DataFrame(
        [("v", 1, f, i, "jump", 0.9) for i, f in enumerate(frames)],
        columns=["sequence", "object", "frame", "event", "kind", "confidence"],
    )
    found = pd.DataFrame({"event": range(len(frames)), "kind": "jump"})
    return Audit(rows, found, LENGTH)


def test_scores_without_confirmed_frames_are_means_of_the_others() -> None:
    truth, results = square(), square()
    results["00004"] = np.zeros_like(results["00004"])
    truth["00009"] = np.zeros_like(truth["00009"])
    scores = score({"v": results}, {"v": truth}, "vos-benchmark")
    # The first and the last frame are not scored. Of the other 14, 2 have J = F = 0.
    assert scores.summary["J"] == pytest.approx(12 / 14)
    audit = _audit_of("00009", "00004")
    without = scores_without(scores, audit.confirmed([0]))
    assert without.summary["J"] == pytest.approx(12 / 13)
    assert "without 1 of 14 object frames" in without.notes[-1]
    table = side_by_side(scores, audit.confirmed([0])).set_index("metric")
    assert table.loc["J&F", "all"] == pytest.approx(12 / 14)
    assert table.loc["J&F", "without"] == pytest.approx(12 / 13)
    assert table.loc["J&F", "difference"] == pytest.approx(12 / 13 - 12 / 14)
    nothing = scores_without(scores, audit.confirmed([]))
    assert nothing.summary["J&F"] == scores.summary["J&F"]


def test_events_and_frames_that_are_not_there_are_refused() -> None:
    audit = _audit_of("00001")
    with pytest.raises(InputError, match="numbers 7"):
        audit.confirmed([7])
    clean = replace(audit, events=audit.events.head(0), frames=audit.frames.head(0))
    with pytest.raises(InputError, match="no score would change"):
        clean.confirmed([0])
    scores = score({"v": square()}, {"v": square()}, "vos-benchmark")
    with pytest.raises(InputError, match="at least one scored frame"):
        scores_without(scores, _audit_of(*square()))
    with pytest.raises(InputError, match="nowhere"):
        audit_ground_truth({"v": square()}, sequences=["nowhere"])


def test_saved_audits_load_as_they_were(tmp_path: Path) -> None:
    frames = square()
    frames["00006"][:] = 0
    audit = audit_ground_truth({"v": frames}, images=False)
    audit.save(tmp_path)
    loaded = Audit.load(tmp_path)
    pd.testing.assert_frame_equal(loaded.events, audit.events)
    pd.testing.assert_frame_equal(loaded.frames, audit.frames)
    assert (loaded.n_object_frames, loaded.notes) == (LENGTH - 1, audit.notes)


def test_the_command_tells_both_scores(tmp_path: Path) -> None:
    from s3fo.cli import app, import_commands

    truth, results = square(), square()
    truth["00009"][:] = 0
    for name in truth:
        for folder, masks in (("gt", truth), ("mine", results)):
            path = tmp_path / folder / "v" / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_label_map(path, masks[name])
    scores = score(tmp_path / "mine", tmp_path / "gt", "vos-benchmark")
    scores.save(tmp_path / "scores")
    import_commands(["audit"])
    words = ["audit", "--gt", str(tmp_path / "gt"), "--out", str(tmp_path / "audit")]
    words += ["--scores", str(tmp_path / "scores"), "--confirm", "0", "--json"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    document = json.loads(told.stdout)
    assert [event["kind"] for event in document["events"]] == ["vanishes"]
    rows = {row["metric"]: row for row in document["scores"]["scores"]}
    assert rows["J"]["all"] == pytest.approx(13 / 14)
    assert rows["J"]["without"] == pytest.approx(1.0)
    assert (tmp_path / "audit" / "audit_events.parquet").is_file()
    shown = CliRunner().invoke(app, ["audit", "--load", str(tmp_path / "audit")])
    assert "The surest event" in shown.stdout  # one, and not 20
    alone = CliRunner().invoke(app, [*words[:3], "--confirm", "0"])
    assert isinstance(alone.exception, InputError)


def test_an_audit_of_another_ground_truth_is_told(tmp_path: Path) -> None:
    broken = square()
    broken["00006"] = np.zeros_like(broken["00006"])
    audit = replace(
        audit_ground_truth({"v": broken}, images=False), ground_truth="a/masks"
    )
    audit.save(tmp_path)
    audit = Audit.load(tmp_path)
    assert audit.ground_truth == "a/masks" and len(audit.frames) > 0
    scores = score({"v": broken}, {"v": broken})
    same = replace(scores, inputs={"ground_truth": "a/../a/masks"})
    assert side_by_side(same, audit).attrs["notes"] == []
    other = replace(scores, inputs={"ground_truth": "b/masks"})
    note = "the audit and the scores are of different ground truths: a/masks and "
    assert side_by_side(other, audit).attrs["notes"] == [note + "b/masks"]
    assert scores_without(other, audit).notes[-1] == note + "b/masks"
    alone = score({"w": square()}, {"w": square()})
    (told,) = side_by_side(alone, audit).attrs["notes"][1:]
    assert told.startswith("1 object of the confirmed events is not scored (v/1)")


def test_scores_of_masks_repaired_after_the_audit_are_told() -> None:
    wrong = square()
    wrong["00006"][:] = 0
    audit = audit_ground_truth({"v": wrong}, images=False)
    before = score({"v": square()}, {"v": wrong}, "vos-benchmark")
    after = score({"v": square()}, {"v": square()}, "vos-benchmark")
    assert not any("differ in" in note for note in scores_without(before, audit).notes)
    told = "that of the audit differ in 1 object frame (v/1)"
    assert told in scores_without(after, audit).notes[-1]


def test_frames_without_any_object_are_told() -> None:

    clean = square()
    names = list(clean)
    nothing = np.zeros_like(clean[names[0]])

    def notes(*blank: int) -> list[str]:
        frames = clean | {names[t]: nothing for t in blank}
        told = audit_ground_truth({"v": frames}, images=False, workers=1).notes
        return [note for note in told if "object" in note]

    assert notes() == []
    assert notes(*range(len(names))) == ["v: no object in any annotated frame"]
    [first] = notes(0)
    assert f"1 of {len(names)} annotated frames shows no object ({names[0]})" in first
    [two] = notes(7, 8)
    assert f"2 of {len(names)} annotated frames show no object" in two
    assert f"({names[7]}, {names[8]})" in two


def test_images_that_viewers_turn_are_refused(tmp_path: Path) -> None:
    clean = square()
    images = _filmed(tmp_path, clean)
    first = next(iter(images))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned = tmp_path / "turned.jpg"
    Image.open(images[first]).save(turned, exif=exif)
    video = DrawnVideo("v", clean, list(clean), images | {first: turned})
    for look in (audit_ground_truth, object_attributes):
        with pytest.raises(InputError, match="EXIF orientation 3"):
            look([video], workers=1)


def test_images_of_half_the_size_are_told(tmp_path: Path) -> None:
    clean = square()
    images = _filmed(tmp_path, clean)
    small, part = {}, {}
    for name, path in images.items():
        image = cv2.imread(str(path))
        small[name], part[name] = tmp_path / f"s{name}.png", tmp_path / f"p{name}.png"
        height, width = image.shape[:2]
        cv2.imwrite(str(small[name]), image[::2, ::2])
        cv2.imwrite(str(part[name]), image[:, : width // 2])
    told = (
        f"images of {width // 2}x{height // 2} pixels beside masks of {width}x{height}"
    )
    for files, count in ((images, 0), (small, 1)):
        video = DrawnVideo("v", clean, list(clean), files)
        notes = audit_ground_truth([video], workers=1).notes
        assert sum(told in note for note in notes) == count
        notes = object_attributes([video], workers=1).notes
        assert sum(told in note for note in notes) == count
    with pytest.raises(InputError, match=f"beside masks of {width}x"):
        audit_ground_truth([DrawnVideo("v", clean, list(clean), part)], workers=1)
