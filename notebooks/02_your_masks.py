# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2. Evaluate your own method's masks
#
# Any method can be scored: all that is asked of it is a folder of label maps,
# `<results>/<sequence>/<frame>.png`. This notebook writes a small method, scores its
# masks, finds out whether it is really better than another one, and shows what happens
# when the masks are not as they should be.

# %%
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import s3fo
from evaluation import InputError, compare, score
from evaluation.masks.label_map import read_label_map, write_label_map
from s3fo.benchmarks import VideoSequence, write_synthetic

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))
benchmark = write_synthetic(DATA / "benchmark")

# %% [markdown]
# ## A method
#
# Template matching, as old as computer vision: cut each object out of its first frame
# and look for this piece near the place where it was last found. The shape is never
# updated, so it cannot grow, turn or deform.
#
# The class has the three things that `s3fo.predict` asks for: `start` (a new video),
# `step` (an image in, a label map out; `prompt` holds the masks of the objects that
# first appear in this frame) and `settings` (everything that changes the result; it
# is kept beside the masks).


# %%
class TemplateMatching:
    """Finds each object's first look again, near where it was last seen."""

    name = "template"
    device = "cpu"

    def __init__(self, reach: int = 24) -> None:
        self.settings = {"reach": reach}
        self._reach = reach

    def start(self, sequence: VideoSequence) -> None:
        """Forget the previous video."""
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._places: dict[int, tuple[int, int]] = {}

    def step(
        self, image: np.ndarray, prompt: np.ndarray | None, *, last: bool = False
    ) -> np.ndarray:
        """Label map [H, W] of all objects known so far."""
        label_map = np.zeros(image.shape[:2], np.uint8)
        for object_id, (look, mask) in self._known.items():
            top, left = self._find(image, object_id, look, mask)
            self._places[object_id] = top, left
            height, width = mask.shape
            label_map[top : top + height, left : left + width][mask] = object_id
        if prompt is not None:
            for object_id in np.unique(prompt[prompt > 0]):
                self._learn(image, prompt == object_id, int(object_id))
            label_map = np.where(prompt > 0, prompt, label_map)
        return label_map

    def _learn(self, image: np.ndarray, mask: np.ndarray, object_id: int) -> None:
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        box = np.s_[top : top + height, left : left + width]
        self._known[object_id] = image[box].copy(), mask[box].copy()
        self._places[object_id] = top, left

    def _find(
        self, image: np.ndarray, object_id: int, look: np.ndarray, mask: np.ndarray
    ) -> tuple[int, int]:
        top, left = self._places[object_id]
        y, x = max(0, top - self._reach), max(0, left - self._reach)
        height, width = mask.shape
        area = image[y : top + height + self._reach, x : left + width + self._reach]
        cost = cv2.matchTemplate(
            area,
            look,
            cv2.TM_SQDIFF,
            mask=mask.astype(np.uint8)[..., None].repeat(3, 2),
        )
        _, _, (dx, dy), _ = cv2.minMaxLoc(cost)
        return y + dy, x + dx


mine = DATA / "results" / "template"
run = s3fo.predict(benchmark, mine, method=TemplateMatching())
s3fo.predict(benchmark, DATA / "results" / "flow", method="flow")
print(sorted(path.name for path in mine.iterdir()))
assert not run.failures, run.failures

# %% [markdown]
# A method that lives in another program needs none of this: let it write its PNGs, with
# names as in the ground truth. `evaluation.masks.label_map.write_label_map` writes the
# format, and `read_label_map` reads the indices whatever the palette looks like.
# (Reading such a file as a colour image and thresholding it is the most common way
# to lose object ids.)

# %%
example = mine / "crossing" / "00020.png"
print(np.unique(read_label_map(example)))

# %% [markdown]
# ## Score, and compare with an interval

# %%
template = score(mine, benchmark)
flow = score(DATA / "results" / "flow", benchmark)
print(f"flow     {flow.summary['J&F']:.3f}")
print(f"template {template.summary['J&F']:.3f}")

# %% [markdown]
# One number is larger. Would it be on other videos of this kind, too? `compare` pairs
# the two methods object by object, and draws whole videos with replacement (objects of
# one video share its difficulty) to see how much the difference varies.

# %%
difference = compare(flow, template)
print(difference)
print(difference.objects)

# %% [markdown]
# Read the interval, not the difference alone: if it contains 0, this benchmark is too
# small to tell the two apart. Six videos usually are. The table shows where each method
# wins: optical flow on `near-and-far`, whose objects grow to three times their size,
# which a template cannot; the template where things move fast or resemble each other.
#
# Such a sentence is worth a look at the masks it speaks of. From the left: the truth,
# optical flow, the template, late in `near-and-far`.

# %%
last = Path("near-and-far") / "00036.png"
folders = (benchmark.root / "Annotations" / "480p", DATA / "results" / "flow", mine)
beside = [np.asarray(Image.open(folder / last).convert("RGB")) for folder in folders]
Image.fromarray(np.hstack(beside))

# %% [markdown]
# ## When the masks are not as they should be
#
# A missing frame is an error, never a silent skip, for a skipped frame would raise the
# score. The message says what was found, what was expected and what to do.

# %%
broken = DATA / "results" / "broken"
shutil.rmtree(broken, ignore_errors=True)
shutil.copytree(mine, broken)
(broken / "crossing" / "00020.png").unlink()
try:
    score(broken, benchmark)
except InputError as error:
    complaint = error
    print(f"found    {error.found}\nexpected {error.expected}\nremedy   {error.remedy}")

# %% [markdown]
# If a missing frame means "nothing found" in your method, say so: it then scores as an
# empty mask, and a note stays with the scores.

# %%
lenient = score(broken, benchmark, missing="score-as-empty")
print(f"{lenient.summary['J&F']:.4f}")
print("\n".join(lenient.notes))

# %% [markdown]
# Masks of another size are refused as well, unless you ask for `resize="nearest"`;
# resizing changes boundaries, and with them F.

# %%
small = broken / "crossing" / "00020.png"
write_label_map(small, read_label_map(example)[::2, ::2])
try:
    score(broken, benchmark)
except InputError as error:
    size_complaint = error
    print(f"found    {error.found}\nexpected {error.expected}\nremedy   {error.remedy}")
resized = score(broken, benchmark, resize="nearest")
print(f"{resized.summary['J&F']:.6f}, but {template.summary['J&F']:.6f} is right")
shutil.rmtree(broken)

# %% [markdown]
# Next: [which objects are hard](03_attributes.py).
