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
# # 1. Quickstart: from a benchmark to a number, and to what is behind it
#
# A video object segmentation (VOS) method gets a video and the mask of each object in
# the frame where it first appears. It answers with a mask of each object in every
# frame after that. This notebook runs such a method, scores it, and reads the score.
#
# Everything happens on a small synthetic benchmark that is drawn on your machine, so
# nothing is downloaded. It is laid out like DAVIS-2017; the same lines work there.
#
# The files in this folder are plain Python. Run them with `python 01_quickstart.py`,
# or open them as notebooks: in VS Code as they are, in Jupyter with
# [jupytext](https://jupytext.readthedocs.io).

# %%
import os
from pathlib import Path

import numpy as np
from PIL import Image

import s3fo
from evaluation import Scores, score
from s3fo.benchmarks import write_synthetic

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))

# %% [markdown]
# ## The benchmark
#
# Six videos of 40 frames. Each is made to show one difficulty: an object that leaves
# and returns, one that passes behind a post, crossing paths, distractors, a change of
# scale, fast motion in the dark. What is already in the folder is kept, so this cell
# is quick the second time.

# %%
benchmark = write_synthetic(DATA / "benchmark")
for sequence in benchmark:
    print(f"{sequence.name:16} {len(sequence.frames)} frames, {len(sequence.objects)} "
          f"objects, {len(sequence.annotated_frames)} annotated")  # fmt: skip

# %% [markdown]
# A *label map* holds the masks of a frame: an image in which pixel value k means
# object k, and 0 means background. On disk it is a PNG with a colour palette, but the
# colours mean nothing; the indices do. Here is one, beside its frame:

# %%
sequence = benchmark["crossing"]
label_map = sequence.read_annotation(sequence.frames[0])
print(label_map.shape, label_map.dtype, sorted(set(label_map.ravel().tolist())))


def side_by_side(*files: Path) -> Image.Image:
    """Pictures of one size in a row."""
    return Image.fromarray(
        np.hstack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    )


truth = benchmark.root / "Annotations" / "480p"
side_by_side(sequence.images[sequence.frames[0]], truth / "crossing" / "00000.png")

# %% [markdown]
# ## Predictions
#
# `predict` runs a method and writes one PNG per frame: `<out>/<sequence>/<frame>.png`.
# Two methods need no weights. Whatever you build should beat them:
#
# - `copy` repeats each object's first-frame mask;
# - `flow` moves the masks along with optical flow, and never corrects itself.
#
# `method="s3"` is the S3 network; notebook 5 is about it. An interrupted call can be
# repeated: videos that are complete are kept.

# %%
for method in ("copy", "flow"):
    run = s3fo.predict(benchmark, DATA / "results" / method, method=method)
    print(f"{method:5} {len(run.finished)} videos done, {len(run.kept)} kept")
    assert not run.failures, run.failures

# %% [markdown]
# ## Scores
#
# Two measures compare a predicted mask with the true one:
#
# - **J**, region similarity: intersection over union of the two regions;
# - **F**, boundary accuracy: the harmonic mean of precision and recall of the
#   boundary pixels, where pixels count as matched within a small distance.
#
# **J&F** is their mean. They are averaged over the frames of each object, then over
# objects. Which frames and objects count is not obvious, and differs between
# benchmarks. The set of these rules is a *protocol*.

# %%
scores = {
    method: score(DATA / "results" / method, benchmark, protocol="davis-2017")
    for method in ("copy", "flow")
}
print(scores["flow"].protocol)
for method, table in scores.items():
    summary = table.summary
    print(f"{method:5} J&F {summary['J&F']:.3f}  J {summary['J']:.3f}  "
          f"F {summary['F']:.3f}")  # fmt: skip

# %% [markdown]
# A number without a yardstick says little. `copy` is the yardstick here: what a method
# scores above it, it gained by looking at the video.
#
# ## Behind the number
#
# One mean over twelve objects hides where it comes from. The tables do not.

# %%
objects = scores["flow"].objects.sort_values("J&F")
print(objects[["sequence", "object", "J&F", "J_mean", "J_decay", "F_mean"]])

# %% [markdown]
# `J_decay` is the mean J of the first quarter of the frames minus that of the last: a
# large one means that errors pile up, as they must with optical flow. Per frame it can
# be watched:

# %%
worst = objects.iloc[0]
frames = scores["flow"].frames
track = frames[
    (frames["sequence"] == worst["sequence"]) & (frames["object"] == worst["object"])
]
print(track[["frame", "J", "F", "gt_area", "pred_area"]].iloc[::6])

# %% [markdown]
# Numbers never say *what* went wrong. Look at the frame where this object is lost most,
# the truth and the mask of optical flow beside it; notebook 4 does this for you.

# %%
name, frame = worst["sequence"], track.loc[(track["J"] + track["F"]).idxmin(), "frame"]
print(f"object {worst['object']} of {name}, frame {frame}")
side_by_side(
    benchmark[name].images[frame],
    truth / name / f"{frame}.png",
    DATA / "results" / "flow" / name / f"{frame}.png",
)

# %% [markdown]
# ## Trust
#
# Before you believe a tool's number, give it something whose score you know. The
# ground truth as its own prediction scores exactly 1:

# %%
perfect = score(truth, benchmark)
print(perfect.summary["J&F"])

# %% [markdown]
# ## Keep
#
# Saved scores carry the protocol and a fingerprint of every mask that was read.

# %%
scores["flow"].save(DATA / "scores" / "flow")
again = Scores.load(DATA / "scores" / "flow")
print(again.protocol.name, again.fingerprint, f"{again.summary['J&F']:.3f}")

# %% [markdown]
# The same from the command line, with the folder that this notebook wrote to:
#
#     s3fo evaluate s3fo-notebooks/results/flow \
#         --gt s3fo-notebooks/benchmark/Annotations/480p --per-object
#
# Next: [your own method's masks](02_your_masks.py).
