"""What the catalog says of each split of a benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ServerState = Literal["open", "closed", "moved"]


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
        server: address of the server; once it is closed, where it was.
        folder: folder in the zip above the videos; empty for none.
        frames: ``"all"``, or ``"listed"`` for those the meta file lists.
        remark: what else to know.
        state: ``"open"``, ``"closed"`` or ``"moved"``.
        since: day of the closing or the move; empty for an open server.
        known: day of the source that says so.
        moved_to: address of the new server, where there is one.
        source: where this is said.
    """

    server: str
    folder: str = ""
    frames: str = "all"
    remark: str = ""
    state: ServerState = "open"
    since: str = ""
    known: str = ""
    moved_to: str = ""
    source: str = ""

    @property
    def page(self) -> str | None:
        """Address that takes uploads; None if there is none any more."""
        if self.state == "open":
            return self.server
        return self.moved_to or None

    @property
    def status(self) -> str:
        """State of the server in words, with the day of which it is true."""
        known = f" (known {self.known})" if self.known else ""
        if self.state == "open":
            return f"open: {self.server}{known}"
        if self.moved_to:
            return f"moved to {self.moved_to} on {self.since}{known}"
        was = self.server.removeprefix("https://")
        return f"closed since {self.since} (was {was}), takes no submissions{known}"

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
