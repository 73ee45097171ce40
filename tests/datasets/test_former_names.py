"""Names of version 0.1 work for one more version, and say what they are called now."""

from __future__ import annotations

import warnings

import pytest

from s3fo import datasets


@pytest.mark.parametrize("of", ["benchmark", "predictions"])
def test_a_former_name_is_the_function_and_warns(of):
    function = getattr(datasets, f"load_{of}_info")
    with pytest.warns(DeprecationWarning, match=f"is now load_{of}_info"):
        assert getattr(datasets, "recall_" + of) is function


@pytest.mark.parametrize("name", datasets.__all__)
def test_a_present_name_does_not_warn(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert callable(getattr(datasets, name))
