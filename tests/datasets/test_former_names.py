"""Names of version 0.1 work for one more version, and say what they are called now."""

from __future__ import annotations

import warnings

import pytest

from s3fo import datasets


@pytest.mark.parametrize(
    ("former", "present"),
    [
        ("recall_benchmark", "load_benchmark_info"),
        ("recall_predictions", "load_predictions_info"),
        ("map_look_alikes", "map_similar_objects"),
    ],
)
def test_a_former_name_is_the_function_and_warns(former, present):
    function = getattr(datasets, present)
    with pytest.warns(DeprecationWarning, match=f"is now {present}") as told:
        assert getattr(datasets, former) is function
    assert told[0].filename == __file__


@pytest.mark.parametrize("name", datasets.__all__)
def test_a_present_name_does_not_warn(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert callable(getattr(datasets, name))
