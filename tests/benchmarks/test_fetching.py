"""Downloads that break off, change or are spoilt; archives not to be trusted."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from benchmark_trees import names, write_davis, write_tree
from range_server import Host, serve

from evaluation.errors import InputError
from s3fo.benchmarks import fetch_benchmark, open_benchmark
from s3fo.benchmarks.catalog import ENTRIES
from s3fo.benchmarks.download import fetch as fetching
from s3fo.benchmarks.download import http as downloading
from s3fo.benchmarks.download.archives import RemoteFile, files_of
from s3fo.benchmarks.download.http import download, origin_of
from s3fo.benchmarks.download.unpack import unpack

DATA = bytes(range(256)) * 40_000


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(downloading, "_PAUSE", 0.0)
    with serve() as served:
        served.files["big.bin"] = DATA
        yield served


def remote(host: Host, name: str = "big.bin", **facts: str) -> RemoteFile:
    return RemoteFile(name, host.address + name, **facts)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_a_broken_connection_is_taken_up_where_it_broke(host, tmp_path):
    host.breaks = [3_000_000, 2_500_000]
    steps = []
    path = download(remote(host), tmp_path, progress=lambda *step: steps.append(step))
    assert path.read_bytes() == DATA
    assert host.ranges == [None, "bytes=3000000-", "bytes=5500000-"]
    assert [step[0] for step in steps] == sorted(step[0] for step in steps)
    assert steps[-1] == (10, 10, "MB of big.bin")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "big.bin",
        "big.bin.origin.json",
    ]


def test_an_interrupted_download_goes_on(host, tmp_path):
    def interrupt(done: int, total: int, label: str) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(remote(host), tmp_path, progress=interrupt)
    kept = (tmp_path / "big.bin.part").stat().st_size
    assert 4_000_000 <= kept < len(DATA)
    assert download(remote(host), tmp_path).read_bytes() == DATA
    assert host.ranges == [None, f"bytes={kept}-"]


def test_another_edition_is_fetched_from_its_beginning(host, tmp_path):
    host.breaks = [3_000_000]
    first = iter([True])

    def interrupt(done: int, total: int, label: str) -> None:
        if done >= 2 and next(first, False):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(remote(host), tmp_path, progress=interrupt)
    host.files["big.bin"] = DATA[::-1]
    assert download(remote(host), tmp_path).read_bytes() == DATA[::-1]


def test_without_a_name_of_the_edition_nothing_is_pieced_together(host, tmp_path):
    host.named, host.breaks = False, [3_000_000]
    assert download(remote(host), tmp_path).read_bytes() == DATA
    assert host.ranges == [None, None]


def test_a_host_that_gives_nothing_is_given_up(host, tmp_path):
    host.breaks = [3_000_000] + [0] * 20
    with pytest.raises(InputError, match="3000000 of 10240000 bytes") as caught:
        download(remote(host), tmp_path)
    assert "what has come is kept" in caught.value.remedy
    assert (tmp_path / "big.bin.part").stat().st_size == 3_000_000
    with pytest.raises(InputError, match="HTTP 404"):
        download(remote(host, "gone.bin"), tmp_path)


def test_the_published_sum_decides(host, tmp_path):
    good = remote(host, sha256=sha256(DATA))
    assert download(good, tmp_path / "good").is_file()
    origin = origin_of(tmp_path / "good/big.bin")
    assert origin is not None
    assert origin.published
    with pytest.raises(InputError, match="the published sha256 00"):
        download(remote(host, sha256="00" * 32), tmp_path / "bad")
    assert not (tmp_path / "bad/big.bin").exists()


def test_a_list_of_sums_beside_the_file(host, tmp_path):
    line = f"{sha256(DATA)}  big.bin\n{'0' * 64}  other.bin\n"
    host.files["SHA256SUMS"] = line.encode()
    listed = remote(host, sums=host.address + "SHA256SUMS")
    download(listed, tmp_path)
    assert json.loads((tmp_path / "big.bin.origin.json").read_text())["published"]
    host.files["SHA256SUMS"] = line.replace(line[0], "x").encode()
    with pytest.raises(InputError, match="the published sha256 x"):
        download(listed, tmp_path / "again")


def test_without_published_sum_the_first_download_is_remembered(host, tmp_path):
    path = download(remote(host), tmp_path)
    origin = origin_of(path)
    assert origin is not None
    assert (origin.sha256, origin.published) == (sha256(DATA), False)
    assert origin.size == len(DATA)
    path.unlink()
    host.files["big.bin"] = DATA[:-1] + b"?"
    with pytest.raises(InputError, match=r"delete big\.bin\.origin\.json"):
        download(remote(host), tmp_path)
    assert not path.exists()


def test_a_file_that_lies_there_is_checked_but_never_deleted(host, tmp_path):
    (tmp_path / "big.bin").write_bytes(b"by hand")
    known = RemoteFile("big.bin", None, sha256=sha256(DATA))
    with pytest.raises(InputError, match="7 bytes with sha256"):
        download(known, tmp_path)
    assert (tmp_path / "big.bin").is_file()
    assert download(RemoteFile("big.bin"), tmp_path).read_bytes() == b"by hand"
    assert host.ranges == []


def test_an_announced_size_that_is_wrong_costs_no_download(host, tmp_path):
    wrong = RemoteFile("big.bin", host.address + "big.bin", size=7)
    with pytest.raises(InputError, match="10240000 bytes, not 7"):
        download(wrong, tmp_path)


def packed(folder: Path, path: Path) -> bytes:
    """A zip of everything in a folder, as DAVIS has it: with the folder's name."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path.read_bytes()


