"""The repository as a remote source of FiftyOne's zoo: of models and of datasets."""

from __future__ import annotations

import json
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fiftyone as fo
import fiftyone.zoo as foz
import fiftyone.zoo.models as fozm
import pytest
import yaml
from small_benchmark import own_name

from evaluation.errors import InputError
from s3fo.benchmarks import catalog
from s3fo.plugin import zoo
from s3fo.plugin.zoo import benchmarks

REPOSITORY = Path(__file__).resolve().parents[2]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source(tmp_path, monkeypatch) -> str:
    """Address of the repository's archive, and an empty zoo."""
    monkeypatch.setattr(fo.config, "model_zoo_dir", str(tmp_path / "models"))
    monkeypatch.setattr(fo.config, "dataset_zoo_dir", str(tmp_path / "datasets"))
    monkeypatch.setattr(fo.config, "model_zoo_manifest_paths", None)
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / "s3fo-main.zip", "w") as file:
        for path in sorted((REPOSITORY / "s3fo" / "plugin").rglob("*")):
            if path.suffix != ".pyc":
                file.write(path, Path("s3fo-main") / path.relative_to(REPOSITORY))
    handler = partial(QuietHandler, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/s3fo-main.zip"
        server.shutdown()


def test_models_come_from_a_registered_source(source, dataset, tmp_path):
    foz.register_zoo_model_source(source)
    assert foz.list_zoo_model_sources() == [source]
    names = {
        item["base_name"] for item in json.loads(zoo.MANIFEST.read_text())["models"]
    }
    assert names <= set(foz.list_zoo_models())

    model = foz.load_zoo_model("s3-video-torch", method="copy", cache=False)
    assert foz.is_zoo_model_downloaded("s3-video-torch")
    dataset.apply_model(model, label_field="remote", prompt_field="frames.ground_truth")
    first, later = (
        dataset.values(f"frames[{n}].remote.detections.bounding_box")
        if n < 0
        else [frames[n] for frames in dataset.values("frames.remote.detections.index")]
        for n in (0, 3)
    )
    assert first == later and all(first)

    foz.delete_zoo_model_source(source)
    assert foz.list_zoo_model_sources() == []


def test_a_registered_source_is_not_told_of_twice(source, caplog):
    foz.register_zoo_model_source(source)
    zoo.enable_zoo()
    assert str(zoo.MANIFEST) not in (fo.config.model_zoo_manifest_paths or [])
    assert "s3-video-torch" in foz.list_zoo_models()


def test_fiftyone_finds_what_it_calls(source):
    """The module that it copied, not the package."""
    foz.register_zoo_model_source(source)
    _, path = fozm.download_zoo_model("cutie-video-torch")
    assert json.loads(Path(path).read_text())["method"] == "cutie"
    module = fozm._import_zoo_module(str(Path(path).parent))
    assert Path(module.__file__).is_relative_to(fo.config.model_zoo_dir)
    loaded = module.load_model("s3-video-torch", path, method="flow")
    assert loaded.config.method == "flow" and loaded.media_type == "video"
    with pytest.raises(InputError, match="s3-video-torch"):
        module.load_model("unheard-of", path)


def test_a_remote_dataset_loads_a_benchmark(source, benchmark):
    names = [own_name("remote"), own_name("remote-again")]
    loaded = []
    try:
        for name, settings in zip(
            names,
            ({"source_dir": str(benchmark.root)}, {"max_samples": 1}),
            strict=True,
        ):
            found = foz.load_zoo_dataset(
                source,
                split="val",
                dataset_name=name,
                benchmark="davis-2017",
                **settings,
            )
            loaded.append(found)
        assert [set(item.values("sequence")) for item in loaded] == [
            {"alone", "pair"},
            {"alone"},
        ]
        assert loaded[0].count("frames.ground_truth.detections") == 22
        assert "s3fo/vos-benchmarks" in foz.list_zoo_datasets()
    finally:
        for item in loaded:
            item.delete()


def test_a_benchmark_that_is_not_there_is_named(source, tmp_path):
    with pytest.raises(InputError, match="davis-2017"):
        foz.load_zoo_dataset(
            source, split="val", benchmark="davis", dataset_name=own_name("wrong")
        )
    assert not fo.dataset_exists(own_name("wrong"))


def test_its_splits_are_those_of_the_catalogue():
    told = yaml.safe_load(
        (Path(benchmarks.__file__).parent / "fiftyone.yml").read_text()
    )
    splits = {split for name in catalog.names() for split in catalog.splits(name)}
    assert set(told["splits"]) == splits and told["type"] == "dataset"
