"""Bit for bit what the official tools give, for every frame, object and total."""

from hashlib import md5
from pathlib import Path

import pytest
from official_numbers import FIXTURES, JUSTIFIED, differences, load_case, load_document

from evaluation.scoring import score

_ALL = ("davis_semi", "davis_unsup", "vosbench_skip", "vosbench_noskip", "sav_skip",
        "lvos_semi", "mosev2", "trackeval")  # fmt: skip
CASES = {
    "multi": (*_ALL, "sav_noskip"),
    "gapids": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
               "lvos_semi", "mosev2", "trackeval"),
    "lateid": ("vosbench_skip", "vosbench_noskip", "sav_skip", "lvos_semi", "mosev2",
               "trackeval"),
    "void": ("davis_semi", "davis_unsup", "vosbench_noskip", "lvos_semi", "trackeval"),
    "proposals": ("davis_unsup", "trackeval"),
    "sav_obj": ("sav_skip", "sav_noskip"),
    "lvos_ranges": ("lvos_semi",),
    "single_255": ("davis_semi", "davis2016", "vosbench_skip", "vosbench_noskip",
                   "sav_skip"),
    "long300": _ALL,
}  # fmt: skip
"""Label maps that we drew -> official tools that scored them."""

REAL_CASES = {
    "d16": ("davis_semi", "davis_unsup", "vosbench_skip", "vosbench_noskip",
            "sav_skip", "lvos_semi", "mosev2", "trackeval"),
    "osvos30": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
                "lvos_semi", "mosev2", "trackeval"),
    "rvos8": ("davis_unsup", "trackeval"),
    "sav5": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
             "lvos_semi", "mosev2", "trackeval"),
    "synth20a": ("davis_semi", "vosbench_skip", "vosbench_noskip", "sav_skip",
                 "lvos_semi", "mosev2", "trackeval"),
}  # fmt: skip
"""Masks of data sets, which are not ours to ship -> official tools."""


def _pairs(cases: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(dataset, name) for dataset, names in cases.items() for name in names]


def _differences(folder: Path, dataset: str, protocol: str) -> list[str]:
    case = load_case(folder, dataset, protocol)
    scores = score(
        case.results,
        case.ground_truth,
        case.our_protocol,
        unseen=case.numbers.get("unseen_sequences", ()),
        binarize=case.our_protocol == "davis-2016" and dataset == "single_255",
    )
    return differences(case, scores)


@pytest.mark.parametrize(("dataset", "protocol"), _pairs(CASES))
def test_equal_to_the_official_tool(dataset, protocol):
    assert _differences(FIXTURES, dataset, protocol) == []


@pytest.mark.seconds
@pytest.mark.parametrize(("dataset", "protocol"), _pairs(REAL_CASES))
def test_equal_to_the_official_tool_on_real_masks(shared, dataset, protocol):
    assert _differences(shared / "fixtures" / "metrics", dataset, protocol) == []


@pytest.mark.parametrize("dataset", CASES)
def test_inputs_are_those_that_the_tools_read(dataset):
    """A changed file would turn every number of its dataset into nonsense."""
    recorded = load_document(FIXTURES, dataset)["input_md5"]
    assert recorded
    for name, digest in recorded.items():
        files = sorted((FIXTURES / "inputs" / dataset / name).rglob("*.png"))
        content = b"".join(path.name.encode() + path.read_bytes() for path in files)
        assert md5(content).hexdigest() == digest, name


@pytest.mark.parametrize(
    ("protocol", "ours"),
    [
        ("davis_semi", "davis-2017-official"),
        ("davis_unsup", "davis-2017-unsupervised-official"),
        ("trackeval", "trackeval-davis-official"),
    ],
)
def test_compatible_modes_reproduce_the_official_bugs(protocol, ours):
    case = load_case(FIXTURES, "long300", protocol)
    summary = score(case.results, case.ground_truth, ours).summary
    assert summary["J_decay"] != summary["J_decay"]
    assert summary["F_decay"] != summary["F_decay"]


def test_every_exception_is_explained():
    for item in JUSTIFIED:
        assert item.protocol in {**REAL_CASES, **CASES}[item.dataset]
        assert len(item.reason) > 20
