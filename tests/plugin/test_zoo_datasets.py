from __future__ import annotations

from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import pytest
from small_benchmark import own_name

from evaluation.errors import InputError
from s3fo.benchmarks import catalog
from s3fo.datasets import load_benchmark_info
from s3fo.plugin.zoo import enable_zoo


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    enable_zoo()
    monkeypatch.setattr(fo.config, "dataset_zoo_dir", str(tmp_path / "zoo"))


def load(name: str, **options) -> fo.Dataset:
    dataset = foz.load_zoo_dataset(
        "s3fo-davis-2017", split="val", dataset_name=own_name(name), **options
    )
    assert isinstance(dataset, fo.Dataset)
    return dataset


def test_every_benchmark_is_in_the_zoo(zoo):
    known = set(foz.list_zoo_datasets(source="s3fo"))
    assert known == {f"s3fo-{name}" for name in catalog.names()}
    for name in known:
        entry = foz.get_zoo_dataset(name)
        assert entry.name == name
        assert list(entry.supported_splits) == catalog.splits(entry.benchmark)


def test_a_benchmark_loads_from_its_folder_and_is_remembered(zoo, benchmark):
    """What `write_synthetic` writes has the DAVIS-2017 layout."""
    first = load("zoo", source_dir=str(benchmark.root), masks="reference")
    again = None
    try:
        assert first.media_type == "video"
        assert set(first.values("sequence")) == {"alone", "pair"}
        assert load_benchmark_info(first).protocol == "davis-2017"
        assert first.has_frame_field("ground_truth_mask")
        again = load("zoo-again")
        assert len(again) == 2
    finally:
        first.delete()
        if again is not None:
            again.delete()


def test_the_first_videos_only(zoo, benchmark):
    few = load("few", source_dir=str(benchmark.root), max_samples=1)
    try:
        assert few.values("sequence") == ["alone"]
        assert len(load_benchmark_info(few)) == 1
    finally:
        few.delete()


def test_without_folder_it_says_what_to_download(zoo):
    entry = catalog.get_entry("mose-v1", "val")
    with pytest.raises(InputError) as caught:
        foz.load_zoo_dataset(
            "s3fo-mose-v1", split="val", dataset_name=own_name("nothing")
        )
    place = str(Path(fo.config.dataset_zoo_dir) / "s3fo-mose-v1")
    for fact in (entry.download, entry.unpack, entry.licence, "source_dir", place):
        assert fact in str(caught.value)
    assert not fo.dataset_exists(own_name("nothing"))


def test_without_folder_it_is_downloaded_where_it_may_be(zoo, benchmark, monkeypatch):
    """The host is a folder here; `test_fetching` has one of the web."""
    asked = []

    def fetch(name, folder, *, split, progress):
        asked.append((name, folder, split))
        progress(1, 2, "MB of a file")
        progress(2, 2, "MB of a file")
        return benchmark.root

    monkeypatch.setattr("s3fo.plugin.zoo.datasets.fetch_benchmark", fetch)
    loaded = load("fetched", masks="reference")
    try:
        assert len(loaded) == 2
        home = Path(fo.config.dataset_zoo_dir) / "s3fo-davis-2017"
        assert asked == [("davis-2017", home, "val")]
    finally:
        loaded.delete()


def test_what_nobody_may_download_is_tagged_manual(zoo):
    manual = {
        name
        for name in foz.list_zoo_datasets(source="s3fo")
        if foz.get_zoo_dataset(name).requires_manual_download
    }
    assert {"s3fo-lvos-v2", "s3fo-youtube-vos-2019", "s3fo-sa-v"} <= manual
    assert not {"s3fo-davis-2017", "s3fo-davis-2016", "s3fo-mose-v2"} & manual
    assert manual == set(foz.list_zoo_datasets(source="s3fo", tags="manual"))


def test_a_failed_load_leaves_no_empty_dataset(zoo, benchmark):
    with pytest.raises(InputError, match="polygons"):
        load("failed", source_dir=str(benchmark.root), masks="polygons")
    assert not fo.dataset_exists(own_name("failed"))


@pytest.mark.parametrize("text", ["{", "[]", '{"source_dir": 3}', "{}"])
def test_a_damaged_memory_of_the_folder_is_as_none(tmp_path, text):
    from s3fo.plugin.zoo.datasets import _remembered_split

    (tmp_path / "source.json").write_text(text)
    assert _remembered_split(tmp_path) is None
