"""How a dataset looks when it is opened: groups, colours and layouts, told in full."""

from __future__ import annotations

import pytest

from s3fo.datasets.views.appearance import apply_defaults
from s3fo.datasets.views.colours import object_colour

PALETTE = {1: "#800000", 2: "#008000", 20: "#004080"}
"""Of the DAVIS palette, whose bits go in turn to red, green and blue."""


@pytest.fixture
def opened(explained_once):
    """Evaluated as "k", with failures and error maps; told anew how it looks."""
    apply_defaults(explained_once)
    return explained_once


def test_the_sidebar_has_a_group_for_each_thing(opened):
    groups = opened.app_config.sidebar_groups
    names = ["tags", "masks", "video", "k", "metadata", "other"]
    assert [group.name for group in groups] == names
    closed = [group.name for group in groups if not group.expanded]
    assert closed == ["metadata", "other"]
    paths = {group.name: list(group.paths) for group in groups}
    assert paths["tags"] == ["tags", "_label_tags"]
    scores = [f"k_{name}" for name in ("JF", "J", "F", "objects", "failures")]
    assert paths["k"][:5] == scores
    assert {"frames.ground_truth", "frames.shifted"} <= set(paths["masks"])
    assert all(path.startswith("frames.") for path in paths["masks"])
    kept = {"filepath", "id", "created_at", "last_modified_at"}
    assert kept | {"frames.frame_number", "frames.id"} <= set(paths["other"])
    assert paths["video"][:3] == ["objects", "sequence", "split"]
    every = [path for own in paths.values() for path in own]
    assert len(every) == len(set(every)) and "metadata" not in every


def test_objects_have_the_colours_of_davis_wherever_they_are_shown(opened):
    scheme = opened.app_config.color_scheme
    assert (scheme.color_by, scheme.opacity) == ("value", 0.6)
    fields = {own["path"]: own for own in scheme.fields}
    for path in ("frames.ground_truth", "shifted", "objects", "k_objects"):
        assert fields[path]["colorByAttribute"] == "index"
        colours = {own["value"]: own["color"] for own in fields[path]["valueColors"]}
        assert list(colours) == [str(number) for number in range(1, 21)]
        assert {number: colours[str(number)] for number in PALETTE} == PALETTE


def test_ids_beyond_the_palette_go_round_the_hues():
    # hue 256 x 0.618034 mod 1 = 0.2167, saturation 0.75, value 0.95
    assert object_colour(256) == "#BCF23D"
    assert object_colour(255) == "#E0E0C0"


def test_a_layout_is_saved_for_what_there_is_to_see(opened):
    names = {"Benchmark", "Evaluation", "Compare", "Failures"}
    assert set(opened.list_workspaces()) == names

    def panels(name):
        space = opened.load_workspace(name)
        spaces = space.children if space.orientation else [space]
        return [(own.active_child, own.children[0]) for own in spaces]

    shown = {name: [panel.type for _, panel in panels(name)] for name in names}
    assert shown["Benchmark"] == ["Samples"]
    assert shown["Evaluation"] == ["Samples", "vos_evaluation"]
    assert shown["Compare"][1:] == ["vos_evaluation", "model_evaluation_panel_builtin"]
    assert shown["Failures"] == ["Samples", "vos_failures"]
    for active, panel in panels("Failures"):
        assert active == panel.component_id
        assert panel.pinned is (panel.type == "Samples")
    assert opened.load_workspace("Failures").orientation == "horizontal"
