"""Windows round an object: where they lie, and that masks come back to their place."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluation.errors import InputError
from s3fo.inference.engine.appearance import Appearance, AppearanceLimit
from s3fo.inference.engine.config import InferenceConfig
from s3fo.inference.engine.memory import Memory
from s3fo.inference.engine.propagator import Propagator
from s3fo.inference.engine.reach import Reach
from s3fo.inference.engine.window import Box, Window, WindowChooser, whole_frame
from s3fo.inference.engine.windowed import WindowedPropagator
from s3fo.inference.methods.s3 import choose_zoom
from s3fo.model import build_network

SHAPE = (480, 854)


def _mask(top, left, height, width, shape=SHAPE):
    mask = np.zeros(shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


def _shows(window, mask):
    """The rows and columns of the frame that a window shows hold the whole mask."""
    box = Box.of(mask)
    top, left = window.top / window.zoom, window.left / window.zoom
    bottom = top + window.height / window.zoom
    right = left + window.width / window.zoom
    return top <= box.top and box.bottom <= bottom and left <= box.left <= right


def test_a_window_is_cut_where_it_lies_and_zeros_lie_beyond_the_frame():
    frame = torch.zeros(1, 64, 64)
    frame[0, 20:24, 40:44] = 1
    seen = Window(2.0, 16, 64, 64, 96).cut(frame)
    assert seen.shape == (1, 64, 96)
    # Rows 40 to 47 of the frame of 128, less 16; columns 80 to 87, less 64.
    assert seen[0, 25:31, 17:23].eq(1).all()
    assert seen.sum() == pytest.approx(64)  # bilinear edges keep the sum
    assert not seen[..., 64:].any()


def test_masks_come_back_to_where_the_window_was_and_are_nowhere_else():
    seen = torch.zeros(2, 32, 32)
    seen[1, 8:16, 8:16] = 1
    seen[0] = 1 - seen[1]
    whole = Window(2.0, 16, 64, 32, 32).put_back(seen, (64, 64))
    assert whole.shape == (2, 64, 64)
    expected = torch.zeros(64, 64)
    expected[12:16, 36:40] = 1  # (16 + 8) / 2 and (64 + 8) / 2
    assert torch.equal(whole[1] > 0.5, expected > 0)
    assert torch.allclose(whole.sum(0), torch.ones(64, 64))


def test_cells_are_found_in_another_window():
    before = Window(1.0, 0, 0, 64, 96)
    shifted = Window(1.0, 16, 32, 32, 64)
    enlarged = Window(2.0, 64, 64, 32, 32)
    columns = torch.arange(6.0).expand(1, 1, 4, 6)
    sample = lambda window: torch.nn.functional.grid_sample(  # noqa: E731
        columns, window.cells_in(before), align_corners=False
    )[0, 0]
    assert torch.allclose(sample(shifted)[0], torch.tensor([2.0, 3, 4, 5]))
    # Columns 64 to 79 of the frame of twice the size: middles 36 and 44 of the frame,
    # which are a quarter of a cell left and right of the middle of cell 2.
    assert torch.allclose(sample(enlarged)[0], torch.tensor([1.75, 2.25]))


def test_a_small_object_is_enlarged_with_hardly_more_pixels_than_the_frame():
    chooser = WindowChooser(SHAPE, 0.8, 2, _mask(200, 400, 80, 60))
    window = chooser.next(_mask(200, 400, 80, 60))
    assert window.zoom == pytest.approx(1.6)
    assert window.height * window.width <= 1.2 * 384 * 704
    assert window.height % 32 == window.width % 32 == window.top % 16 == 0
    assert _shows(window, _mask(200, 400, 80, 60))


def test_a_large_or_lost_object_is_sought_in_the_whole_frame():
    large = _mask(40, 100, 400, 600)
    chooser = WindowChooser(SHAPE, 0.8, 2, large)
    whole = chooser.next(large)
    assert whole == chooser.whole == chooser.next(None)
    assert (whole.top, whole.left) == (0, 0) and 0.8 < whole.zoom < 0.9
    small = WindowChooser(SHAPE, 0.8, 2, _mask(200, 400, 80, 60))
    assert small.next(_mask(200, 400, 80, 60)) != small.whole
    assert small.next(None) == small.whole
    assert small.next(_mask(200, 400, 80, 60), whole=True) == small.whole
    assert WindowChooser(SHAPE, 0.8, 1, _mask(200, 400, 80, 60)).zooms is False


def test_windows_follow_and_rest_while_the_object_hardly_moves():
    chooser = WindowChooser(SHAPE, 0.8, 2, _mask(200, 100, 80, 60))
    first = chooser.next(_mask(200, 100, 80, 60))
    assert chooser.next(_mask(204, 103, 80, 60)) == first
    for left in range(110, 600, 15):
        mask = _mask(200, left, 80, 60)
        assert _shows(chooser.next(mask), mask)


def test_an_object_that_grows_is_shown_smaller():
    chooser = WindowChooser(SHAPE, 0.8, 2, _mask(200, 400, 80, 60))
    zooms = [
        chooser.next(_mask(200 - n, 400, 80 + 2 * n, 60)).zoom for n in (0, 60, 120)
    ]
    assert zooms[0] > zooms[2] and all(zoom >= 0.8 for zoom in zooms)


def test_what_is_remembered_of_places_moves_with_the_window():
    before, after = Window(1.0, 0, 0, 64, 96), Window(1.0, 16, 32, 32, 64)
    cells = after.cells_in(before)
    memory = Memory(InferenceConfig())
    states = torch.arange(24.0).view(1, 1, 1, 4, 6)
    memory.update_sensory([3], states)
    memory.move_sensory(cells)
    assert torch.allclose(memory._sensory[3], states[:, 0, :, 1:3, 2:6])
    maps = torch.arange(24.0).view(1, 4, 6)
    looks = AppearanceLimit()
    looks.remember(Appearance(maps, maps, maps), torch.zeros(0, 64, 96), [])
    looks.move(cells)
    assert torch.allclose(looks._last_appearance.key, maps[:, 1:3, 2:6])
    looks.move(Window(2.0, 32, 64, 32, 64).cells_in(after))
    # Of twice the size: the cells of row 0, columns 0 and 1, each twice.
    twice = [[8.0, 8, 9, 9], [8, 8, 9, 9]]
    assert torch.equal(looks._last_appearance.key[0], torch.tensor(twice))
    reach = Reach()
    reach._areas = {3: 50.0}
    reach.rescale(4)
    assert reach._areas == {3: 200}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return build_network("tiny").eval()


@pytest.fixture(scope="module")
def video():
    """Frames of 128 x 192 pixels, and masks of a small object and of two."""
    frames = np.random.default_rng(2).integers(0, 255, (5, 128, 192, 3), np.uint8)
    one = _mask(48, 80, 24, 24, (128, 192)).astype(np.uint8)
    two = one + 2 * _mask(10, 10, 24, 24, (128, 192)).astype(np.uint8)
    return frames, one, two


def _run(network, frames, mask, zoom=2.0, lose=None, **config):
    """What the network saw of every frame, and the masks."""
    engine = Propagator(network, InferenceConfig(mem_every=3, **config))
    windowed = WindowedPropagator(engine, zoom)
    sizes, masks, step = [], [], engine.step

    def look(image, *rest, **options):
        sizes.append(tuple(image.shape[1:]))
        last = engine._last_mask
        seen = step(image, *rest, **options)
        if len(masks) == lose:
            last = torch.zeros_like(last)
        elif rest[0] is not None:
            return seen
        engine._last_mask = last  # an untrained network finds nothing
        return torch.cat([1 - last[0], last[0]])

    engine.step = look
    for t, frame in enumerate(frames):
        pixels = torch.from_numpy(frame).permute(2, 0, 1) / 255
        given = mask if t == 0 else None
        assert windowed.takes(given, (128, 192))
        p = windowed.step(pixels, given, [1] if t == 0 else [], (128, 192))
        masks.append(p.argmax(0).numpy())
    return sizes, masks


def test_a_single_object_is_seen_through_windows_and_its_mask_is_in_place(
    network, video
):
    frames, one, _ = video
    # A working memory of limited length must cope with frames of two sizes.
    sizes, masks = _run(network, frames, one, max_mem_frames=3)
    assert sizes[0] == (128, 192), "the whole frame is memorised, too"
    assert len(sizes) == 6 and sizes[1] == sizes[2] == sizes[3] == sizes[5]
    assert sizes[1][0] * sizes[1][1] <= 1.2 * 128 * 192
    assert sizes[4][1] / sizes[4][0] == pytest.approx(1.5), "whole when memorised"
    assert all((mask != one).mean() < 0.005 for mask in masks)


def test_a_lost_object_is_sought_in_the_whole_frame(network, video):
    frames, one, _ = video
    sizes, masks = _run(network, frames, one, lose=1)
    assert sizes[1] == sizes[2] != sizes[3]
    assert sizes[3][1] / sizes[3][0] == pytest.approx(1.5)
    assert not masks[1].any()


def test_only_a_single_object_in_a_frame_that_is_large_enough_takes_windows(
    network, video
):
    _, one, two = video
    takes = WindowedPropagator(Propagator(network), 2.0).takes
    assert takes(one, (128, 192)) and not takes(two, (128, 192))
    assert not takes(None, (128, 192)) and not takes(one, (96, 192))
    engine = Propagator(network)
    assert not WindowedPropagator(engine, 1.0).takes(one, (128, 192))
    engine = Propagator(network, InferenceConfig(flip_aug=True))
    assert not WindowedPropagator(engine, 2.0).takes(one, (128, 192))


def test_an_object_that_joins_later_ends_the_windows(network, video):
    frames, one, two = video
    windowed = WindowedPropagator(Propagator(network), 2.0)
    pixels = [torch.from_numpy(frame).permute(2, 0, 1) / 255 for frame in frames]
    windowed.step(pixels[0], one, [1], (128, 192))
    assert windowed._window != windowed._chooser.whole
    late = windowed.step(pixels[1], two, [1, 2], (128, 192))
    assert late.shape[0] == 3 and (late.argmax(0).numpy() != two).mean() < 0.01
    windowed.step(pixels[2], None, [], (128, 192))
    assert windowed._window == windowed._chooser.whole


def test_a_state_can_be_gone_back_to(network, video):
    frames, one, _ = video
    windowed = WindowedPropagator(Propagator(network), 2.0)
    pixels = [torch.from_numpy(frame).permute(2, 0, 1) / 255 for frame in frames]
    windowed.step(pixels[0], one, [1], (128, 192))
    state = windowed.save_state()
    first = [windowed.step(p, None, [], (128, 192)) for p in pixels[1:3]]
    windowed.restore_state(state)
    again = [windowed.step(p, None, [], (128, 192)) for p in pixels[1:3]]
    assert all(map(torch.equal, first, again))


def test_only_the_shipped_network_sees_windows_unless_asked():
    assert choose_zoom(None, "s3-small") == 1.5 and choose_zoom(None, "vitb") == 1
    assert choose_zoom(1.5, "vitb") == 1.5
    for wrong in (0.5, "much", float("inf"), True):
        with pytest.raises(InputError, match="zoom"):
            choose_zoom(wrong, "s3-small")


def test_the_whole_frame_is_padded_to_what_the_network_takes():
    assert whole_frame(SHAPE, 0.8) == Window(0.8, 0, 0, 384, 704)
