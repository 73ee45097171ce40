"""The zoo model: prompts from labels, masks as labels."""

from __future__ import annotations

import tempfile
from pathlib import Path

import fiftyone as fo
import fiftyone.core.models as fom
import fiftyone.zoo.models as fozm

from evaluation.errors import InputError
from evaluation.masks.label_map import read_label_map
from s3fo.benchmarks import VideoSequence
from s3fo.benchmarks.video_file import count_frames
from s3fo.datasets.importing.labels import detections_of, masks_of_label_map
from s3fo.plugin.shared.prompts import FirstMasks, prompted_by, read_first_masks
from s3fo.plugin.zoo.reader import restore_reader, use_our_reader

_OPTIONS = (
    "weights",
    "size",
    "device",
    "memory",
    "precision",
    "model",
    "compile_encoder",
    "command",
    "timeout",
)


class VideoObjectSegmenterConfig(fom.ModelConfig, fozm.HasZooModel):
    """Options of `foz.load_zoo_model`.

    Args:
        d: ``method`` (the name of one of `s3fo.inference.list_methods`) and its
            options, such as ``weights``, ``size``, ``device``, ``memory``,
            ``precision``; further ones in a mapping ``options``.
    """

    def __init__(self, d: dict[str, object]) -> None:
        self.method = self.parse_string(d, "method", default="s3")
        for name in _OPTIONS:
            setattr(self, name, self.parse_raw(d, name, default=None))
        self.options = self.parse_dict(d, "options", default={})


class VideoObjectSegmenter(fom.SamplesMixin, fom.Model):
    """Follows objects through the videos of a dataset.

    ``prompt_field`` names frame-level `Detections` with masks. Of each object (the
    labels of one `index`, or of one `instance` where there is no index) only the first
    appearance is used, never a later one: a dataset's full ground truth may be given
    without telling the model more than the benchmarks allow.

    Args:
        config: a `VideoObjectSegmenterConfig`.
    """

    def __init__(self, config: VideoObjectSegmenterConfig) -> None:
        from s3fo.inference import build_method

        self.config = config
        self._fields: dict[str, str] = {}
        options = {name: getattr(config, name) for name in _OPTIONS} | config.options
        given = {key: value for key, value in options.items() if value is not None}
        self._method = build_method(config.method, **given)

    @property
    def media_type(self) -> str:
        """Videos."""
        return "video"

    def __enter__(self) -> VideoObjectSegmenter:
        """Applied by FiftyOne, which then needs no ffprobe to open videos."""
        use_our_reader()
        return self

    def __exit__(self, *_: object) -> None:
        """No longer applied."""
        restore_reader()

    def predict(
        self, video_reader: object, sample: fo.Sample
    ) -> dict[int, fo.Detections]:
        """Segment one video.

        Args:
            video_reader: FiftyOne's reader; not used, see `_sequence`.
            sample: the video's sample, with the prompt field.

        Returns:
            Labels with masks by frame number; none before the first prompt.

        Raises:
            InputError: no prompt, or one without mask.
        """
        from s3fo.inference.running.predict import segment_video

        field = self.needs_fields.get("prompt_field", "")
        if not field.startswith("frames."):
            raise InputError(
                "prompt_field",
                repr(field),
                "a frame field with masks, such as 'frames.ground_truth'",
                "Pass prompt_field to apply_model.",
            )
        video = _sequence(sample)
        path = field.removeprefix("frames.")
        prompts = read_first_masks(sample.frames, path, video)
        sequence = prompted_by(video, lambda: prompts)
        with tempfile.TemporaryDirectory() as folder:
            segment_video(sequence, self._method, Path(folder), sequence.frames)
            return {
                number: _labels(sequence.name, Path(folder), frame, prompts)
                for number, frame in enumerate(sequence.frames, start=1)
            }


def _labels(
    sequence: str, folder: Path, frame: str, prompts: FirstMasks
) -> fo.Detections:
    """The labels of one frame, of the same instances as the prompts."""
    label_map = read_label_map(folder / sequence / f"{frame}.png")
    labels = detections_of(
        sequence, masks_of_label_map(label_map), prompts.names, with_masks=True
    )
    for label in labels.detections:
        if label.index in prompts.instances:
            label.instance = fo.Instance(id=prompts.instances[label.index])
    return labels


def _sequence(sample: fo.Sample) -> VideoSequence:
    """A sample as the sequence that methods take, without annotations.

    Frames are the original images where the dataset knows them, for the video file
    is a compressed copy for the App.
    """
    stored = fo.load_dataset(sample.dataset.name)[sample.id]
    path = Path(stored.filepath)
    count = stored.metadata and stored.metadata.total_frame_count
    count = count or count_frames(path)
    frames = tuple(f"{number:05d}" for number in range(1, count + 1))
    images = _images(stored, frames)
    return VideoSequence(
        name=stored["sequence"] if stored.has_field("sequence") else sample.id,
        frames=frames,
        images=images,
        annotations={},
        video=None if images else path,
    )


def _images(sample: fo.Sample, frames: tuple[str, ...]) -> dict[str, Path]:
    """The image file of every frame; none unless all frames have one."""
    files = {
        number: frame["filepath"]
        for number, frame in sample.frames.items()
        if frame.has_field("filepath") and frame["filepath"]
    }
    if any(number not in files for number in range(1, len(frames) + 1)):
        return {}
    return {name: Path(files[number]) for number, name in enumerate(frames, start=1)}
