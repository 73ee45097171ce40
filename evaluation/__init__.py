"""Exact video object segmentation scores: masks on disk in, tables out.

    from evaluation import score

    scores = score("results/", "Annotations/480p", protocol="davis-2017")
    print(scores.format_table())

Names are loaded when they are first used, so importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Attributes": "evaluation.attributes",
    "Failures": "evaluation.failures",
    "InputError": "evaluation.errors",
    "InputOptions": "evaluation.options",
    "PROTOCOLS": "evaluation.protocols",
    "Protocol": "evaluation.protocols",
    "Scores": "evaluation.results.scores",
    "breakdown": "evaluation.breakdown",
    "check_against": "evaluation.results.official",
    "compare": "evaluation.results.compare",
    "find_failures": "evaluation.failures",
    "get_protocol": "evaluation.protocols",
    "merge": "evaluation.results.scores",
    "object_attributes": "evaluation.attributes",
    "report": "evaluation.report",
    "score": "evaluation.scoring",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)
