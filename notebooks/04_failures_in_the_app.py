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
# # 4. Failure analysis in the FiftyOne App
#
# Scores say how much is lost; they do not say what happened. This notebook finds the
# failures, sorts them by what they cost, and puts them on a FiftyOne dataset, where
# each one is a clip that opens where it began.

# %%
import builtins
import os
import sys
from pathlib import Path

from PIL import Image

import s3fo
from evaluation.failures import ComparedMasks, FailureKind
from evaluation.plots import failure_strip, save_figure, timeline
from s3fo.benchmarks import write_synthetic
from s3fo.datasets import compute_attributes, failure_clips, find_failures, worst

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))
DATASET = os.environ.get("S3FO_NOTEBOOK_DATASET", "s3fo-notebooks")
INTERACTIVE = hasattr(builtins, "__IPYTHON__") or bool(sys.flags.interactive)

benchmark = write_synthetic(DATA / "benchmark")
s3fo.predict(benchmark, DATA / "results" / "flow", method="flow")

# %% [markdown]
# ## The dataset
#
# One sample per video. Ground truth and predictions are `Detections` on the frames; an
# object keeps its index, its colour and its identity everywhere. Loading again adds
# nothing twice.

# %%
dataset = s3fo.load_benchmark(benchmark, dataset_name=DATASET)
s3fo.add_predictions(dataset, DATA / "results" / "flow", "flow")
scores = s3fo.evaluate(dataset, "flow")
print(dataset.name, len(dataset), f"videos, J&F {scores.summary['J&F']:.3f}")

# %% [markdown]
# The scores are now fields of the dataset, so FiftyOne's own language works on them:

# %%
for name, value in zip(*dataset.values(["sequence", "flow_JF"]), strict=True):
    print(f"{name:16} {value:.3f}")

# %% [markdown]
# ## What failed?
#
# Every frame of every object gets a kind of failure, or none. Their definitions are
# exact, and tried in this order:

# %%
for kind in FailureKind:
    print(f"{kind.value:16} {kind.definition}")

# %% [markdown]
# Runs of frames of one kind are gathered into events. The *cost* of an event is what it
# takes off the benchmark's J&F: what you would gain if this event alone were perfect.

# %%
attributes = compute_attributes(dataset)
failures = find_failures(dataset, "flow", attributes=attributes)
print(failures.by("kind").round(3))
print(f"J&F {failures.headline:.3f} + costs {failures.frames['cost'].sum():.3f} = 1")

# %%
columns = ["sequence", "object", "kind", "other", "start", "end", "cost", "onset"]
print(failures.events[columns].head(8).to_string())
print(f"the five worst events are worth {failures.recoverable(5):.3f} of J&F")

# %% [markdown]
# `onset` tells what held when the event began. Many begin after an occlusion: is that
# the cause? Look at `base` first, the share of *all* frames in which the same holds. In
# these crowded videos it is almost half, so it is no news at the beginning of a failure
# either. `lift` is the ratio: 2 means twice as often before failures as in general.

# %%
onsets = failures.onsets()
print(onsets.round(3).to_string())

# %% [markdown]
# ## Look
#
# The costliest event in three frames: how it began, its worst frame, how it ended. Hit,
# missed, false and given to another object each have a colour.

# %%
event = failures.events.iloc[0].to_dict()
masks = ComparedMasks(DATA / "results" / "flow", benchmark, scores)
strip = failure_strip(event, masks, benchmark[event["sequence"]].images)
Image.open(save_figure(strip, DATA / "costliest.png", 110))

# %% [markdown]
# And its object through the whole video:

# %%
track = timeline(failures, event["sequence"], event["object"])
Image.open(save_figure(track, DATA / "timeline.png", 110))

# %% [markdown]
# In the App there are three views to start with. Each is a FiftyOne view: filter, sort
# and tag it further.

# %%
clips = failure_clips(dataset, "flow", k=10)
worst_objects = worst(dataset, "flow", k=3)
print(len(clips), "clips of the most costly events, beginning with:")
first = clips.first()
label = first["flow_failures"]
video = dataset[first.sample_id]["sequence"]
print(f"  {video}: {label.label} of object {label.index}, frames {first.support}")
print("videos of the three worst objects:", worst_objects.values("sequence"))
print("saved views:", dataset.list_saved_views())

# %% [markdown]
# The sidebar filters objects by score and attribute with sliders,
# `flow_errors` paints what was hit, missed, false, or given to the wrong object, and
# the workspaces (top right) put videos and charts side by side. Without a notebook:
# `s3fo app s3fo-notebooks`.

# %%
if INTERACTIVE:
    import fiftyone as fo

    session = fo.launch_app(clips)
else:
    print("Run this file as a notebook to open the App here.")

# %% [markdown]
# What to do with what you see: tag clips in the App (`dataset.match_tags(...)` finds
# them again), write down a hypothesis ("identity swaps begin when the boxes touch"),
# and test it on *all* objects with notebook 3. A handful of clips suggests; it does not
# prove.
#
# Next: [your own videos](05_your_videos_with_s3.py).
