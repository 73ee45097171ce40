"""Archives that are damaged, cut, hostile, or unpacked by two at once."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import multiprocessing
import os
import random
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from evaluation.errors import InputError
from s3fo.benchmarks.download import fetch
from s3fo.benchmarks.download.archives import RemoteFile
from s3fo.benchmarks.download.unpack import unpack

FILES = {f"valid/{k:02d}.bin": random.Random(k).randbytes(3000) for k in range(16)}
PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def tar_bytes(files=FILES) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def found(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("ending", PACKERS)
def test_whole_archives_are_unpacked(tmp_path, ending):
    path = tmp_path / f"a.tar{ending}"
    path.write_bytes(PACKERS[ending](tar_bytes()))
    unpack(path, tmp_path / "out")
    assert found(tmp_path / "out") == FILES


@pytest.mark.parametrize("ending", PACKERS)
def test_cut_archives_are_refused_wherever_they_are_cut(tmp_path, ending):
    whole = PACKERS[ending](tar_bytes())
    end = len(whole) - 11_000 if not ending else len(whole)  # beyond it: empty blocks
    for length in (0, 1, 600, len(whole) // 3, len(whole) // 2, end - 1):
        path = tmp_path / f"a.tar{ending}"
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"a\.tar"):
            unpack(path, tmp_path / f"out{length}")


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_a_flipped_byte_is_noticed(tmp_path, ending):
    whole, chosen = PACKERS[ending](tar_bytes()), random.Random(3)
    for attempt in range(25):
        damaged = bytearray(whole)
        damaged[chosen.randrange(12, len(whole))] ^= 1 << chosen.randrange(8)
        path = tmp_path / f"a.tar{ending}"
        path.write_bytes(damaged)
        out = tmp_path / f"out{attempt}"
        try:
            unpack(path, out)
        except InputError:
            continue
        assert found(out) == FILES, "taken, so it must be right"


def test_sparse_files_are_refused(tmp_path):
    info = tarfile.TarInfo("huge")
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 0
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386 : 386 + 24] = b"00000000000\0" + b"00000000000\0"
    block[483:495] = b"77777777777\0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(block) + bytes(10240))
    with pytest.raises(InputError, match="a sparse file"):
        unpack(path, tmp_path / "out")
    assert not found(tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_is_stopped_early(tmp_path, kind, monkeypatch):
    from s3fo.benchmarks.download import unpack as module

    monkeypatch.setattr(module, "_UNSUSPICIOUS", 1 << 20)
    path = tmp_path / f"bomb.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", bytes(64 << 20))
    else:
        path.write_bytes(gzip.compress(tar_bytes({"zeros": bytes(64 << 20)})))
    with pytest.raises(InputError, match="far more"):
        unpack(path, tmp_path / "out")
    assert sum(len(data) for data in found(tmp_path / "out").values()) < 32 << 20


@pytest.mark.parametrize("name", ["a\x1bb", "a\0b", "x/.." + "/../y", "n" * 300])
def test_odd_names_in_a_tar_are_refused(tmp_path, name):
    path = tmp_path / "a.tar"
    path.write_bytes(tar_bytes({name: b"x"}))
    if "\0" in name:
        unpack(path, tmp_path / "out")  # a tar's names end there
        assert list(found(tmp_path / "out")) == ["a"]
        return
    with pytest.raises(InputError):
        unpack(path, tmp_path / "out")


def test_a_file_that_is_there_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/a.png", "one")
        with pytest.warns(UserWarning):
            archive.writestr("x/a.png", "two")
    with pytest.raises(InputError, match="twice"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_file_where_a_folder_should_be(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(tar_bytes({"a": b"x", "a/b": b"y"}))
    with pytest.raises(InputError):
        unpack(path, tmp_path / "out")


def _fetch(folder: Path, seconds: float) -> None:
    time.sleep(seconds)
    fetch.fetch_benchmark("mose-v1", folder)


@pytest.mark.seconds
def test_two_that_unpack_at_once_take_turns(tmp_path, monkeypatch):
    files = {f"v/{k}.txt": b"%d" % k for k in range(1500)}
    (tmp_path / "valid.tar.gz").write_bytes(gzip.compress(tar_bytes(files)))
    monkeypatch.setattr(fetch, "files_of", lambda *_: (RemoteFile("valid.tar.gz"),))
    context = multiprocessing.get_context("fork")
    jobs = [context.Process(target=_fetch, args=(tmp_path, k * 0.02)) for k in range(4)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
        assert job.exitcode == 0
    assert found(tmp_path / "valid") == files
    assert sorted(os.listdir(tmp_path)) == ["valid", "valid.tar.gz"]


def test_a_link_that_lies_there_already_leads_nobody_out(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "data"
    elsewhere.mkdir()
    folder.mkdir()
    (folder / "a").symlink_to(elsewhere)
    with tarfile.open(tmp_path / "a.tar", "w") as packed:
        entry = tarfile.TarInfo("a/x.txt")
        entry.size = 4
        packed.addfile(entry, io.BytesIO(b"mine"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zipped:
        zipped.writestr("a/x.txt", "mine")
    for name in ("a.tar", "a.zip"):
        with pytest.raises(InputError):
            unpack(tmp_path / name, folder)
    assert not list(elsewhere.iterdir())
