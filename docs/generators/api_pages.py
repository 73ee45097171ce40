"""The Python reference: one page a package, from the docstrings of its public names."""

from __future__ import annotations

import importlib

import evaluation

# Packages whose public names are listed by `__all__`.
_PACKAGES = {
    "evaluation.attributes": "Attributes of objects",
    "evaluation.audit": "Errors in ground truth",
    "evaluation.breakdown": "Scores by attribute",
    "evaluation.corrections": "Corrections",
    "evaluation.failures": "Failures",
    "evaluation.report": "Reports",
    "s3fo.benchmarks": "Benchmarks on disk",
    "s3fo.cluster": "Many processes and machines",
    "s3fo.datasets": "FiftyOne datasets",
    "s3fo.inference": "Inference",
    "s3fo.model": "The network",
    "s3fo.training": "Training",
}
# Modules whose every public name is of interest.
_MODULES = {
    "evaluation.protocols": "Protocols",
    "evaluation.masks.label_map": "Label maps",
    "evaluation.leaderboard.table": "Leaderboards",
    "evaluation.runs.schema": "Records of runs",
    "evaluation.runs.registry": "Lists of runs",
    "evaluation.errors": "Errors",
    "s3fo.benchmarks.catalog": "The catalog",
}


def pages() -> dict[str, str]:
    """Path of each page in the site -> Markdown that mkdocstrings fills in."""
    made = {"reference/api/evaluation.md": _evaluation()}
    for name, title in _PACKAGES.items():
        made[_path(name)] = _package(name, title)
    for name, title in _MODULES.items():
        made[_path(name)] = f"# {title}\n\n::: {name}\n"
    made["reference/api/index.md"] = _index()
    return made


def _path(name: str) -> str:
    return f"reference/api/{name}.md"


def _evaluation() -> str:
    """The package that gives its names lazily: each comes from the module it is in."""
    elsewhere = {*_PACKAGES, *_MODULES}
    names = [
        f"::: {home}.{name}\n"
        for name, home in sorted(evaluation._HOMES.items(), key=lambda item: item[1])
        if home not in elsewhere
    ]
    return "\n".join(["# evaluation", "", evaluation.__doc__ or "", *names])


def _package(name: str, title: str) -> str:
    package = importlib.import_module(name)
    names = [f"::: {name}.{public}\n" for public in sorted(package.__all__)]
    return "\n".join([f"# {title}", "", f"`{name}`", "", package.__doc__ or "", *names])


def _index() -> str:
    lines = ["# Python", "", "| module | |", "|---|---|"]
    lines.append("| [evaluation](evaluation.md) | Scores |")
    for name, title in (_PACKAGES | _MODULES).items():
        lines.append(f"| [{name}]({name}.md) | {title} |")
    lines += [
        "",
        "The verbs `load_benchmark`, `add_predictions`, `evaluate`, `worst` and "
        "`predict` are also to be had from `s3fo` itself.",
    ]
    return "\n".join(lines) + "\n"
