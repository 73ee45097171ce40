"""The recorded numbers of the official tools, and where each is found in `Scores`.

`JUSTIFIED` lists every number in which we differ on purpose.
"""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

from evaluation.masks.open import Source
from evaluation.masks.sequence import FileSequence
from evaluation.results.scores import Scores

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "metrics"
"""Numbers of the official tools on label maps that we drew."""

PROTOCOLS = {
    "davis_semi": "davis-2017",
    "davis_unsup": "davis-2017-unsupervised",
    "vosbench_skip": "vos-benchmark",
    "vosbench_noskip": "vos-benchmark-all-frames",
    "sav_skip": "sa-v",
    "sav_noskip": "sa-v-all-frames",
    "lvos_semi": "lvos",
    "mosev2": "mose-v2",
    "trackeval": "trackeval-davis",
    "davis2016": "davis-2016",
}
"""Name in the fixtures -> our protocol."""

SPECIAL_PROTOCOLS = {
    # Ids with gaps: the tool scores ids that do not occur.
    ("gapids", "davis_semi"): "davis-2017-official",
    ("single_255", "davis_semi"): "davis-2016",
}
"""(dataset, name in the fixtures) -> our protocol, where it is another one."""

_DAVIS = {
    "JM": "J_mean", "JR": "J_recall", "JD": "J_decay",
    "FM": "F_mean", "FR": "F_recall", "FD": "F_decay",
}  # fmt: skip
_MOSE = {
    "J": "J_mean", "F": "F_mean", "F_new": "F_adaptive_mean",
    "dis_J": "J_disappearance", "dis_F": "F_disappearance",
    "rea_J": "J_reappearance", "rea_F": "F_reappearance",
}  # fmt: skip
COLUMNS = {
    "davis_semi": _DAVIS,
    "davis_unsup": _DAVIS,
    "lvos_semi": {"J": "J_mean", "F": "F_mean", "V": "V"},
    "mosev2": _MOSE,
    "davis2016": _DAVIS,
}
"""Official key of an object's number -> our column; percent tools are apart."""

SUMMARY = {
    "JM": "J", "JR": "J_recall", "JD": "J_decay",
    "FM": "F", "FR": "F_recall", "FD": "F_decay",
    "F_new": "F_adaptive", "J&F_new": "J&F_adaptive",
    "dis_J": "J_disappearance", "dis_F": "F_disappearance",
    "rea_J": "J_reappearance", "rea_F": "F_reappearance",
    "J-Mean": "J", "J-Recall": "J_recall", "J-Decay": "J_decay",
    "F-Mean": "F", "F-Recall": "F_recall", "F-Decay": "F_decay",
}  # fmt: skip
"""Official key of a total -> our key; the others are called the same."""

PERCENT = ("vosbench_skip", "vosbench_noskip", "sav_skip", "sav_noskip")
"""Tools that report percent."""


@dataclass(frozen=True)
class Difference:
    """A number of an official tool that is wrong, and why ours stands."""

    dataset: str
    protocol: str
    keys: tuple[str, ...]
    reason: str


JUSTIFIED = (
    Difference(
        "long300",
        "davis_semi",
        ("JD", "FD"),
        "the official code keeps frame indices in 8 bits: NaN beyond 256 frames; "
        "davis-2017-official gives the same NaN",
    ),
    Difference(
        "long300",
        "trackeval",
        ("J-Decay", "F-Decay"),
        "the same 8-bit index; trackeval-davis-official gives the same NaN",
    ),
    Difference(
        "long300",
        "davis_unsup",
        ("JD", "FD"),
        "the same 8-bit index; davis-2017-unsupervised-official gives the same NaN",
    ),
    Difference(
        "single_255",
        "davis2016",
        ("JM", "FM"),
        "another order of summation; ours is that of davis2017-evaluation",
    ),
    Difference(
        "d16",
        "trackeval",
        ("J-Decay", "J&F"),
        "another order of summation: recorded with a pairwise sum over sequences; "
        "TrackEval 1.3 adds them one by one, and so do we",
    ),
)
"""Where a number of another order of summation is near, the test asks that, too."""


def justified(dataset: str, protocol: str, key: str) -> bool:
    return any(
        (item.dataset, item.protocol) == (dataset, protocol) and key in item.keys
        for item in JUSTIFIED
    )


@dataclass(frozen=True)
class Case:
    """One dataset under one official tool."""

    dataset: str
    protocol: str
    numbers: dict
    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "inputs" / self.dataset / "pred"

    @property
    def ground_truth(self) -> Source:
        """The folder; with a meta file, its videos and the ranges of their objects."""
        inputs = self.folder / "inputs" / self.dataset
        meta = inputs / "valid_meta.json"
        if not meta.is_file():
            return inputs / "gt"
        videos = json.loads(meta.read_text())["videos"]
        return SimpleNamespace(
            name=self.dataset,
            sequences=[_video(inputs / "gt" / name, videos[name]) for name in videos],
        )

    @property
    def our_protocol(self) -> str:
        default = PROTOCOLS[self.protocol]
        return SPECIAL_PROTOCOLS.get((self.dataset, self.protocol), default)


