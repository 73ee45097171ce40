"""Exact video object segmentation scores: masks on disk in, tables out.

    from evaluation import score, score_folders

    scores = score("results/", "Annotations/480p", protocol="davis-2017")
    print(scores.format_table())

Names are loaded when they are first used, so importing the package costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from evaluation._utils import former_names
from evaluation._utils.version import __version__ as __version__

if TYPE_CHECKING:
    from evaluation.attributes import Attributes, object_attributes
    from evaluation.breakdown import breakdown
    from evaluation.davis_api import db_eval_boundary, db_eval_iou
    from evaluation.errors import InputError
    from evaluation.failures import Failures, find_failures
    from evaluation.meter import Meter
    from evaluation.options import InputOptions
    from evaluation.protocols import PROTOCOLS, ScoringProtocol, get_protocol
    from evaluation.report import report
    from evaluation.results.compare import compare
    from evaluation.results.official import compare_with_official
    from evaluation.results.scores import Scores, merge
    from evaluation.scoring import score, score_folders

__all__ = [
    "PROTOCOLS",
    "Attributes",
    "Failures",
    "InputError",
    "InputOptions",
    "Meter",
    "Scores",
    "ScoringProtocol",
    "breakdown",
    "compare",
    "compare_with_official",
    "db_eval_boundary",
    "db_eval_iou",
    "find_failures",
    "get_protocol",
    "merge",
    "object_attributes",
    "report",
    "score",
    "score_folders",
]

_HOMES = {
    "PROTOCOLS": "evaluation.protocols",
    "Attributes": "evaluation.attributes",
    "Failures": "evaluation.failures",
    "InputError": "evaluation.errors",
    "InputOptions": "evaluation.options",
    "Meter": "evaluation.meter",
    "ScoringProtocol": "evaluation.protocols",
    "Scores": "evaluation.results.scores",
    "breakdown": "evaluation.breakdown",
    "compare_with_official": "evaluation.results.official",
    "compare": "evaluation.results.compare",
    "db_eval_boundary": "evaluation.davis_api",
    "db_eval_iou": "evaluation.davis_api",
    "find_failures": "evaluation.failures",
    "get_protocol": "evaluation.protocols",
    "merge": "evaluation.results.scores",
    "object_attributes": "evaluation.attributes",
    "report": "evaluation.report",
    "score": "evaluation.scoring",
    "score_folders": "evaluation.scoring",
}

# Former names, for one version.
_RENAMED = {
    "Protocol": "ScoringProtocol",
    "check_against": "compare_with_official",
}


class _Package(ModuleType):
    """Keeps `evaluation.report` and `evaluation.breakdown` functions.

    Importing a subpackage sets it as an attribute of its parent; where a function
    has the same name, the function is what people call.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
former_names.install(__name__)


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    name = former_names.present_name(__name__, name, _RENAMED)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
