"""Where `s3fo demo --app` leads; no browser is needed to know."""

from __future__ import annotations

from types import SimpleNamespace

import fiftyone as fo
from typer.testing import CliRunner

import s3fo
from s3fo.cli import app, system


def test_the_demo_opens_on_videos_and_scores(predicted, tmp_path, monkeypatch):
    s3fo.evaluate(predicted, "shifted")
    opened = {}

    def launch_app(shown, **settings):
        opened.update(settings, shown=shown)
        return SimpleNamespace(wait=lambda seconds: None)

    made = SimpleNamespace(dataset_name=predicted.name)
    monkeypatch.setattr("s3fo.demo.run_demo", lambda out, **_: made)
    monkeypatch.setattr(system, "_show", lambda result: None)
    monkeypatch.setattr(fo, "launch_app", launch_app)

    done = CliRunner().invoke(app, ["demo", "--app", "--out", str(tmp_path)])

    assert done.exit_code == 0, done.output
    assert opened["shown"] == predicted
    shown = [panel["type"] for panel in panels(opened["spaces"].to_dict())]
    assert shown == ["Samples", "vos_evaluation"]


def panels(space):
    """Everything in a layout that is not a space itself."""
    for child in space["children"]:
        yield from panels(child) if "children" in child else [child]
