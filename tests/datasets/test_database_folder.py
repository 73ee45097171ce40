"""Which database folder the bundled MongoDB uses."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import fiftyone as fo
import pytest
from small_benchmark import own_name

from s3fo.datasets import environment
from s3fo.datasets.environment import fallback_folder, uses_fallback


def made_by(folder, version):
    folder.mkdir(parents=True)
    text = f"WiredTiger\nWiredTiger {version}: (some date)\n"
    (folder / "WiredTiger").write_text(text)
    return folder


def test_a_fresh_home_leaves_the_choice_to_fiftyone(tmp_path):
    assert fallback_folder(tmp_path) is None


def test_data_of_the_same_mongodb_are_used_where_they_are(tmp_path):
    made_by(tmp_path / ".fiftyone/var/lib/mongo", "10.0.2")
    assert fallback_folder(tmp_path) is None


@pytest.mark.parametrize("version", ["11.2.0", "12.0.0"])
def test_data_of_a_later_mongodb_are_left_alone(tmp_path, version):
    usual = made_by(tmp_path / ".fiftyone/var/lib/mongo", version)
    before = sorted(usual.iterdir())
    assert fallback_folder(tmp_path) == tmp_path / ".fiftyone/s3fo-mongodb-6"
    assert sorted(usual.iterdir()) == before


def test_a_folder_of_early_versions_becomes_fiftyones(tmp_path):
    own = made_by(tmp_path / ".fiftyone/s3fo-mongodb-6", "10.0.2")
    (own / "mongod.lock").write_text("")
    assert fallback_folder(tmp_path) is None
    assert (tmp_path / ".fiftyone/var/lib/mongo/WiredTiger").is_file()
    assert not own.exists()


def test_a_folder_that_a_server_uses_stays_where_it_is(tmp_path):
    own = made_by(tmp_path / ".fiftyone/s3fo-mongodb-6", "10.0.2")
    (own / "mongod.lock").write_text("4711\n")
    assert fallback_folder(tmp_path) == own and own.is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not uses_fallback(), reason="FiftyOne has a MongoDB of its own")
def test_a_plain_import_of_fiftyone_sees_our_datasets(tmp_path):
    free = {k: v for k, v in os.environ.items() if not k.startswith("FIFTYONE_")}
    env = {**free, "HOME": str(tmp_path), "FIFTYONE_DO_NOT_TRACK": "true"}

    def run(code):
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    name = own_name("plain")
    run(f"import s3fo.datasets, fiftyone as fo; fo.Dataset({name!r}, persistent=True)")
    # Where a server of the user runs already, both find that one.
    look = f"print(fo.dataset_exists({name!r})); fo.delete_dataset({name!r})"
    assert run(f"import fiftyone as fo; {look}").split()[-1] == "True"


def test_reading_a_state_warns_only_of_options_that_somebody_set(monkeypatch):
    """FiftyOne itself writes removed options into each state and warns of them."""
    said = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())
    logger = logging.getLogger("fiftyone.core.config")
    logger.addHandler(listener)
    try:
        state = fo.app_config.serialize()
        fo.AppConfig.from_dict(state)
        assert said == []
        monkeypatch.setenv("FIFTYONE_APP_SHOW_INDEX", "false")
        fo.AppConfig.from_dict({**state, "theme": "pink"})
        assert len(said) == 2
        assert "`show_index`" in said[0] and "Invalid theme=pink" in said[1]
        logger.removeFilter(environment._is_of_use)
        fo.AppConfig.from_dict(state)
        assert len(said) > 3, "FiftyOne warns no more: remove the filter"
    finally:
        logger.removeHandler(listener)
        environment.silence_config_warnings()
