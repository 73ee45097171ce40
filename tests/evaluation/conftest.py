"""A small benchmark on disk, to be spoilt in every possible way."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.masks.label_map import write_label_map

HEIGHT, WIDTH, N_FRAMES = 60, 80, 12


def moving_objects(frame: int, shift: int = 0) -> np.ndarray:
    """[60, 80] label map with object 1, a square, and object 2, a bar, on the move."""
    label_map = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    left = 5 + 2 * frame + shift
    label_map[10:30, left : left + 20] = 1
    label_map[40:50, 60 - 2 * frame + shift : 75 - 2 * frame + shift] = 2
    return label_map


class SmallBenchmark:
    """Folders `gt` and `pred` with one sequence ``walk`` of 12 frames."""

    def __init__(self, root: Path) -> None:
        self.gt, self.pred = root / "gt", root / "pred"
        self.write(self.gt, 0)
        self.write(self.pred, 2)

    def write(self, folder: Path, shift: int, sequence: str = "walk") -> None:
        for frame in range(N_FRAMES):
            path = folder / sequence / f"{frame:05d}.png"
            write_label_map(path, moving_objects(frame, shift))

    def change(self, folder: Path, function, sequence: str = "walk") -> None:
        """Rewrite every mask of a sequence as `function(label_map, frame)`."""
        from evaluation.masks.label_map import read_label_map

        for path in sorted((folder / sequence).iterdir()):
            write_label_map(path, function(read_label_map(path), int(path.stem)))


@pytest.fixture
def small(tmp_path: Path) -> SmallBenchmark:
    return SmallBenchmark(tmp_path)
