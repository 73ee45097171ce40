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
# # 5. Your own videos with S3
#
# A video file and one mask of its first frame are enough. This notebook makes both
# (from the synthetic benchmark, so that the truth is known for once), runs S3 on them,
# looks at the result, and shows how to notice trouble when there is no truth to
# compare with.

# %%
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import s3fo
from evaluation import score
from evaluation.masks.label_map import davis_palette, read_label_map, write_label_map
from s3fo.benchmarks import open_folders, write_synthetic

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))
source = write_synthetic(DATA / "benchmark")["away-and-back"]

# %% [markdown]
# ## What you have: a video, and a mask
#
# In your case the video comes from a camera, and the mask from any tool that paints or
# segments: a PNG of the size of the video in which pixel value k means object k.

# %%
own = DATA / "own"
own.mkdir(exist_ok=True)
video, mask = own / "holiday.mp4", own / "first_mask.png"
height, width = source.read_annotation(source.frames[0]).shape
writer = cv2.VideoWriter(
    str(video), cv2.VideoWriter_fourcc(*"mp4v"), 24.0, (width, height)
)
for frame in source.frames:
    writer.write(cv2.imread(str(source.images[frame])))
writer.release()
write_label_map(mask, source.read_annotation(source.frames[0]))
print(video, f"{width}x{height}, {len(source.frames)} frames")

# %%
videos = open_folders(video, mask)
sequence = videos.sequences[0]
print(sequence.name, sequence.fps, [item.object_id for item in sequence.objects])

# %% [markdown]
# Objects that enter later: paint them in the frame where they first appear, put all
# masks in a folder as `<frame>.png` (frames are numbered from `00000`), and give that
# folder instead of the file.
#
# ## Run S3
#
# The small network `s3-small` ships with the package and is meant for machines without
# a GPU.
#
# `size` is the short side that frames are shrunk to before the network sees them. Time
# grows with its square; details smaller than a few pixels at that size are lost.

# %%
results = DATA / "own-results"
run = s3fo.predict(videos, results, method="s3", size=192)
assert not run.failures, run.failures
if run.finished:
    print(f"{run.frames_per_second:.1f} frames per second")

# %% [markdown]
# The masks are in `<results>/<sequence>/<frame>.png`, and `run.json` beside them tells
# how they were made: weights with their hash, size, memory settings.
#
# ## Look
#
# Eight frames with masks laid over, in the colours of the DAVIS palette.

# %%
chosen = source.frames[:: len(source.frames) // 8][:8]
palette = davis_palette()


def laid_over(frame: str) -> np.ndarray:
    """The frame with half-transparent masks, [H, W, 3] uint8 BGR."""
    image = cv2.imread(str(source.images[frame]))
    label_map = read_label_map(results / sequence.name / f"{frame}.png")
    colours = palette[label_map][..., ::-1]
    visible = (label_map > 0)[..., None]
    return np.where(visible, image // 2 + colours // 2, image).astype(np.uint8)


rows = [np.hstack([laid_over(f) for f in chosen[i : i + 4]]) for i in (0, 4)]
sheet = own / "masks.png"
cv2.imwrite(str(sheet), np.vstack(rows))
print("look at", sheet)
Image.open(sheet)

# %% [markdown]
# ## Without ground truth
#
# Nobody annotates a holiday video. A cheap alarm: the area of each object through time.
# Areas change slowly; where one jumps or falls to zero, look. It is an alarm and no
# score: an object that left is rightly gone.

# %%
areas = {
    item.object_id: np.array(
        [
            np.count_nonzero(
                read_label_map(results / sequence.name / f"{frame}.png")
                == item.object_id
            )
            for frame in sequence.frames
        ]
    )
    for item in sequence.objects
}
for object_id, area in areas.items():
    ratio = np.abs(np.diff(np.log(area + 50.0)))
    jumps = [sequence.frames[i + 1] for i in np.flatnonzero(ratio > 0.4)]
    print(f"object {object_id}: {area.min()}-{area.max()} pixels, look at {jumps}")

# %% [markdown]
# ## With ground truth
#
# Here we do know the truth, so we can ask how good the masks were. Masks of a few of
# your own frames would do as well: any annotated subset of the frames can be scored.

# %%
truth = {sequence.name: {f: source.read_annotation(f) for f in source.frames}}
scores = score(results, truth)
print(scores.objects[["sequence", "object", "J&F", "J_mean", "F_mean"]])

# %% [markdown]
# The same from the command line:
#
#     s3fo predict --images holiday.mp4 --masks first_mask.png --size 192 --out results
#
# If S3 is weak on your kind of video, train it on some: `docs/training.md`.
# Next: [a leaderboard for a paper](06_leaderboard.py).
