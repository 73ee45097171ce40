"""Bit for bit what the official tools give, for every frame, object and total."""

import pytest
from official_numbers import JUSTIFIED, PROTOCOLS, differences, load_case

from evaluation.scoring import score

CASES = {
    "d16": ("davis_semi", "davis_unsup", "vosbench_skip", "vosbench_noskip",
            "sav_skip", "lvos_semi", "mosev2", "trackeval"),
    "osvos30": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
                "lvos_semi", "mosev2", "trackeval"),
    "rvos8": ("davis_unsup", "trackeval"),
    "sav5": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
             "lvos_semi", "mosev2", "trackeval"),
    "sav_obj": ("sav_skip", "sav_noskip"),
    "synth20a": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
                 "lvos_semi", "mosev2", "trackeval"),
    "long300": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
                "lvos_semi", "mosev2", "trackeval"),
    "void": ("davis_unsup", "vosbench_noskip", "trackeval"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("dataset", "protocol"),
    [(dataset, protocol) for dataset, names in CASES.items() for protocol in names],
)
def test_equal_to_the_official_tool(shared, dataset, protocol):
    case = load_case(shared / "fixtures" / "metrics", dataset, protocol)
    scores = score(
        case.results,
        case.ground_truth,
        PROTOCOLS[protocol],
        unseen=case.numbers.get("unseen_sequences", ()),
    )
    assert differences(case, scores) == []


@pytest.mark.parametrize(
    ("protocol", "ours"),
    [
        ("davis_semi", "davis-2017-official"),
        ("trackeval", "trackeval-davis-official"),
    ],
)
def test_compatible_modes_reproduce_the_official_bugs(shared, protocol, ours):
    case = load_case(shared / "fixtures" / "metrics", "long300", protocol)
    summary = score(case.results, case.ground_truth, ours).summary
    assert summary["J_decay"] != summary["J_decay"]
    assert summary["F_decay"] != summary["F_decay"]


def test_every_exception_is_explained():
    for item in JUSTIFIED:
        assert item.protocol in CASES[item.dataset]
        assert len(item.reason) > 20
