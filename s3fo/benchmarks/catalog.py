"""The benchmarks s3fo knows: one entry per split, with every fact a user needs.

Counts are the published ones; None where no source gives them. They are what
`validate` compares a folder with.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches

from evaluation.errors import InputError
from s3fo.benchmarks import catalog_instances
from s3fo.benchmarks.entry import Counts, Entry, SubmissionFormat

__all__ = [
    "ENTRIES",
    "Counts",
    "Entry",
    "SubmissionFormat",
    "get_entry",
    "names",
    "nearest_public",
    "splits",
]


_DAVIS_LAYOUT = (
    "JPEGImages/480p/<sequence>/<frame>.jpg, Annotations/480p/<sequence>/<frame>.png, "
    "ImageSets/<year>/<split>.txt"
)
_TREE_LAYOUT = (
    "<split>/JPEGImages/<video>/<frame>.jpg, <split>/Annotations/<video>/<frame>.png, "
    "<split>/meta.json"
)
_FIRST_ONLY = "each object in the frame of its first appearance"
_DAVIS_DOWNLOAD = "https://davischallenge.org/davis2017/code.html"


def _codalab(competition: int, **form: str) -> SubmissionFormat:
    """The form of a server that closed with CodaLab."""
    return SubmissionFormat(
        f"https://codalab.lisn.upsaclay.fr/competitions/{competition}",
        state="closed",
        since="2025-12-31",
        known="2026-04-18",
        source="https://github.com/jayleicn/moment_detr/issues/85, "
        "https://github.com/henghuiding/MOSE-api/issues/18",
        **form,
    )


_DAVIS_2016 = Entry(
    "davis-2016",
    "train",
    title="DAVIS 2016",
    about="50 short videos in high quality, one salient object each.",
    layout=_DAVIS_LAYOUT,
    fps=24,
    annotation="every frame",
    annotation_fps=24,
    protocol="davis-2016",
    preset="davis",
    public=True,
    licence="BSD for the code; CC BY-NC 4.0 is quoted for the data",
    citation="Perazzi et al., A Benchmark Dataset and Evaluation Methodology for "
    "Video Object Segmentation, CVPR 2016",
    download="https://graphics.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip",
    unpack="Unpack the zip; the root is the folder with JPEGImages.",
    remarks=("Masks are 0/255; any non-zero pixel is the object.",),
)
_DAVIS_2017 = replace(
    _DAVIS_2016,
    name="davis-2017",
    title="DAVIS 2017",
    about="150 short videos in high quality, several objects each; includes the "
    "sequences of 2016.",
    protocol="davis-2017",
    citation="Pont-Tuset et al., The 2017 DAVIS Challenge on Video Object "
    "Segmentation, arXiv 1704.00675",
    download=_DAVIS_DOWNLOAD,
    unpack="Unpack DAVIS-2017-trainval-480p.zip; the root is the folder DAVIS.",
    remarks=(
        "Official attributes exist for the 50 sequences of 2016 only.",
        "Official scores are taken at 480p; methods may use the full resolution.",
    ),
)
_DAVIS_HIDDEN = replace(
    _DAVIS_2017,
    annotation=_FIRST_ONLY + " (frame 0)",
    annotation_fps=None,
    public=False,
    unpack="Unpack DAVIS-2017-<split>-480p.zip; the root is the folder DAVIS.",
    submission=_codalab(6812, remark="A folder around the sequences is rejected."),
)
_DAVIS_UNSUPERVISED = replace(
    _DAVIS_2017,
    name="davis-2017-unsupervised",
    title="DAVIS 2017 unsupervised",
    about="DAVIS 2017 with annotations of all primary objects, for methods that get "
    "no first mask.",
    layout=_DAVIS_LAYOUT.replace("Annotations", "Annotations_unsupervised"),
    protocol="davis-2017-unsupervised",
    citation="Caelles et al., The 2019 DAVIS Challenge on VOS: Unsupervised "
    "Multi-Object Segmentation, arXiv 1905.00737",
    unpack="Unpack DAVIS-2017-Unsupervised-trainval-480p.zip; the root is the folder "
    "DAVIS.",
    remarks=(
        *_DAVIS_2017.remarks,
        "Its test sets come without masks, so s3fo does not read them; their server "
        "closed with CodaLab on 2025-12-31.",
    ),
)

_YOUTUBE_VOS_2018 = Entry(
    "youtube-vos-2018",
    "train",
    title="YouTube-VOS 2018",
    about="Thousands of short videos, 91 categories, 26 of them only in validation.",
    layout=_TREE_LAYOUT,
    fps=6,
    annotation="every frame in which the object is visible",
    annotation_fps=6,
    protocol="youtube-vos",
    preset="youtube-vos",
    public=True,
    licence="non-commercial research (terms on the download page)",
    citation="Xu et al., YouTube-VOS: Sequence-to-Sequence Video Object Segmentation, "
    "ECCV 2018",
    download="https://youtube-vos.org/dataset/vos/ (before 2026: "
    "competitions.codalab.org/competitions/19544)",
    unpack="Unpack train.zip, valid.zip, test.zip side by side into one folder.",
    remarks=("Frames are every fifth of a 30 fps video; names step by 5.",),
)
_YOUTUBE_VOS_2018_HIDDEN = replace(
    _YOUTUBE_VOS_2018,
    annotation=_FIRST_ONLY + ", which may be in the middle of the video",
    annotation_fps=None,
    public=False,
    submission=_codalab(7685, folder="Annotations", frames="listed"),
)
_YOUTUBE_VOS_2019 = replace(
    _YOUTUBE_VOS_2018,
    name="youtube-vos-2019",
    title="YouTube-VOS 2019",
    about="The 2018 videos with more objects annotated, and more validation videos.",
    download="https://youtube-vos.org/dataset/vos/ (before 2026: "
    "competitions.codalab.org/competitions/20127)",
)
_YOUTUBE_VOS_2019_HIDDEN = replace(
    _YOUTUBE_VOS_2018_HIDDEN,
    name=_YOUTUBE_VOS_2019.name,
    title=_YOUTUBE_VOS_2019.title,
    about=_YOUTUBE_VOS_2019.about,
    download=_YOUTUBE_VOS_2019.download,
    submission=_codalab(6066, folder="Annotations", frames="listed"),
)

_MOSE_V1 = Entry(
    "mose-v1",
    "train",
    title="MOSE v1",
    about="Crowded scenes, occlusion, objects that disappear and return.",
    layout=_TREE_LAYOUT,
    fps=None,
    annotation="every frame",
    annotation_fps=None,
    protocol="mose-v1",
    preset="mose",
    public=True,
    licence="CC BY-NC-SA 4.0",
    citation="Ding et al., MOSE: A New Dataset for Video Object Segmentation in "
    "Complex Scenes, ICCV 2023",
    download="https://huggingface.co/datasets/FudanCVL/MOSE",
    unpack="Unpack train.tar.gz and valid.tar.gz side by side into one folder.",
    remarks=(
        "All splits: 2149 videos, 5200 objects of 36 categories, 130,149 frames, "
        "431,725 masks.",
        "Frame rate is mostly 5 to 6 fps.",
        "All objects begin in frame 0.",
    ),
)
_MOSE_V1_HIDDEN = replace(
    _MOSE_V1,
    annotation=_FIRST_ONLY + " (frame 0)",
    public=False,
    submission=_codalab(
        10703,
        remark="Its makers point to the server of MOSE v2, which scores other videos.",
    ),
)
_MOSE_V2 = replace(
    _MOSE_V1,
    name="mose-v2",
    title="MOSE v2",
    about="5024 videos of complex scenes: small, camouflaged, returning objects, "
    "several shots, 200 categories.",
    layout=_TREE_LAYOUT.replace("<split>/meta.json", "meta_<split>.json"),
    protocol="mose-v2",
    citation="Ding et al., MOSEv2: A More Challenging Dataset for Video Object "
    "Segmentation in Complex Scenes, arXiv 2508.05630",
    download="https://huggingface.co/datasets/FudanCVL/MOSEv2",
    unpack="Join the parts of the training archive (cat train.tar.gz.?? > "
    "train.tar.gz), unpack it and valid.tar.gz side by side into one folder, and put "
    "meta_train.json and meta_valid.json there.",
    remarks=(
        "All splits: 5024 videos, 10,074 objects of 200 categories, 468,251 frames, "
        "701,976 masks. The 311 validation videos of version 1 count among them.",
        "5 fps or more; 93 frames on average, the longest video has 7825.",
        "All objects begin in frame 0.",
    ),
)
_MOSE_V2_HIDDEN = replace(
    _MOSE_V2,
    annotation=_FIRST_ONLY + " (frame 0)",
    public=False,
    submission=SubmissionFormat(
        "https://www.codabench.org/competitions/10062",
        known="2025-09-22",
        source="https://github.com/henghuiding/MOSE-api/issues/18",
    ),
)

_LVOS_REMARKS = (
    "Frame names step by 5.",
    "Objects are scored within the frame range of the meta file.",
    "Ground truth of all frames is in Annotations: only first masks are prompts.",
)
_LVOS_V1 = Entry(
    "lvos-v1",
    "train",
    title="LVOS v1",
    about="Long videos: 1.6 minutes on average, with long absences.",
    layout=_TREE_LAYOUT.replace("meta.json", "<split>_meta.json"),
    fps=6,
    annotation="every frame",
    annotation_fps=6,
    protocol="lvos",
    preset="lvos",
    public=True,
    licence="annotations CC BY 4.0, data for non-commercial research",
    citation="Hong et al., LVOS: A Benchmark for Long-term Video Object "
    "Segmentation, ICCV 2023",
    download="https://lingyihongfd.github.io/lvos.github.io/dataset.html",
    unpack="Unpack train.zip, valid.zip, test.zip side by side into one folder.",
    remarks=("All splits: 282 objects, 126,280 frames, 156,432 masks.", *_LVOS_REMARKS),
)
_LVOS_V1_HIDDEN = replace(
    _LVOS_V1,
    annotation=_FIRST_ONLY,
    annotation_fps=None,
    public=False,
    submission=_codalab(8767, folder="Annotations"),
)
_LVOS_V2 = replace(
    _LVOS_V1,
    name="lvos-v2",
    title="LVOS v2",
    about="720 long videos, 44 categories, half of them longer than 300 frames.",
    citation="Hong et al., LVOS: A Benchmark for Large-scale Long-term Video Object "
    "Segmentation, arXiv 2404.19326",
    remarks=(
        "All splits: 1132 objects, 296,401 frames, 407,945 masks.",
        *_LVOS_REMARKS,
    ),
)
_LVOS_V2_HIDDEN = replace(
    _LVOS_V2,
    annotation=_FIRST_ONLY,
    annotation_fps=None,
    public=False,
    remarks=(*_LVOS_V2.remarks, "There is no server for the test split."),
)

_SA_V = Entry(
    "sa-v",
    "val",
    title="SA-V",
    about="Videos of the SAM 2 project; objects and parts, which may overlap.",
    layout="JPEGImages_24fps/<video>/<frame>.jpg, "
    "Annotations_6fps/<video>/<object>/<frame>.png, sav_<split>.txt",
    fps=24,
    annotation="every fourth frame, one mask file per object",
    annotation_fps=6,
    protocol="sa-v",
    preset="generic",
    public=True,
    licence="CC BY 4.0",
    citation="Ravi et al., SAM 2: Segment Anything in Images and Videos, "
    "arXiv 2408.00714",
    download="https://ai.meta.com/datasets/segment-anything-video-downloads/",
    unpack="Unpack sav_val.tar and sav_test.tar; the root is sav_val or sav_test, or "
    "the folder above both.",
    remarks=("Object folder 000 is object 1 here: 0 is the background of label maps.",),
)
_SA_V_TRAIN = replace(
    _SA_V,
    split="train",
    layout="<any>/<video>.mp4, <video>_manual.json, <video>_auto.json (COCO run "
    "lengths)",
    annotation="every fourth frame, run lengths",
    unpack="Unpack the sav_*.tar files into one folder.",
    remarks=(*_SA_V.remarks, "Masklets made by hand are used where there are any."),
)

_BURST = Entry(
    "burst",
    "val",
    title="BURST",
    about="Diverse videos of TAO with masks of 482 classes.",
    layout="annotations/<split>/all_classes.json, "
    "frames/<split>/<dataset>/<video>/<frame>.jpg",
    fps=None,
    annotation="about one frame per second, run lengths in one JSON",
    annotation_fps=1,
    protocol="burst",
    preset="burst",
    public=True,
    licence="terms of TAO and its sources",
    citation="Athar et al., BURST: A Benchmark for Unifying Object Recognition, "
    "Segmentation and Tracking in Video, WACV 2023",
    download="https://github.com/Ali2500/BURST-benchmark",
    unpack="Unpack annotations.zip (linked there) to annotations/ and the frames of "
    "TAO (https://motchallenge.net/tao_download.php) to frames/.",
    remarks=(
        "All splits: 2914 videos, 16,089 tracks, 600,000 masks.",
        "The official metric is HOTA, class by class; J&F is offered beside it. The "
        "official evaluation code reads what `write_burst_predictions` writes.",
    ),
)


_LISTED_LAYOUT = (
    "JPEGImages/<sequence>/<frame>.jpg, Annotations/<sequence>/<frame>.png, "
    "ImageSets/<split>.txt"
)
_VOST = Entry(
    "vost",
    "train",
    title="VOST",
    about="Objects that transform: cut, broken, poured, moulded; 21 s on average.",
    layout=_LISTED_LAYOUT,
    fps=5,
    annotation="every frame",
    annotation_fps=5,
    protocol="vost",
    preset="davis",
    public=True,
    licence="terms of the download page (videos of Ego4D and EPIC-KITCHENS)",
    citation='Tokmakov et al., Breaking the "Object" in Video Object Segmentation, '
    "CVPR 2023",
    download="https://www.vostdataset.org/data.html",
    unpack="Unpack the archive; the root is the folder with JPEGImages.",
    remarks=(
        "All splits: 713 videos. Only train and val are in this catalog.",
        "Scored by J and by J over the last quarter of the frames, without F.",
        "Void is 255 and counts as background.",
    ),
)
_VISOR = Entry(
    "visor",
    "train",
    title="VISOR (EPIC-KITCHENS)",
    about="Hands and the things they use, seen by the one who cooks.",
    layout="JPEGImages/480p/<sequence>/<frame>.jpg, "
    "Annotations/480p/<sequence>/<frame>.png, ImageSets/2022/<split>.txt",
    fps=None,
    annotation="every frame of the converted tree; these are sparse in the videos",
    annotation_fps=None,
    protocol="visor",
    preset="davis",
    public=True,
    licence="terms of the download page",
    citation="Darkhalil et al., EPIC-KITCHENS VISOR Benchmark: VIdeo Segmentations "
    "and Object Relations, NeurIPS 2022",
    download="https://epic-kitchens.github.io/VISOR/",
    unpack="Convert the JSON files with visor_to_davis.py of "
    "github.com/epic-kitchens/VISOR-VOS, once for train and once for val; the root is "
    "the folder with JPEGImages.",
    remarks=(
        "visor_to_davis.py -keep_first_frame_masks_only 1 leaves those objects in val "
        "that the first frame shows, as the official scores want it.",
        "val-unseen are the sequences of val from kitchens that train does not have.",
    ),
)
_SECVOS = Entry(
    "secvos",
    "val",
    title="SeCVOS",
    about="Videos of several scenes, 4.26 on average; objects come back in others.",
    layout="JPEGImages/<video>/<frame>.jpg, Annotations/<video>/<frame>.png or "
    "Annotations/<video>/<object>/<frame>.png",
    fps=None,
    annotation="as the archive has it",
    annotation_fps=None,
    protocol="sa-v",
    preset="generic",
    public=True,
    licence="CC BY-NC-SA 4.0",
    citation="Zhang et al., SeC: Advancing Complex Video Object Segmentation via "
    "Progressive Concept Construction, arXiv 2507.15852",
    download="https://huggingface.co/datasets/OpenIXCLab/SeCVOS",
    unpack="Unpack JPEGImages.zip and Annotations.zip into one folder, and leave "
    "scene_info.json beside them for figures by number of scene changes.",
    remarks=(
        "The benchmark has no splits: all its videos count as val.",
        "Scored by SAM 2's sav_evaluator, as the authors do, and by number of scene "
        "changes where scene_info.json is there. Its form is described nowhere: a note "
        "tells what was read.",
    ),
)
_PUMAVOS = Entry(
    "pumavos",
    "val",
    title="PUMaVOS",
    about="Partial and unusual masks, as film makers draw them.",
    layout=_LISTED_LAYOUT.replace(", ImageSets/<split>.txt", ""),
    fps=None,
    annotation="every frame",
    annotation_fps=None,
    protocol="davis-2017",
    preset="davis",
    public=True,
    licence="terms of the download page",
    citation="Bekuzarov et al., XMem++: Production-level Video Segmentation From Few "
    "Annotated Frames, ICCV 2023",
    download="https://github.com/mbzuai-metaverse/XMem2",
    unpack="Unpack the archive; the root is the folder with JPEGImages.",
    remarks=("The benchmark has no splits: all its videos count as val.",),
)


def _all_frames(entry: Entry) -> Entry:
    """The same split with the separate download of all frames."""
    return replace(
        entry,
        split=f"{entry.split}-all-frames",
        fps=30,
        unpack=entry.unpack + " Unpack <split>_all_frames.zip beside them or into "
        "all_frames/.",
        counts=replace(entry.counts, frames=None),
        remarks=(
            *entry.remarks,
            "Using all frames changes the score by up to one point: say so.",
        ),
    )


def _split(entry: Entry, split: str, **counts: int) -> Entry:
    return replace(entry, split=split, counts=Counts(**counts))


_YOUTUBE_VOS = (
    _split(_YOUTUBE_VOS_2018, "train", sequences=3471, objects=5945),
    _split(_YOUTUBE_VOS_2018_HIDDEN, "val", sequences=474, objects=894),
    _split(_YOUTUBE_VOS_2018_HIDDEN, "test", sequences=508, objects=915),
    _split(_YOUTUBE_VOS_2019, "train", sequences=3471, objects=6459),
    _split(_YOUTUBE_VOS_2019_HIDDEN, "val", sequences=507, objects=1063),
    _split(_YOUTUBE_VOS_2019_HIDDEN, "test", sequences=541, objects=1092),
)

ENTRIES: tuple[Entry, ...] = (
    _split(_DAVIS_2016, "train", sequences=30, objects=30, frames=2079, masks=2079),
    _split(_DAVIS_2016, "val", sequences=20, objects=20, frames=1376, masks=1376),
    _split(_DAVIS_2017, "train", sequences=60, frames=4209, masks=4209),
    _split(_DAVIS_2017, "val", sequences=30, objects=61, frames=1999, masks=1999),
    _split(_DAVIS_HIDDEN, "test-dev", sequences=30, objects=89, frames=2086, masks=30),
    _split(_DAVIS_HIDDEN, "test-challenge", sequences=30, frames=2180, masks=30),
    _split(_DAVIS_UNSUPERVISED, "train", sequences=60, frames=4209, masks=4209),
    _split(_DAVIS_UNSUPERVISED, "val", sequences=30, frames=1999, masks=1999),
    *_YOUTUBE_VOS,
    *(_all_frames(entry) for entry in _YOUTUBE_VOS),
    _split(_MOSE_V1, "train", sequences=1507),
    _split(_MOSE_V1_HIDDEN, "val", sequences=311, masks=311),
    _split(_MOSE_V1_HIDDEN, "test", sequences=331, masks=331),
    _split(_MOSE_V2, "train", sequences=3666),
    _split(_MOSE_V2_HIDDEN, "val", sequences=433, masks=433),
    _split(_MOSE_V2_HIDDEN, "test", sequences=614, masks=614),
    _split(_LVOS_V1, "train", sequences=120),
    _split(_LVOS_V1, "val", sequences=50),
    _split(_LVOS_V1_HIDDEN, "test", sequences=50),
    _split(_LVOS_V2, "train", sequences=420),
    _split(_LVOS_V2, "val", sequences=140, frames=66056, masks=66056),
    _split(_LVOS_V2_HIDDEN, "test", sequences=160),
    _split(_SA_V_TRAIN, "train", sequences=50583, objects=190316),
    _split(_SA_V, "val", sequences=155, objects=293),
    _split(_SA_V, "test", sequences=150, objects=278),
    _split(_BURST, "train", sequences=500),
    _split(_BURST, "val", sequences=993),
    _split(_BURST, "test", sequences=1421),
    _split(_VOST, "train", sequences=572),
    _split(_VOST, "val", sequences=70),
    _split(_VISOR, "train"),
    _split(_VISOR, "val"),
    _split(_VISOR, "val-unseen"),
    _split(_SECVOS, "val", sequences=160),
    _split(_PUMAVOS, "val", sequences=24),
    *catalog_instances.ENTRIES,
)


def names() -> list[str]:
    """Names of the benchmarks, in the order of the catalog."""
    return list(dict.fromkeys(entry.name for entry in ENTRIES))


def splits(name: str) -> list[str]:
    """Splits of a benchmark.

    Raises:
        InputError: there is none of this name.
    """
    found = [entry.split for entry in ENTRIES if entry.name == name]
    if not found:
        near = get_close_matches(name, names(), n=1)
        raise InputError(
            f"benchmark {name!r}",
            "an unknown name",
            ", ".join(names()),
            f"Did you mean {near[0]}?" if near else "Pass one of these names.",
        )
    return found


def nearest_public(entry: Entry) -> Entry | None:
    """The split with public ground truth that is nearest to one without.

    The same benchmark's validation set, else its training set, else None.
    """
    if entry.public:
        return entry
    others = [item for item in ENTRIES if item.name == entry.name and item.public]
    order = {"val": 0, "train": 1}
    whole = [item for item in others if item.split in order]
    return min(whole, key=lambda item: order[item.split], default=None)


def get_entry(name: str, split: str | None = None) -> Entry:
    """One entry of the catalog.

    Args:
        name: of the benchmark.
        split: None takes ``"val"``, or the last one of those that have no such split
            with public masks.

    Raises:
        InputError: no such benchmark, or no such split of it.
    """
    known = splits(name)
    if split is None:
        split = "val" if "val" in known else known[-1]
    split = {"valid": "val"}.get(split, split.replace("_", "-"))
    for entry in ENTRIES:
        if entry.name == name and entry.split == split:
            return entry
    raise InputError(
        f"split {split!r} of {name}",
        "an unknown split",
        ", ".join(known),
        "Pass one of these splits.",
    )