def _video(folder: Path, entry: dict) -> SimpleNamespace:
    frames = {path.stem: path for path in sorted(folder.glob("*.png"))}
    spans = {int(k): v["frame_range"] for k, v in entry["objects"].items()}
    return SimpleNamespace(
        name=folder.name,
        object_masks=FileSequence(folder.name, frames),
        known_objects=[
            SimpleNamespace(object_id=k, frame_range=(int(v["start"]), int(v["end"])))
            for k, v in spans.items()
        ],
    )


@lru_cache
def load_document(folder: Path, dataset: str) -> dict:
    return json.loads((folder / f"{dataset}.json").read_text())


def load_case(folder: Path, dataset: str, protocol: str) -> Case:
    numbers = load_document(folder, dataset)["protocols"][protocol]
    return Case(dataset, protocol, numbers, folder)


def differences(case: Case, scores: Scores) -> list[str]:
    """Every number of the official tool that ours is not equal to, bit for bit."""
    found, seen = [], {}
    for key, official, ours in _compared(case, scores):
        metric = key.rsplit(" ", 1)[-1]
        if justified(case.dataset, case.protocol, metric):
            seen.setdefault(metric, []).append(_equal(official, ours))
            if not _near(official, ours):
                found.append(f"{key}: official {official!r}, ours {ours!r}")
        elif not _equal(official, ours):
            found.append(f"{key}: official {official!r}, ours {ours!r}")
    for metric, equal in seen.items():
        assert not all(equal), f"{metric} is equal now: drop the exception"
    return found


def _near(official: float | None, ours: float) -> bool:
    """Not a number there and one here, or only rounded otherwise."""
    return official is None or math.isclose(official, ours, rel_tol=1e-12)


def _equal(official: object, ours: object) -> bool:
    if official is None or (isinstance(official, float) and math.isnan(official)):
        return isinstance(ours, float) and math.isnan(ours)
    return official == ours


def _compared(case: Case, scores: Scores):
    """(what, official number, our number) for all numbers of a case."""
    percent = case.protocol in PERCENT
    summary = scores.summary_percent if percent else scores.summary
    for key, value in (case.numbers.get("global") or {}).items():
        yield f"global {key}", value, summary.get(SUMMARY.get(key, key), math.nan)
    yield from _objects(case, scores)
    yield from _frames(case, scores)
    for sequence, row in case.numbers.get("per_sequence", {}).items():
        yield from _sequence(sequence, row, scores)


def _names(case: Case, scores: Scores) -> list[str]:
    """What the official tool calls our objects, in order of our table."""
    table = scores.object_columns
    names, position = [], {}
    for sequence, object_id in zip(table["sequence"], table["object"], strict=True):
        position[sequence] = position.get(sequence, 0) + 1
        if case.protocol in PERCENT:
            width = 3 if case.dataset == "sav_obj" else 1
            names.append(f"{sequence}/{object_id:0{width}d}")
        elif case.protocol == "mosev2":
            names.append(f"{sequence}_{object_id}")
        else:
            names.append(f"{sequence}_{position[sequence]}")
    return names


def _objects(case: Case, scores: Scores):
    official = case.numbers.get("per_object")
    if official is None:
        return
    names = _names(case, scores)
    assert sorted(names) == sorted(official)
    for i, name in enumerate(names):
        for key, value in official[name].items():
            if case.protocol in PERCENT:
                ours = 100 * scores.object_columns[f"{key}_mean"][i]
            else:
                ours = scores.object_columns[COLUMNS[case.protocol][key]][i]
            yield f"{name} {key}", value, ours


def _frames(case: Case, scores: Scores):
    official = case.numbers.get("per_frame", {})
    table = scores.frame_columns
    rows: dict[tuple[str, int], list[int]] = {}
    for i, key in enumerate(zip(table["sequence"], table["object"], strict=True)):
        rows.setdefault(key, []).append(i)
    for (key, indices), name in zip(rows.items(), _names(case, scores), strict=True):
        if not official:
            return
        if case.protocol == "mosev2":
            columns = {"j_list": "J", "f_list": "F_adaptive", "f_list_": "F"}
            numbers = {columns[k]: official[name][k] for k in columns}
        else:
            position = int(name.rsplit("_", 1)[1]) - 1
            numbers = {k: official[key[0]][k][position] for k in ("J", "F")}
        for column, values in numbers.items():
            yield f"{name} frames", values, [table[column][i] for i in indices]


def _sequence(sequence: str, row: dict, scores: Scores):
    """TrackEval's numbers of one sequence: the summary over that sequence alone."""
    from evaluation.metrics.aggregate import summarise

    table = scores.object_columns
    kept = [i for i, name in enumerate(table["sequence"]) if name == sequence]
    alone = {column: [values[i] for i in kept] for column, values in table.items()}
    summary = summarise(alone, scores.protocol) | {"num_gt_tracks": len(kept)}
    for key, value in row.items():
        yield f"{sequence} {key}", value, summary[SUMMARY.get(key, key)]
