"""Label maps of a few moving squares, and predictions that are off."""

import numpy as np


def drawn_pair(
    seed: int, n_objects: int, n_frames: int = 12, height: int = 60, width: int = 90
) -> tuple[np.ndarray, np.ndarray]:
    """[T, H, W] true and predicted label maps of objects 1 to `n_objects`.

    The last object comes late, the first is away for a while; predictions are
    shifted, and sometimes missing.
    """
    generator = np.random.default_rng(seed)
    truth = np.zeros((n_frames, height, width), np.uint8)
    found = np.zeros_like(truth)
    for object_id in range(1, n_objects + 1):
        top, left = (
            generator.integers(0, height - 20),
            generator.integers(0, width // 2),
        )
        for t in range(n_frames):
            if (object_id == n_objects and t < 1) or (object_id == 1 and 4 <= t < 6):
                continue
            rows = slice(top, top + 18)
            truth[t, rows, left + t : left + t + 16] = object_id
            if generator.random() < 0.85:
                off = left + t + int(generator.integers(-3, 4))
                found[t, rows, max(0, off) : off + 16] = object_id
    return truth, found
