"""What the catalogue says of each split of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Counts:
    """How many there are; None where no source says.

    Attributes:
        sequences: videos.
        objects: annotated objects, all videos together.
        frames: images, all videos together.
        masks: annotated frames (index-mask files), all videos together.
    """

    sequences: int | None = None
    objects: int | None = None
    frames: int | None = None
    masks: int | None = None


@dataclass(frozen=True)
class SubmissionFormat:
    """The zip a server wants.

    Attributes:
        server: where to upload it.
        folder: folder in the zip above the videos; empty for none.
        frames: ``"all"``, or ``"listed"`` for those the meta file lists.
        remark: what else to know.
    """

    server: str
    folder: str = ""
    frames: str = "all"
    remark: str = ""

    @property
    def layout(self) -> str:
        """What is in the zip, in words: the files' names and what they hold."""
        root = f"{self.folder}/" if self.folder else ""
        listed = " the meta file lists" if self.frames == "listed" else ""
        return f"{root}<video>/<frame>.png, an indexed PNG of every frame{listed}"


@dataclass(frozen=True)
class Entry:
    """One split of one benchmark.

    Attributes:
        name: e.g. ``"davis-2017"``.
        split: e.g. ``"val"``.
        title: name for people.
        about: what it is, in a sentence.
        layout: the folder tree, in words.
        fps: frames per second of the images.
        annotation: which frames have masks.
        annotation_fps: annotated frames per second; None if only first masks.
        protocol: evaluation protocol of the published numbers.
        preset: inference preset that methods of the S3 family use on it.
        public: whether its ground truth can be had (else a server scores).
        licence: of the data.
        citation: the paper to cite.
        download: where to get it.
        unpack: what to put where.
        counts: what it should hold.
        submission: how to submit; None where everybody scores at home.
        remarks: what else to know.
    """

    name: str
    split: str
    title: str
    about: str
    layout: str
    fps: float | None
    annotation: str
    annotation_fps: float | None
    protocol: str
    preset: str
    public: bool
    licence: str
    citation: str
    download: str
    unpack: str
    counts: Counts = Counts()
    submission: SubmissionFormat | None = None
    remarks: tuple[str, ...] = ()
