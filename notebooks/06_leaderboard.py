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
# # 6. A leaderboard for a paper
#
# You have a method and want a table that survives review. This notebook makes one: runs
# that can be traced, differences with intervals, published figures with their sources,
# and a report to hand in.

# %%
import os
from pathlib import Path

import pandas as pd
from PIL import Image

import s3fo
from evaluation import compare, report, score
from evaluation.leaderboard.table import LocalRun, leaderboard
from evaluation.plots import save_figure
from evaluation.report.ranking import rank_plot, ranking_table
from evaluation.runs.registry import find_runs, runs_table
from evaluation.runs.score_records import leave_record
from s3fo.benchmarks import write_synthetic

DATA = Path(os.environ.get("S3FO_NOTEBOOK_DATA", "s3fo-notebooks"))
benchmark = write_synthetic(DATA / "benchmark")

# %% [markdown]
# ## Your runs
#
# Every prediction leaves `run.json` in its results folder (method, settings, device,
# speed), and an evaluation leaves a record of what was scored, by which protocol, on
# which masks, where it is told to: `s3fo evaluate --record` beside the masks, `--out`
# among the saved tables; in Python it is one call. So there is no list of experiments
# to keep: `find_runs` looks at what is there.

# %%
paper = DATA / "paper"
scores = {}
for method in ("copy", "flow"):
    s3fo.predict(benchmark, paper / method, method=method)
    scores[method] = score(paper / method, benchmark)
    leave_record(scores[method], paper / method)

runs = runs_table(find_runs(paper))
print(runs[["method", "protocol", "J&F", "n_objects", "state"]].round(3))

# %% [markdown]
# `state` would read "masks changed" if the masks had been written anew after they were
# scored; such a number does not belong into a table.
#
# ## Is the difference real?
#
# Print the interval beside the difference. It comes from drawing whole videos, so it
# says how much the result depends on the choice of these videos.

# %%
difference = compare(scores["copy"], scores["flow"])
print(difference)

# %% [markdown]
# ## Published figures
#
# They come with the package, each with its source, its training data and who reported
# it. Here: DAVIS-2017 test-dev, entries from 2022 on.

# %%
board = leaderboard("davis-2017", "test-dev", since=2022)
columns = ["rank", "method", "variant", "training_data", "J&F", "year", "evidence"]
print(board.table[columns].head(12).to_string(index=False))

# %% [markdown]
# As a picture: filled marks are the authors' own figures, hollow ones are not.

# %%
Image.open(save_figure(rank_plot(board), paper / "ranks.png", 110))

# %% [markdown]
# The first line of the table has no rank: its authors replaced this figure (89.1, first
# arXiv version) by a lower one (87.8, as published). Ranked tables that still show the
# old one exist.
#
# Before you copy such a table, look at four columns:
#
# - `evidence`: what the authors report, what others say they report (`second-hand`),
#   what others got when they ran it (`reproduction`);
# - `superseded`: figures that their authors replaced; they are shown and not ranked;
# - `conflict`: sources that disagree about the same thing. Both stay in the table;
# - `inconsistent`: figures that are not the mean of the J and F printed beside them.
#
# `training_data="MOSE"` keeps the entries that say they trained on it, "w/o MOSE" those
# that say they did not, or list other data only. Who says nothing is in neither.

# %%
fair = leaderboard("mose-v1", "val", training_data="w/o MOSE")
print(fair.table[columns].head(6).to_string(index=False))

# %% [markdown]
# Where sources disagree, count:

# %%
every = leaderboard("davis-2017", "val")
counts = pd.crosstab(every.table["evidence"], every.table["conflict"])
print(counts)

# %% [markdown]
# ## Putting your run among them
#
# A run enters with its evidence. Ours was made on synthetic videos, so it does not
# belong among DAVIS figures at all, whatever it scores; watch what happens if we try.

# %%
intruder = LocalRun.load(paper / "flow", "davis-2017", name="flow (wrong data)")
mixed = leaderboard("davis-2017", "val", local=[intruder], n_sequences=30)
for warning in mixed.warnings:
    print("warning:", warning)

# %% [markdown]
# With your DAVIS results the call is the same, without warnings:
#
#     s3fo evaluate results/mine --benchmark davis-2017 --root DAVIS
#     s3fo leaderboard davis-2017 --local results/mine --format latex --plot ranks.pdf
#
# ## The table and the report
#
# Tables are written as LaTeX (booktabs), Markdown, CSV and JSON; people get percent,
# machines get everything.

# %%
table = ranking_table(board)
table.save(paper / "tables")
print((paper / "tables" / f"{table.name}.md").read_text()[:700])

# %% [markdown]
# For your own benchmark run, `report` puts it all on one page that opens without
# network: what to fix first, scores by sequence, object and attribute, failures with
# pictures, comparison with intervals. The same tables and figures lie beside it, for
# the paper. (Two videos, to be quick.)

# %%
written = report(
    {"flow": paper / "flow", "copy": paper / "copy"},
    benchmark,
    paper / "report",
    sequences=["crossing", "lookalikes"],
    top=2,
)
for finding in written.findings:
    print("-", finding.headline)
print(f"{written.page}, {len(written.tables)} tables, {len(written.pictures)} figures")
Image.open(paper / "report" / "figures" / "losses.png")

# %% [markdown]
# What reviewers will ask, and where the answer is:
#
# | question | answer |
# |---|---|
# | by which rules? | `scores.protocol`, printed in every table |
# | on which masks? | `scores.fingerprint` |
# | with which weights and settings? | `run.json` in the results folder |
# | better by chance? | `compare(...)`, its interval |
# | where is it worse? | the report's attributes and failures |
