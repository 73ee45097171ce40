"""Group means, intervals over videos, trends and paired differences."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluation.attributes import ATTRIBUTES, Attributes
from evaluation.breakdown import (
    Bootstrap,
    attribute_groups,
    breakdown,
    conditions,
    differences,
    drop_repeated_groups,
    drop_repeated_splits,
    group_order,
    strongest,
    two_way,
    worse_groups,
)
from evaluation.errors import InputError
from evaluation.protocols import get_protocol
from evaluation.results.bootstrap import interval


def scores(values: Any, videos: Any, metric: str = "J&F") -> Any:
    """Stands for `Scores`: the breakdown reads the objects table and the rules."""
    objects = pd.DataFrame({"sequence": videos, "object": 1, metric: values})
    objects["object"] = objects.groupby("sequence").cumcount() + 1
    rules = {"protocol": get_protocol("davis-2017"), "options": {}, "notes": ()}
    return SimpleNamespace(objects=objects, inputs={}, **rules)


def attributes(videos: Any, **columns: Any) -> Attributes:
    objects = pd.DataFrame({"sequence": videos, **columns})
    objects.insert(1, "object", objects.groupby("sequence").cumcount() + 1)
    for name in columns:
        if name.startswith(("auto_", "official_")):
            objects[name] = objects[name].astype("boolean")
    return Attributes(objects, pd.DataFrame())


VIDEOS = ["a", "a", "b", "b", "c", "c", "d", "d"]


def row(table: pd.DataFrame, **wanted: Any) -> pd.Series:
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_group_means_deltas_and_counts() -> None:
    tagged = [True, False, True, False, True, False, True, False]
    table = breakdown(
        scores([0.2, 0.8, 0.4, 0.6, 0.2, 0.8, 0.4, 0.6], VIDEOS),
        attributes(VIDEOS, auto_FM=tagged),
    ).groups
    everything = row(table, attribute="all")
    assert everything["mean"] == pytest.approx(0.5) and everything["n_objects"] == 8
    yes = row(table, attribute="auto_FM", group="yes")
    assert (yes["n_objects"], yes["n_videos"], yes["few"]) == (4, 4, True)
    assert yes["mean"] == pytest.approx(0.3) and yes["rest"] == pytest.approx(0.7)
    assert yes["delta"] == pytest.approx(-0.4)
    # Each video's two objects differ by 0.6 or 0.2, so the delta does, too.
    assert -0.6 - 1e-9 <= yes["delta_low"] < -0.4 < yes["delta_high"] <= -0.2 + 1e-9
    assert not row(table, attribute="all")["few"]


def test_objects_of_unknown_value_are_in_no_group_and_no_rest() -> None:
    tagged = [True, None, False, None, True, None, False, None]
    table = breakdown(
        scores([0.1, 1, 0.9, 1, 0.1, 1, 0.9, 1], VIDEOS),
        attributes(VIDEOS, official_XX=tagged),
    ).groups
    yes = row(table, attribute="official_XX", group="yes")
    assert yes["mean"] == pytest.approx(0.1) and yes["rest"] == pytest.approx(0.9)


def test_overlapping_tags_are_counted_under_each() -> None:
    table = breakdown(
        scores(np.linspace(0, 1, 8), VIDEOS),
        attributes(
            VIDEOS, auto_FM=[True] * 6 + [False] * 2, auto_OCC=[False] + [True] * 7
        ),
    ).groups
    assert row(table, attribute="auto_FM", group="yes")["n_objects"] == 6
    assert row(table, attribute="auto_OCC", group="yes")["n_objects"] == 7


def test_intervals_follow_videos_not_objects() -> None:
    """Twenty equal objects a video tell no more than one."""
    means = [0.2, 0.5, 0.8, 0.6, 0.4]
    many = [f"v{i}" for i in range(5) for _ in range(20)]
    spread = breakdown(
        scores(np.repeat(means, 20), many), attributes(many, size=np.arange(100.0))
    ).groups
    single = breakdown(
        scores(means, list("vwxyz")), attributes(list("vwxyz"), size=np.arange(5.0))
    ).groups
    for end in ("low", "high"):
        assert row(spread, attribute="all")[end] == pytest.approx(
            row(single, attribute="all")[end], abs=0.02
        )


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        videos = np.repeat(np.arange(30), 3)
        values = 0.6 + np.repeat(rng.normal(0, 0.1, 30), 3) + rng.normal(0, 0.05, 90)
        bootstrap = Bootstrap(pd.Series(videos), 400, trial)
        low, high = interval(bootstrap.means(values, np.ones(90, bool))[0], 30)
        covered += low <= 0.6 <= high
    assert 0.89 <= covered / 200 <= 0.985


def test_one_video_gives_no_interval() -> None:
    table = breakdown(
        scores([0.1, 0.2, 0.3], ["a", "a", "b"]),
        attributes(["a", "a", "b"], auto_FM=[True, True, False]),
    ).groups
    yes = row(table, attribute="auto_FM", group="yes")
    assert np.isnan(yes["low"]) and np.isnan(yes["delta_low"])
    assert yes["mean"] == pytest.approx(0.15)


def test_the_same_seed_gives_the_same_intervals() -> None:
    videos = [f"v{i}" for i in range(25)]
    values, sizes = np.linspace(0, 1, 25) ** 2, np.arange(25.0)

    def run(seed: int) -> pd.DataFrame:
        some, table = scores(values, videos), attributes(videos, size=sizes)
        return breakdown(some, table, seed=seed, resamples=300).groups

    pd.testing.assert_frame_equal(run(0), run(0))
    assert not run(0)["low"].equals(run(1)["low"])


def test_trends_over_a_continuous_attribute() -> None:
    videos = [f"v{i}" for i in range(40)]
    speed = np.linspace(0, 1, 40)
    table = breakdown(
        scores(0.9 - 0.4 * speed, videos),
        attributes(videos, speed=speed, size=np.tile([0.1, 0.2], 20)),
    ).trends
    down = row(table, attribute="speed")
    assert down["spearman"] == pytest.approx(-1) and down["high"] == pytest.approx(-1)
    # From the lower to the upper quartile is half the range.
    assert down["change"] == pytest.approx(-0.2)
    flat = row(table, attribute="size")
    assert flat["low"] < 0 < flat["high"]


def test_trends_match_the_textbook_correlation() -> None:
    rng = np.random.default_rng(0)
    speed, values = rng.random(30), rng.random(30)
    videos = [f"v{i // 2}" for i in range(30)]
    found = row(
        breakdown(scores(values, videos), attributes(videos, speed=speed)).trends,
        attribute="speed",
    )
    expected = pd.Series(speed).corr(pd.Series(values), method="spearman")
    assert found["spearman"] == pytest.approx(expected)
    assert found["low"] < expected < found["high"]


def test_methods_are_compared_object_by_object() -> None:
    better = scores([0.3, 0.9, 0.5, 0.7, 0.3, 0.9, 0.5, 0.5], VIDEOS)
    worse = scores([0.2, 0.8, 0.4, 0.6, 0.2, 0.8, 0.4, 0.6], VIDEOS)
    made = breakdown(
        {"old": worse, "new": better},
        attributes(VIDEOS, auto_FM=[True] * 4 + [False] * 4),
    )
    assert set(made.groups["method"]) == {"new", "old"}
    fast = row(made.differences, attribute="auto_FM", group="yes")
    assert (fast["a"], fast["b"]) == ("old", "new")
    # Every object gains the same: however large the spread, the interval is a point.
    assert fast["b_minus_a"] == pytest.approx(0.1)
    assert fast["low"] == pytest.approx(0.1) and fast["high"] == pytest.approx(0.1)
    assert fast["b_wins"] == 1
    slow = row(made.differences, attribute="auto_FM", group="no")
    assert slow["b_wins"] == 0.75 and slow["low"] < 0.1


def test_differences_can_be_had_alone_and_left_out() -> None:
    methods = {
        name: scores(np.linspace(0.1, end, 8), VIDEOS)
        for name, end in (("a", 0.9), ("b", 0.5), ("c", 0.7))
    }
    tagged = attributes(VIDEOS, auto_FM=[True, False] * 4)
    whole = breakdown(methods, tagged)
    assert len(whole.differences) == 9  # three pairs: all, yes, no
    pd.testing.assert_frame_equal(differences(methods, tagged), whole.differences)
    without = breakdown(methods, tagged, compare=False)
    assert without.differences.empty
    pd.testing.assert_frame_equal(without.groups, whole.groups)


def test_resampled_means_are_those_of_drawn_videos() -> None:
    """Asked for twice, in parts and together: against a loop over the draws."""
    videos = np.array(["b", "a", "b", "c", "a", "d"])
    values = np.array([0.1, 0.2, 0.4, 0.8, 0.3, 0.6])
    inside = np.array([True, False, True, True, False, False])
    bootstrap = Bootstrap(pd.Series(videos), 50, 7)
    first = bootstrap.means(values, inside)
    both = bootstrap.means(values, ~inside, inside)
    draws = np.random.default_rng(7).multinomial(4, [0.25] * 4, size=50)
    for drawn, kept, again, rest in zip(draws, first[0], both[1], both[0], strict=True):
        times = drawn[["abcd".index(name) for name in videos]]
        for own, found in ((inside, kept), (inside, again), (~inside, rest)):
            expected = np.repeat(values[own], times[own])
            assert found == pytest.approx(
                expected.mean() if len(expected) else np.nan, nan_ok=True
            )


def test_only_objects_that_both_methods_have_are_compared() -> None:
    one = scores([0.5] * 8, VIDEOS)
    two = scores([0.3] * 6, VIDEOS[:6])
    made = breakdown(
        {"one": one, "two": two}, attributes(VIDEOS, auto_FM=[True, False] * 4)
    )
    everything = row(made.differences, attribute="all")
    assert everything["n_objects"] == 6
    assert everything["b_minus_a"] == pytest.approx(-0.2)
    (note,) = made.notes
    assert note.startswith("two has no score of 2 of 8 objects")


def test_methods_may_be_called_like_attributes_and_columns() -> None:
    table = attributes(VIDEOS, occlusion=np.linspace(0, 1, 8))
    one, two = scores([0.5] * 8, VIDEOS), scores([0.4] * 8, VIDEOS)
    made = breakdown({"occlusion": one, "sequence": two}, table)
    means = made.groups.query("attribute == 'all'")["mean"]
    assert means.tolist() == pytest.approx([0.5, 0.4])


def test_two_way_tables_hold_the_cells_that_occur() -> None:
    table = two_way(
        scores([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], VIDEOS),
        attributes(
            VIDEOS,
            auto_FM=[True, True, True, True, False, False, False, False],
            auto_OCC=[True, True, False, False, False, False, False, False],
        ),
        "auto_FM",
        "auto_OCC",
    )
    assert len(table) == 3
    assert row(table, row="yes", column="no")["mean"] == pytest.approx(0.35)
    assert row(table, row="no", column="no")["n_objects"] == 4
    assert table["few"].all()


def test_groups_of_each_kind_of_attribute() -> None:
    counts = pd.Series([0, 1, 2, 3, 7, None], name="absences", dtype="Int64")
    groups = attribute_groups(counts)
    assert groups.tolist()[:5] == ["0", "1", "2", "3 or more", "3 or more"]
    assert groups.isna()[5]
    assert group_order("absences", groups) == ["0", "1", "2", "3 or more"]
    thirds = attribute_groups(pd.Series(np.arange(9.0), name="speed"))
    assert thirds.value_counts().tolist() == [3, 3, 3]
    assert [g.split(" ")[0] for g in group_order("speed", thirds)] == [
        "low",
        "middle",
        "high",
    ]
    mostly_none = attribute_groups(pd.Series([0.0] * 6 + [0.1, 0.5], name="occlusion"))
    assert mostly_none.value_counts().tolist() == [6, 2]
    noisy = pd.Series([0, 3e-6, 1e-5, 2e-5, 0.1, 0.5], name="occlusion")
    assert set(attribute_groups(noisy)) == {"least (= 0)", "more (> 0)"}
    assert attribute_groups(noisy).tolist()[:4] == ["least (= 0)"] * 4
    buckets = pd.Series(["over 300", "1-50"], name="length_bucket")
    assert group_order("length_bucket", attribute_groups(buckets)) == [
        "1-50",
        "over 300",
    ]
    assert ATTRIBUTES["length_bucket"].kind == "bucket"


def test_what_does_not_fit_is_refused_or_said() -> None:
    some = scores([0.5] * 8, VIDEOS)
    table = attributes(VIDEOS, auto_FM=[True, False] * 4)
    with pytest.raises(InputError, match="nonsense"):
        breakdown(some, table, ["nonsense"])
    with pytest.raises(InputError, match="metric"):
        breakdown(some, table, metric="nonsense")
    with pytest.raises(InputError, match="a score of the objects"):
        breakdown(some, table, metric="sequence")
    twice = replace(table, objects=pd.concat([table.objects, table.objects.iloc[:2]]))
    with pytest.raises(InputError, match="2 rows of objects that are there twice"):
        breakdown(some, twice)
    text = replace(table, objects=table.objects.astype({"object": str}))
    with pytest.raises(InputError, match="whole numbers"):
        breakdown(some, text)
    with pytest.raises(InputError, match="no object"):
        breakdown(some, attributes(["other"] * 2, auto_FM=[True, False]))
    other = scores([0.5] * 8, VIDEOS)
    other.protocol = get_protocol("mose-v2")
    with pytest.raises(InputError, match="davis-2017 and mose-v2"):
        breakdown({"a": some, "b": other}, table)
    partly = attributes(VIDEOS[:6], auto_FM=[True, False] * 3)
    assert breakdown(some, partly).notes == (
        "2 scored objects without attributes left out",
    )


def test_conditions_are_groups_with_what_the_attribute_is_about() -> None:
    names = [
        "yes",
        "no",
        "0",
        "1",
        "3 or more",
        "least (= 0)",
        "more (> 0)",
        "low (< 2)",
    ]
    table = pd.DataFrame({"group": names})
    kept = conditions(table)["group"].tolist()
    assert kept == ["yes", "1", "3 or more", "more (> 0)", "low (< 2)"]
    assert conditions(table[:0]).empty


def test_a_quantity_has_one_value_and_interval_wherever_it_is_asked_for() -> None:
    from evaluation.results.compare import compare

    generator = np.random.default_rng(3)
    videos = [f"v{k // 3}" for k in range(30)]
    made = {
        name: scores(generator.uniform(size=30), videos) for name in ("a", "b", "c")
    }
    partly = scores(made["c"].objects["J&F"].to_numpy()[:20], videos[:20])
    for item in (*made.values(), partly):
        item.object_columns = item.objects.to_dict("list")
    table = attributes(videos, auto_FM=[True, False] * 15)
    one = compare(made["a"], made["b"])
    # Beside a third method that lacks videos, and with the objects in another order.
    beside = breakdown({**made, "c": partly}, table)
    shuffled = {
        name: SimpleNamespace(
            **{**vars(item), "objects": item.objects.sample(frac=1, random_state=1)}
        )
        for name, item in made.items()
    }
    again = breakdown({name: shuffled[name] for name in ("a", "b")}, table)
    for found in (beside.differences, again.differences):
        pair = row(found[found["b"] == "b"], a="a", attribute="all")
        assert pair["b_minus_a"] == pytest.approx(one.delta)
        assert (pair["low"], pair["high"]) == pytest.approx(one.interval)
    alone = breakdown(made["a"], table).groups
    for groups in (beside.groups, again.groups):
        own = groups[groups["method"] == "a"].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            own.drop(columns="method"), alone.drop(columns="method")
        )


def test_the_headline_and_its_boundary_are_decided_by_the_protocol() -> None:
    found = {
        name: (rules.headline_metric, rules.object_metric, rules.boundary_column)
        for name in ("davis-2017", "mose-v2", "trackeval-hota")
        for rules in [get_protocol(name)]
    }
    assert found == {
        "davis-2017": ("J&F", "J&F", "F"),
        "mose-v2": ("J&F_adaptive", "J&F_adaptive", "F_adaptive"),
        "trackeval-hota": ("HOTA", "J&F", "F"),
    }


def test_attributes_that_split_the_objects_alike_are_told_once():
    known = attributes(
        list("abcdefgh"),
        reappearances=[0, 0, 0, 0, 0, 0, 1, 1],
        absences=[0, 0, 0, 0, 0, 0, 2, 2],
        auto_FM=[False, True] * 4,
    )
    made = breakdown(scores(np.linspace(0.2, 0.9, 8), list("abcdefgh")), known)
    names = ["auto_FM", "reappearances", "absences"]
    assert drop_repeated_splits(names, made.groups) == ["auto_FM", "reappearances"]
    assert drop_repeated_splits(names[::-1], made.groups) == ["absences", "auto_FM"]

    rows = made.groups[made.groups["attribute"] != "all"]
    kept = drop_repeated_groups(rows, known.objects)
    told = list(zip(kept["attribute"], kept["group"], strict=True))
    assert len(told) == 4 and len(set(kept["attribute"])) == 2


def test_a_score_that_counts_errors_is_worse_where_it_is_higher() -> None:
    fading = [0.4, 0.0, 0.3, 0.1, 0.4, 0.0, 0.3, 0.1]
    tagged = [True, False] * 4
    steady = scores([value / 2 for value in fading], VIDEOS, "J_decay")
    made = breakdown(
        {"old": scores(fading, VIDEOS, "J_decay"), "new": steady},
        attributes(VIDEOS, auto_FM=tagged, speed=[2.0, 1.0] * 4),
        metric="J_decay",
    )
    assert made.lower_is_better
    own = made.groups[made.groups["method"] == "old"]
    worst = worse_groups(own[own["attribute"] != "all"], "J_decay")
    tags = worst[worst["attribute"] == "auto_FM"]
    assert tags["group"].tolist() == ["yes"] and (worst["delta"] > 0).all()
    # Half of the decay is gone wherever there was any: in 3 of 4; ties count half.
    assert row(made.differences, attribute="auto_FM", group="yes")["b_wins"] == 1
    assert row(made.differences, attribute="all")["b_wins"] == 0.875
    trend = "the higher, the higher J_decay"
    assert strongest(made, "old").headline("J_decay").endswith(trend)
