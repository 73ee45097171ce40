"""Catalog entries of sets for instance and referring segmentation in video.

They were not made for semi-supervised segmentation; their public masks serve it all the
same.
"""

from __future__ import annotations

from dataclasses import replace

from s3fo.benchmarks.entry import Counts, Entry

_REMARK = (
    "Made for instance segmentation: there are no official numbers under given first "
    "masks. Each object is given in the first frame that shows it.",
    "Objects may overlap; ids count the annotations of a video from 1, in order of "
    "their ids in the file.",
)

_YOUTUBE_VIS_2019 = Entry(
    "youtube-vis-2019",
    "train",
    title="YouTube-VIS 2019",
    about="Every object of 40 categories in short videos.",
    layout="train.json (or train/instances.json), train/JPEGImages/<video>/<frame>.jpg",
    fps=6,
    annotation="every listed frame, one in five of the video",
    annotation_fps=6,
    protocol="vos-benchmark",
    preset="youtube-vos",
    public=True,
    licence="annotations CC BY 4.0; videos under the terms of YouTube",
    citation="Yang et al., Video Instance Segmentation, ICCV 2019",
    download="https://youtube-vos.org/dataset/vis/",
    unpack="Unpack train.zip beside the JSON file; the root is the folder with both.",
    remarks=(*_REMARK, "The masks of val and test are not public."),
    counts=Counts(sequences=2238),
)
_YOUTUBE_VIS_2021 = replace(
    _YOUTUBE_VIS_2019,
    name="youtube-vis-2021",
    title="YouTube-VIS 2021",
    about="YouTube-VIS with more videos and objects, 40 categories.",
    layout="train/instances.json, train/JPEGImages/<video>/<frame>.jpg",
    counts=Counts(sequences=2985),
)
_OVIS = replace(
    _YOUTUBE_VIS_2019,
    name="ovis",
    title="OVIS",
    about="Objects of 25 categories that occlude one another severely.",
    layout="annotations_train.json, train/<video>/<frame>.jpg",
    fps=None,
    annotation="every frame",
    annotation_fps=None,
    licence="CC BY-NC-SA 4.0",
    citation="Qi et al., Occluded Video Instance Segmentation: A Benchmark, IJCV 2022",
    download="https://songbai.site/ovis/",
    counts=Counts(sequences=607),
)
_LV_VIS = replace(
    _YOUTUBE_VIS_2019,
    name="lv-vis",
    title="LV-VIS",
    about="Objects of 1196 categories, many of them rare.",
    layout="train_instances.json, train/JPEGImages/<video>/<frame>.jpg; val likewise",
    fps=None,
    annotation="every listed frame",
    annotation_fps=None,
    licence="CC BY-NC-SA 4.0",
    citation="Wang et al., Towards Open-Vocabulary Video Instance Segmentation, "
    "ICCV 2023",
    download="https://github.com/haochenheheda/LVVIS",
    remarks=(*_REMARK, "The masks of test are not public."),
    counts=Counts(sequences=3083),
)
_MEVIS = Entry(
    "mevis",
    "train",
    title="MeViS",
    about="Sentences that name objects by how they move.",
    layout="train/{JPEGImages/<video>/<frame>.jpg, meta_expressions.json, "
    "mask_dict.json}; valid_u likewise",
    fps=None,
    annotation="every frame",
    annotation_fps=None,
    protocol="mevis",
    preset="generic",
    public=True,
    licence="CC BY-NC-SA 4.0",
    citation="Ding et al., MeViS: A Large-scale Benchmark for Video Segmentation with "
    "Motion Expressions, ICCV 2023",
    download="https://henghuiding.github.io/MeViS/",
    unpack="Unpack the archive; the root is the folder with train and valid_u.",
    remarks=(
        "Every sentence is an object, the union of what it names; results are "
        "<video>/<expression>/<frame>.png, expressions counted from 0 as in the file.",
        "The masks of valid are not public, those of valid_u (val-unofficial) are.",
    ),
    counts=Counts(sequences=1712),
)

ENTRIES: tuple[Entry, ...] = (
    _YOUTUBE_VIS_2019,
    _YOUTUBE_VIS_2021,
    _OVIS,
    _LV_VIS,
    replace(_LV_VIS, split="val", counts=Counts(sequences=837)),
    _MEVIS,
    replace(_MEVIS, split="valid-u", counts=Counts(sequences=50, objects=793)),
)
