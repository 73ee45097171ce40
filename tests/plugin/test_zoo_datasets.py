from __future__ import annotations

import fiftyone as fo
import fiftyone.zoo as foz
import pytest
from small_benchmark import own_name

from evaluation.errors import InputError
from s3fo.benchmarks import catalog
from s3fo.datasets import recall_benchmark
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
        assert recall_benchmark(first).protocol == "davis-2017"
        assert first.has_frame_field("ground_truth_mask")
        again = load("zoo-again")
        assert len(again) == 2
    finally:
        first.delete()
        if again is not None:
            again.delete()


def test_without_folder_it_says_what_to_download(zoo):
    entry = catalog.get_entry("davis-2017", "val")
    with pytest.raises(InputError) as caught:
        load("nothing")
    for fact in (entry.download, entry.unpack, entry.licence, "source_dir"):
        assert fact in str(caught.value)
    assert not fo.dataset_exists(own_name("nothing"))


def test_a_failed_load_leaves_no_empty_dataset(zoo, benchmark):
    with pytest.raises(InputError, match="polygons"):
        load("failed", source_dir=str(benchmark.root), masks="polygons")
    assert not fo.dataset_exists(own_name("failed"))
