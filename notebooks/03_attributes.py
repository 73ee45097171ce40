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
# # 3. Attributes: under which circumstances does a method fail?
#
# "It struggles with occlusion" is easily said. This notebook measures it: it computes
# what makes each object hard from the ground truth, breaks scores down by it, and asks
# how sure the answer is.

# %%
import os
from dataclasses import replace
from pathlib import Path

from PIL import Image

import s3fo
from evaluation import breakdown, object_attributes, score
from evaluation.attributes import ATTRIBUTES
from evaluation.plots import attribute_chart, save_figure
from s3fo.benchmarks import write_synthetic
from s3fo.benchmarks.synthetic import Factors

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))

# %% [markdown]
# ## An experiment in which we know the truth
#
# On real videos nobody knows why an object was lost: what is occluded is often small,
# too, and moves. Here we can draw the videos. Eight scenes are cast (scenery and
# actors), and each is shown three times: object 1 is never covered, half covered, or
# fully covered for ten frames by something that passes in front of it. Nothing else
# differs within a scene.

# %%
LEVELS = (0.0, 0.5, 1.0)
scene = Factors(objects=1, length=28, size=0.06, speed=2.0, occlusion_frames=10)
videos = {
    f"scene{cast}-covered-{round(100 * level)}": replace(
        scene, cast=cast, occlusion=level
    )
    for cast in range(8)
    for level in LEVELS
}
benchmark = write_synthetic(
    DATA / "occlusion", videos=videos, size=(120, 212), textures="procedural"
)
print(len(benchmark), "videos, for example", benchmark.sequences[0].name)

# %% [markdown]
# ## Measure
#
# `object_attributes` needs no model: only masks, and images for what is about
# appearance. (We leave appearance out here with `images=False`; it takes longer.)

# %%
attributes = object_attributes(benchmark, images=False)
shown = ["sequence", "object", "occlusion", "longest_gap", "size", "speed", "length"]
print(attributes.objects[shown].head(6).round(3).to_string())
print(ATTRIBUTES["occlusion"].title, "-", ATTRIBUTES["occlusion"].definition)

# %% [markdown]
# `occlusion` is measured from the masks alone, which do not tell what covered the
# object. Does it follow what we drew? Always ask this of a measure before using it.

# %%
objects = attributes.objects
drawn = objects["sequence"].str.rsplit("-", n=1).str[1].astype(int)
measured = objects["occlusion"].groupby(drawn).agg(["min", "mean", "max"])
print(measured.round(3))

# %% [markdown]
# On average it does, but look at the smallest value at 100 %: some objects that we
# covered completely have hardly any occlusion. Who are they?

# %%
odd = objects[(drawn == 100) & (objects["occlusion"] < 0.1)]
columns = ["sequence", "occlusion", "disappearance", "left_frame", "border_touch"]
print(odd[columns].round(3).to_string())

# %% [markdown]
# They touched the border of the frame when they vanished, and were taken for having
# left it (`left_frame`). From masks alone, nobody can tell. This is what a measure's
# limits look like: documented, visible in another column, and worth knowing before a
# paper rests on it.
#
# ## Break the scores down

# %%
scores = {}
for method in ("copy", "flow"):
    results = DATA / "occlusion-results" / method
    s3fo.predict(benchmark, results, method=method)
    scores[method] = score(results, benchmark)
    print(f"{method:5} {scores[method].summary['J&F']:.3f}")

table = breakdown(scores, attributes, ["occlusion", "speed", "size"])
columns = ["method", "attribute", "group", "n_objects", "mean", "low", "high", "delta"]
print(table.groups[columns].round(3).to_string())

# %% [markdown]
# How to read a row: `mean` is the mean J&F of the group's objects; `low` and `high` are
# a 95 % interval from drawing whole videos again and again; `delta` is the difference
# to all other objects. Groups of fewer than five objects are marked `few`.
#
# Read the limits in a group's name before its mean. All objects here were drawn with
# the same speed, so "low" and "high" differ in the third digit, by chance; and still
# the means of these groups differ. That is what eight objects can do without any cause.
#
# Continuous attributes also have a trend: `change` is how much J&F differs between the
# attribute's lower and upper quartile, on a straight line through all objects.

# %%
trends = table.trends.set_index(["method", "attribute"])
print(trends[["spearman", "change", "change_low", "change_high"]].round(3))

# %% [markdown]
# In this experiment the cause is known, so a drop with occlusion *is* due to occlusion.
# On a real benchmark it is not: attributes go together, and `breakdown` never claims
# that a group's effect is its own. What helps there is to look at two at once
# (`evaluation.breakdown.two_way`) and, above all, at the clips (next notebook).
#
# Because every scene appears at every level, we can do better than comparing groups:
# pair the levels of each scene.

# %%
per_video = scores["flow"].objects.assign(
    scene=lambda t: t["sequence"].str.split("-").str[0],
    covered=lambda t: t["sequence"].str.rsplit("-", n=1).str[1].astype(int),
)
paired = per_video.pivot(index="scene", columns="covered", values="J&F")
loss = paired[0] - paired[100]
print(paired.round(3))
print(f"full occlusion costs flow {loss.mean():.3f} of J&F, "
      f"in {(loss > 0).sum()} of {len(loss)} scenes")  # fmt: skip

# %% [markdown]
# ## Picture
#
# The line is each method's mean over everything; hollow marks are groups of few
# objects.

# %%
chart = save_figure(attribute_chart(table), DATA / "attributes.png")
print("look at", chart)
Image.open(chart)

# %% [markdown]
# The same from the command line, for saved scores:
#
#     s3fo evaluate RESULTS --gt MASKS --out scores/flow
#     s3fo breakdown scores/flow --gt MASKS --images IMAGES --by occlusion \
#         --pictures figures
#
# Definitions of all attributes: `docs/attributes.md`.
# Next: [look at the failures](04_failures_in_the_app.py).
