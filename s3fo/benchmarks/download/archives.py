"""Which files hold a split, and from where they can be had without a person.

A file has an address here only if its host gives it to everybody: others are behind
a form, a log-in or a drive, and then the page to go to is in the catalog. Check
sums are those of the publisher, or such as independent public records agree on;
where there is neither, what came first is remembered (see `download`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """One file that holds a split or a part of it.

    Attributes:
        name: as its host calls it.
        url: where it is; None where manual download is required.
        size: bytes; None where it is not known.
        sha256: check sum; None where it is not known.
        sums: address of the publisher's list of check sums (as `sha256sum` writes
            it); None without one.
    """

    name: str
    url: str | None = None
    size: int | None = None
    sha256: str | None = None
    sums: str | None = None


_DAVIS_HOST = "https://data.vision.ee.ethz.ch/csergi/share/davis/"
_MOSE_V2_HOST = "https://huggingface.co/datasets/FudanCVL/MOSEv2/resolve/main/"
_SPLIT_FILES = {"train": "train", "val": "valid", "test": "test"}
_ALL_FRAMES = "-all-frames"

# Size and sum are in TensorFlow Datasets' list, and in other projects' records.
_DAVIS_TRAINVAL = RemoteFile(
    "DAVIS-2017-trainval-480p.zip",
    _DAVIS_HOST + "DAVIS-2017-trainval-480p.zip",
    size=832_766_765,
    sha256="e3d0b5b77c3d031b000a19e0e25e3e2cac65d183755601bc2cf066df1a2aa492",
)
# The sums that the authors of MOSE publish with the download links.
_MOSE_V1_SUMS = {
    "train": "3f805e66ecb576fdd37a1ab2b06b08a428edd71994920443f70d09537918270b",
    "val": "884baecf7d7e85cd35486e45d6c474dc34352a227ac75c49f6d5e4afb61b331c",
}


def files_of(name: str, split: str) -> tuple[RemoteFile, ...]:
    """The files of one split; empty where they must be put together by hand.

    Args:
        name: catalog name of a benchmark.
        split: one of its splits.
    """
    if name == "davis-2016":
        address = "https://graphics.ethz.ch/Downloads/Data/Davis/DAVIS-data.zip"
        return (RemoteFile("DAVIS-data.zip", address),)
    if name == "davis-2017" and split in ("train", "val"):
        return (_DAVIS_TRAINVAL,)
    if name == "davis-2017":
        return (_davis(f"DAVIS-2017-{split}-480p.zip"),)
    if name == "davis-2017-unsupervised":
        return (_davis("DAVIS-2017-Unsupervised-trainval-480p.zip"),)
    if name.startswith("youtube-vos"):
        return _youtube_vos(split)
    if name == "mose-v1":
        archive = f"{_SPLIT_FILES[split]}.tar.gz"
        return (RemoteFile(archive, sha256=_MOSE_V1_SUMS.get(split)),)
    if name == "mose-v2" and split == "val":
        return _mose_v2("valid.tar.gz"), _mose_v2("meta_valid.json")
    if name == "sa-v" and split != "train":
        return (RemoteFile(f"sav_{split}.tar"),)
    return ()


def _davis(archive: str) -> RemoteFile:
    return RemoteFile(archive, _DAVIS_HOST + archive)


def _mose_v2(file: str) -> RemoteFile:
    return RemoteFile(file, _MOSE_V2_HOST + file, sums=_MOSE_V2_HOST + "SHA256SUMS")


def _youtube_vos(split: str) -> tuple[RemoteFile, ...]:
    stem = _SPLIT_FILES[split.removesuffix(_ALL_FRAMES)]
    plain = RemoteFile(f"{stem}.zip")
    if split.endswith(_ALL_FRAMES):
        return plain, RemoteFile(f"{stem}_all_frames.zip")
    return (plain,)
