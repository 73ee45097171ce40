"""Names of version 0.1 work for one more version, and say what they are called now."""

from __future__ import annotations

import numpy as np
import pytest

import evaluation
from evaluation import find_failures


def test_the_function_is_served_under_its_former_name():
    with pytest.warns(DeprecationWarning, match="is now compare_with_official") as told:
        former = evaluation.check_against
    assert former is evaluation.compare_with_official
    assert told[0].filename == __file__


def test_the_method_is_served_under_its_former_name():
    truth = np.zeros((4, 20, 20), np.uint8)
    truth[:, 5:15, 5:15] = 1
    lost = truth * (np.arange(4) < 1)[:, None, None].astype(np.uint8)
    failures = find_failures({"cat": lost}, {"cat": truth}, protocol="davis-2017")
    with pytest.warns(DeprecationWarning, match="is now recoverable") as told:
        gain = failures.worth(1)
    assert gain == failures.recoverable(1) == 1.0
    assert told[0].filename == __file__