@pytest.fixture
def davis_host(host, tmp_path, monkeypatch) -> Host:
    """A host of a small DAVIS-2017 archive."""
    tree = write_davis(tmp_path / "made/DAVIS", {"ape": [1, 2], "bat": [1]})
    host.files["DAVIS.zip"] = packed(tree, tmp_path / "packed.zip")
    (tree / "ImageSets/2017/train.txt").write_text("ape\n")
    monkeypatch.setattr(
        fetching, "files_of", lambda name, split: (remote(host, "DAVIS.zip"),)
    )
    return host


def test_a_benchmark_from_its_host(davis_host, tmp_path):
    davis_host.breaks = [1_000]
    place = fetch_benchmark("davis-2017", tmp_path / "home", split="val")
    benchmark = open_benchmark("davis-2017", place, split="val")
    assert [sequence.name for sequence in benchmark] == ["ape", "bat"]
    assert benchmark["ape"].object_ids == (1, 2)
    home = {path.name for path in (tmp_path / "home").iterdir()}
    assert home == {"DAVIS", "DAVIS.zip.origin.json"}
    asked = len(davis_host.ranges)
    assert fetch_benchmark("davis-2017", tmp_path / "home", split="train") == place
    assert len(davis_host.ranges) == asked


def test_a_spoilt_archive_leaves_no_folder(davis_host, tmp_path):
    whole = davis_host.files["DAVIS.zip"]
    image = whole.index(b"\xff\xd8\xff") + 20
    spoilt = whole[:image] + bytes(64) + whole[image + 64 :]
    davis_host.files["DAVIS.zip"] = spoilt
    with pytest.raises(InputError, match="cannot be read"):
        fetch_benchmark("davis-2017", tmp_path / "home")
    assert not list((tmp_path / "home").iterdir())
    davis_host.files["DAVIS.zip"] = whole
    assert fetch_benchmark("davis-2017", tmp_path / "home").is_dir()


def test_what_a_person_downloaded_is_unpacked(tmp_path):
    folder = write_tree(tmp_path / "made/valid", {"ape": {"00000": [1]}}, names(3))
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(InputError) as caught:
        fetch_benchmark("youtube-vos-2019", home)
    told = str(caught.value)
    for fact in ("valid.zip", str(home), "codalab.org/competitions/20127", "licence"):
        assert fact in told
    packed(folder, home / "valid.zip")
    place = fetch_benchmark("youtube-vos-2019", home)
    assert len(open_benchmark("youtube-vos-2019", place)) == 1
    assert (home / "valid.zip").is_file()


def test_a_download_by_hand_has_its_published_sum_told(tmp_path):
    with pytest.raises(InputError, match="884baecf") as caught:
        fetch_benchmark("mose-v1", tmp_path)
    assert "valid.tar.gz" in str(caught.value)
    (tmp_path / "valid.tar.gz").write_bytes(b"cut short")
    with pytest.raises(InputError, match="884baecf"):
        fetch_benchmark("mose-v1", tmp_path)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda item: f"{item.name} {item.split}")
def test_what_is_known_of_every_split(entry):
    """Addresses are of hosts that give their files to everybody, over https."""
    for file in files_of(entry.name, entry.split):
        assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32
        for address in filter(None, (file.url, file.sums)):
            assert address.startswith("https://")
        assert file.url is None or file.url.endswith(f"/{file.name}")


def tar_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def test_tar_archives_are_unpacked_whole(tmp_path):
    members = [(tarfile.TarInfo(f"valid/{k}.txt"), b"%d" % k) for k in range(3)]
    unpack(tar_of(tmp_path / "a.tar.gz", members), tmp_path / "out")
    found = {
        path.name: path.read_bytes() for path in (tmp_path / "out/valid").iterdir()
    }
    assert found == {"0.txt": b"0", "1.txt": b"1", "2.txt": b"2"}


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../b", "C:\\x"])
def test_no_file_is_written_outside(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "x")
    packed_tar = tar_of(tmp_path / "a.tar", [(tarfile.TarInfo(name), b"x")])
    for path in (tmp_path / "a.zip", packed_tar):
        with pytest.raises(InputError, match="leads outside"):
            unpack(path, tmp_path / "deep/er/folder")
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".txt"]


def test_links_are_refused(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(InputError, match="a link or device: link"):
        unpack(tar_of(tmp_path / "a.tar", [(link, b"")]), tmp_path / "out")
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match="a link: link"):
        unpack(tmp_path / "a.zip", tmp_path / "out")


def test_a_full_disk_does_not_mix_two_editions(host, tmp_path, monkeypatch):
    """The host changed the file while a download waited for room."""
    host.breaks = [3_000_000]
    first = iter([True])

    def interrupt(done: int, total: int, label: str) -> None:
        if done >= 2 and next(first, False):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(remote(host), tmp_path, progress=interrupt)
    newer = host.files["big.bin"] = DATA[::-1]
    with monkeypatch.context() as patch:
        patch.setattr(
            downloading.shutil, "disk_usage", lambda _: SimpleNamespace(free=10)
        )
        with pytest.raises(InputError, match="free"):
            download(remote(host), tmp_path)
    assert download(remote(host), tmp_path).read_bytes() == newer
