"""The report: complete, traceable to files, and the same when made again."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import evaluation
from evaluation._utils.atomic import write_atomically
from evaluation.attributes import attribute_title
from evaluation.errors import InputError
from evaluation.leaderboard.csv_tables import read_csv
from evaluation.masks.label_map import write_label_map
from evaluation.report import Report
from evaluation.report.attribute_tables import groups_table
from evaluation.report.kept import files_of_report, remove_earlier
from evaluation.runs.registry import one_per_folder

FRAMES = 10


def draw(folder: Path, shift: int, lost_from: int = FRAMES) -> Path:
    """Two videos, a square and a bar on the move; the bar of one may get lost."""
    for video in ("walk", "run"):
        for frame in range(FRAMES):
            label_map = np.zeros((60, 90), np.uint8)
            left = 5 + 2 * frame + shift
            label_map[10:30, left : left + 20] = 1
            if video == "walk" or frame < lost_from:
                label_map[40:50, 60 - 2 * frame : 75 - 2 * frame] = 2
            write_label_map(folder / video / f"{frame:05d}.png", label_map)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("report")
    made = {
        "gt": draw(root / "gt", 0),
        "lossy": draw(root / "lossy", 1, lost_from=3),
        "<b>shifted</b> & co_1": draw(root / "shifted", 4),
    }
    record = {
        "method": "flow",
        "settings": {
            "weights": {"file": "small.safetensors", "sha256": "84cd"},
            "size": 480,
            "engine": {"mem_every": 5},
            "top_k": None,
        },
        "device": "cpu",
        "sequences": {"walk": {"frames": 10, "seconds": 2.0}},
        "frames_per_second": 5.0,
        "hardware": {"cores": 2},
    }
    (made["lossy"] / "run.json").write_text(json.dumps(record))
    faster = record | {"frames_per_second": 20.0}
    (root / "shifted" / "run.json").write_text(json.dumps(faster))
    return made


@pytest.fixture(scope="module")
def made(folders, tmp_path_factory) -> Report:
    methods = {name: folder for name, folder in folders.items() if name != "gt"}
    out = tmp_path_factory.mktemp("out")
    return evaluation.report(methods, str(folders["gt"]), out, top=2, workers=1)


class Page(HTMLParser):
    """Addresses, tables with their full values, and tags of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.values: dict[str, list[float]] = {}
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.addresses += [given[key] for key in ("src", "href") if key in given]
        if tag == "table":
            self.values[given["id"]] = []
        if "data-value" in given:
            list(self.values.values())[-1].append(float(given["data-value"]))
        if tag not in ("meta", "img", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


@pytest.fixture(scope="module")
def page(made) -> Page:
    return Page(made.page.read_text())


@pytest.mark.seconds
def test_the_page_needs_nothing_else(page, made):
    assert page.unbalanced == [] and page.open == []
    for address in page.addresses:
        inside = address.startswith(("data:image/", "#"))
        assert inside or (made.folder / address).is_file(), address
    assert sum(a.startswith("data:image/") for a in page.addresses) >= 5
    anchors = [a[1:] for a in page.addresses if a.startswith("#")]
    text = made.page.read_text()
    assert anchors and all(f'id="{anchor}"' in text for anchor in anchors)


def test_names_cannot_break_the_page(made):
    text = made.page.read_text()
    assert "<b>shifted" not in text
    assert "&lt;b&gt;shifted&lt;/b&gt; &amp; co_1" in text
    latex = (made.folder / "tables" / "methods.tex").read_text()
    assert r"\textless{}b\textgreater{}shifted\textless{}/b\textgreater{} \& co\_1" in (
        latex
    )


def test_every_number_of_the_page_is_in_the_file_beside_it(made, page):
    assert set(page.values) == set(made.tables)
    for name, values in page.values.items():
        table = read_csv(made.folder / "tables" / f"{name}.csv")
        numbers = table.select_dtypes("number").to_numpy(float)
        assert np.isin(values, numbers).all(), name
        text = json.loads((made.folder / "tables" / f"{name}.json").read_text())
        assert len(text["rows"]) == len(table) == len(made.tables[name])


def test_tables_hold_the_scores_to_the_last_digit(made, folders):
    scores = evaluation.score(folders["lossy"], folders["gt"], workers=1)
    table = read_csv(made.folder / "tables" / "objects.csv")
    keys = ["sequence", "object"]
    ours = table.sort_values(keys, ignore_index=True)
    theirs = scores.objects.sort_values(keys, ignore_index=True)
    for column in ("J&F", "J_mean", "F_mean", "J_decay"):
        assert ours[column].tolist() == theirs[column].tolist()
    methods = read_csv(made.folder / "tables" / "methods.csv").set_index("method")
    for key, value in scores.summary.items():
        assert methods.loc["lossy", key] == value or np.isnan(value)


def test_costs_add_up_to_what_is_lost(made):
    headline = made.tables["methods"].data.set_index("method")["J&F"]
    costs = made.tables["kinds"].data.groupby("method")["cost"].sum()
    for method, score in headline.items():
        assert costs[method] == pytest.approx(1 - score)
    objects, sequences = (made.tables[name].data for name in ("objects", "sequences"))
    for table in (objects, sequences):
        assert table["cost"].sum() == pytest.approx(1 - headline["lossy"])


def test_differences_point_the_same_way_in_every_table(made):
    whole = made.tables["comparison"].data.iloc[0]
    by_attribute = made.tables["differences"].data
    row = by_attribute[by_attribute["attribute"] == "all"].iloc[0]
    for key in ("method", "against"):
        assert row[key] == whole[key]
    for key in ("difference", "wins"):
        assert row[key] == pytest.approx(whole[key])
    assert row["low"] <= row["difference"] <= row["high"]


def test_events_are_numbered_as_their_pictures(made):
    events = made.tables["events"].data
    own = events[events["method"] == "lossy"]
    assert own["rank"].tolist() == list(range(1, len(own) + 1))
    first = own.iloc[0]
    assert f"1. {first['kind']}: {first['sequence']}" in made.page.read_text()


@pytest.mark.seconds
def test_methods_may_be_called_like_columns(folders, tmp_path):
    methods = {"sequence": folders["lossy"], "J_mean": folders["gt"]}
    made = evaluation.report(methods, folders["gt"], tmp_path, top=0, workers=1)
    objects = made.tables["objects"].data
    assert (objects["J&F of J_mean"] == 1).all() and objects["J_mean"].min() < 1


def test_it_says_first_what_costs_most(made):
    first = made.findings[0]
    assert first.headline == "Fix first: missed"
    table = made.tables["fix_first"].data
    assert table["kind"].iloc[0] == "missed"
    assert table["cost"].is_monotonic_decreasing
    worst = table.iloc[0]
    assert worst["worst"].startswith("run, object 2, frames 00003")
    assert f"{100 * worst['cost']:.1f} of the" in first.text
    look = next(item for item in made.findings if item.headline.startswith("Look"))
    assert look.headline == "Look at run, object 2"


def test_methods_are_compared_in_pairs(made):
    row = made.tables["comparison"].data.iloc[0]
    headline = made.tables["methods"].data.set_index("method")["J&F"]
    assert row["against"] == "lossy"
    assert row["difference"] == pytest.approx(
        headline[row["method"]] - headline["lossy"]
    )
    assert row["low"] <= row["difference"] <= row["high"]


def test_recorded_speeds_and_settings_are_told(made):
    speed = made.tables["speed"].data
    assert speed["method"].tolist()[0] == "lossy"
    assert speed["fps"].tolist() == [5.0, 20.0]
    facts = made.tables["measured"].data
    told = facts[facts["about"] == "lossy"].set_index("what")["value"]
    assert told["settings"] == "size 480, engine (mem_every 5)"
    assert told["weights"] == "file small.safetensors, sha256 84cd"


def test_reviews_of_people_are_told_where_there_are_any(made, folders, tmp_path):
    assert "reviews" not in made.tables
    events = made.tables["events"].data
    events = events[events["method"] == "lossy"]
    reviewed = events.head(1).assign(review="label error")
    told = evaluation.report(
        {"lossy": folders["lossy"]}, folders["gt"], tmp_path, top=0, workers=1,
        reviews={"lossy": reviewed},
    ).tables  # fmt: skip
    said = told["reviews"].data.set_index("review")
    assert said.loc["label error", "cost"] == pytest.approx(events["cost"].iloc[0])
    assert said["events"].sum() == len(events)
    shown = [row[-1] for row in told["events"].shown()]
    assert shown == ["label error"] + ["-"] * (len(events) - 1)


def test_a_report_on_one_method_does_not_repeat_its_name(folders, tmp_path):
    made = evaluation.report(folders["lossy"], folders["gt"], tmp_path, top=0)
    headings = [column.heading for column in made.tables["events"].columns]
    assert headings[0] == "No." and "Method" not in headings
    assert set(made.tables["events"].data["method"]) == {"lossy"}
    assert len(made.tables["speed"]) == 1
    assert "speed" not in {path.stem for path in made.pictures}, "one dot says nothing"


def test_every_figure_is_there_twice(made):
    assert {"losses", "sequences", "speed", "event-01", "event-01-timeline"} <= {
        path.stem for path in made.pictures
    }
    for path in made.pictures:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in path.with_suffix(".svg").read_bytes()


def test_latex_is_whole(made):
    for path in [made.folder / "report.tex", *(made.folder / "tables").glob("*.tex")]:
        text = re.sub(r"\\[{}]|(?<!\\)%.*", "", path.read_text())
        assert text.count("{") == text.count("}"), path.name
        begun = re.findall(r"\\begin\{(\w+)\}", text)
        assert sorted(begun) == sorted(re.findall(r"\\end\{(\w+)\}", text))
        for name in re.findall(r"\\(?:input|includegraphics)[^{]*\{([^}]+)\}", text):
            assert (made.folder / name).is_file()


def test_markdown_points_to_files_that_are_there(made):
    text = (made.folder / "report.md").read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (made.folder / target).is_file(), target


@pytest.mark.seconds
def test_made_again_it_measures_nothing_anew(made, folders, monkeypatch):
    from evaluation.report import material

    def refuse(*_, **__):
        raise AssertionError("measured again")

    monkeypatch.setattr(material, "object_attributes", refuse)
    monkeypatch.setattr(material, "find_failures", refuse)
    methods = {name: folder for name, folder in folders.items() if name != "gt"}
    told: list[tuple[int, int]] = []
    again = evaluation.report(
        methods, folders["gt"], made.folder, top=0, workers=1,
        progress=lambda done, total, label: told.append((done, total)),
    )  # fmt: skip
    assert again.tables["objects"].csv() == made.tables["objects"].csv()
    assert again.findings == made.findings
    assert told == sorted(told) and told[-1][0] <= told[-1][1]


@pytest.mark.seconds
def test_what_was_kept_and_is_damaged_is_measured_anew(folders, tmp_path):
    def report() -> Report:
        return evaluation.report(
            folders["lossy"], folders["gt"], tmp_path, top=0, workers=1
        )

    first = report()
    for path in sorted((tmp_path / "measured").rglob("*.json")):
        path.write_text("{")
    second = report()
    assert second.tables["objects"].csv() == first.tables["objects"].csv()
    assert second.findings == first.findings


@pytest.mark.seconds
def test_changed_masks_are_measured_anew(folders, tmp_path):
    results = draw(tmp_path / "mine", 2)
    first = evaluation.report(
        results, folders["gt"], tmp_path / "out", top=0, workers=1
    )
    draw(results, 0)
    second = evaluation.report(
        results, folders["gt"], tmp_path / "out", top=0, workers=1
    )
    assert "speed" not in first.tables, "not recorded"
    assert first.tables["methods"].data["J&F"].item() < 1
    assert second.tables["methods"].data["J&F"].item() == 1
    assert second.findings[0].headline == "No failure events found"


def test_results_without_a_name_get_their_folders(tmp_path):
    folders = [tmp_path / "a" / "masks", tmp_path / "b" / "masks", tmp_path / "c"]
    named = one_per_folder(folders)
    assert list(named.values()) == folders
    assert list(one_per_folder(folders[1:])) == ["masks", "c"]
    assert all("masks" in name for name in list(named)[:2]) and len(named) == 3
    with pytest.raises(InputError, match="twice"):
        one_per_folder([tmp_path / "a", tmp_path / "a"])


def test_nothing_to_report_on():
    with pytest.raises(InputError, match="results"):
        evaluation.report([], "gt", "out")


def test_official_tags_are_said_to_be_of_whole_sequences(made):
    groups = made.tables["attributes"].data.drop(columns="title")
    names = [SimpleNamespace(name=name) for name in groups["method"].unique()]

    def caption(attribute: str) -> str:
        renamed = groups.assign(attribute=attribute)
        by_attribute = SimpleNamespace(groups=renamed)
        table = groups_table(
            SimpleNamespace(breakdown=by_attribute, main=names[0], methods=names)
        )
        assert set(table.data["title"]) == {attribute_title(attribute)}
        return table.caption

    assert attribute_title("official_FM") == "official tag FM"
    assert "of whole sequences" in caption("official_FM")
    assert "of whole sequences" not in caption("auto_FM")


@pytest.mark.seconds
def test_corrections_are_told_where_they_were_measured(folders, tmp_path):
    from evaluation.corrections import Corrections

    curve = pd.DataFrame(
        {"budget": [0, 1], "corrections": [0, 4], "J&F": [0.5, 0.8], "J": 0.5, "F": 0.5}
    )
    objects = pd.DataFrame(
        {"sequence": "walk", "object": 1, "budget": [0, 1], "corrections": [0, 1],
         "J&F": [0.5, 0.8]}
    )  # fmt: skip
    events = pd.DataFrame(
        {"event": [3, 0], "sequence": "walk", "object": [2, 1], "kind": "missed",
         "start": "00003", "end": "00005", "cost": [0.02, 0.1], "regain": [0.15, 0.01]}
    )  # fmt: skip
    measured = Corrections(
        "lossy", "worst", "mask", 1, 3, 0.75, "davis-2017", "memory",
        curve, objects, pd.DataFrame(), events,
    )  # fmt: skip
    written = evaluation.report(
        {"lossy": folders["lossy"]},
        folders["gt"],
        tmp_path,
        corrections={"lossy": measured},
        top=0,
    )
    assert written.tables["corrections"].data["area"].tolist() == [0.65, 0.65]
    assert written.tables["regain"].data["event"].tolist() == [3, 0]
    page = written.page.read_text()
    assert "What corrections regain" in page and "15.00" in page
    assert tmp_path / "figures" / "corrections.png" in written.pictures


def test_of_the_report_before_only_its_own_files_are_removed(tmp_path):
    kept = tmp_path / "measured"

    def write(*names: str) -> None:
        before = files_of_report(tmp_path)
        for name in names:
            write_atomically(tmp_path / name, b"")
        remove_earlier(tmp_path, kept, before)

    for folder in ("tables", "figures", "measured"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tables/mine.csv").write_text("")
    write("tables/objects.csv", "tables/comparison.csv", "figures/a.png")
    write("tables/objects.csv", "figures/b.png")
    assert sorted(files_of_report(tmp_path)) == [
        "figures/b.png", "tables/mine.csv", "tables/objects.csv"
    ]  # fmt: skip
