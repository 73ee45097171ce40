"""Ground truth that people worked on, where the files of its videos changed."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count

import fiftyone as fo

from evaluation._utils.names import counted
from evaluation.masks.names import shown
from s3fo.datasets._fiftyone import Document
from s3fo.datasets.field_names import GROUND_TRUTH
from s3fo.datasets.importing.changed_labels import KeptLabelsWarning, edited_labels
from s3fo.datasets.importing.kept_labels import EarlierWork, with_work
from s3fo.datasets.importing.writing import MaskSource
from s3fo.datasets.schema import evaluations, load_predictions_info

_ANEW = "their frames are not as many as they were, and they are loaded anew"
_GONE = "objects with labels that people worked on are gone from masks that changed"
_OUT = "the benchmark no longer has them, and they are taken out"


class KeptTruth:
    """What people did by hand in a dataset that is loaded again.

    What cannot stay where it is goes into a dataset of its own, which a warning names,
    before anything is replaced.
    """

    def __init__(self, dataset: fo.Dataset, edited: Collection[str] = ()) -> None:
        """Remember where to look; nothing is read before a video changed.

        Args:
            dataset: that is loaded again.
            edited: ids of samples whose labels of the ground truth were edited.
        """
        self._dataset, self.edited = dataset, set(edited)
        self._work = EarlierWork(dataset, GROUND_TRUTH, evaluations(dataset))

    def carry(self, frame: str, labels: Document) -> Document | None:
        """Labels of a frame's file, with what people added to those of its objects.

        Args:
            frame: id of its document.
            labels: as the file has them.
        """
        return with_work(labels, self._work.of_frame(frame))

    def before_deleting(self, samples: Sequence[str], *, anew: bool) -> None:
        """Keep samples that people worked on, before they are deleted.

        Args:
            samples: their ids.
            anew: whether they are loaded anew, with other frames.
        """
        if samples:
            touched = self._touched(samples)
            self._keep_apart([k for k in samples if k in touched], anew, _OUT)

    def before_replacing(self, sources: Mapping[str, MaskSource]) -> None:
        """Keep samples some of whose labels with tags or the like find no object.

        Args:
            sources: the masks by the id of the sample.
        """
        lost = [
            key for key, source in sources.items() if self._finds_no_place(key, source)
        ]
        self._keep_apart(lost, False, _GONE)

    def tags_of_objects(self, samples: Sequence[str]) -> list[dict[int, list[str]]]:
        """Tags of the objects of each of some samples, by their ids."""
        view = self._dataset.select(list(samples), ordered=True)
        path = "objects.detections"
        rows = zip(*view.values([f"{path}.index", f"{path}.tags"]), strict=True)
        return [dict(zip(keys or (), tags or (), strict=True)) for keys, tags in rows]

    def _finds_no_place(self, sample: str, source: MaskSource) -> bool:
        work = dict(self._work.of_sample(sample))
        if not work:
            return False
        view = self._dataset.select([sample])
        ids, numbers = (
            one[0] for one in view.values(["frames.id", "frames.frame_number"])
        )
        frames = dict(enumerate(source.sequence.frames, start=1))
        for key, number in zip(ids, numbers, strict=True):
            name = frames.get(number)
            there = source.read(name) if key in work and name in source.masked else ()
            if set(work.get(key, ())) - {item.object_id for item in there}:
                return True
        return False

    def _touched(self, samples: Iterable[str]) -> set[str]:
        """Those of some samples in which people edited, tagged or named anything."""
        samples = list(samples)
        touched = self.edited | {k for k in samples if any(self._work.of_sample(k))}
        for name, known in load_predictions_info(self._dataset).items():
            if known.labels and self._dataset.has_frame_field(name):
                touched |= set(edited_labels(self._dataset, name))
        if self._is_tagged(samples):
            touched |= {key for key in samples if self._is_tagged([key])}
        return touched

    def _is_tagged(self, samples: list[str]) -> bool:
        view = self._dataset.select(samples)
        return bool(view.count_label_tags() or view.count_sample_tags())

    def _keep_apart(self, samples: list[str], anew: bool, why: str) -> None:
        """Copy samples into a dataset of their own, and say so."""
        if not samples:
            return
        view = self._dataset.select(samples)
        own = self._dataset.select([k for k in samples if k in self.edited])
        edited = own.count(f"frames.{GROUND_TRUTH}.detections") if len(own) else 0
        added = sum(len(w) for k in samples for _, w in self._work.of_sample(k))
        name = _free_name(f"{self._dataset.name}-kept")
        view.clone(name, persistent=True)
        warnings.warn(
            f"{counted(len(samples), 'video')} ({shown(view.values('sequence'))}) with "
            f"work of people ({counted(edited, 'label')} of {GROUND_TRUTH} in edited "
            f"videos, {counted(added, 'label')} with tags, attributes or classes): "
            f"{_ANEW if anew else why}. As they were, they are kept in the dataset "
            f"{name!r} (fiftyone.load_dataset({name!r}))",
            KeptLabelsWarning,
            stacklevel=2,
        )


def _free_name(name: str) -> str:
    names = (f"{name}-{k}" if k > 1 else name for k in count(1))
    return next(own for own in names if not fo.dataset_exists(own))
