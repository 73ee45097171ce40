"""Names, docstrings, messages and documents use the words of the field.

Left: what was said; right: what to say. A former name that is still served, with a
warning, stands in `ALIASES`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = {
    r"\bLeniency\b|\bleniency\b": "InputOptions",
    r"\bmend(s|ed|ing)?\b|on the way in\b": "non-default preprocessing",
    r"\"MEND\"": "FAIL",
    r"\b_Told\b": "ProgressTracker",
    r"\bpeel\b|\bstrangers\b": "scatter_labels, unknown_ids",
    r"\bLooks\(|\b[Ll]ikeness\b|\bsights\b": "similarity, appearance",
    r"\bgravity\b": "severity",
    r"\bfates?\b": "match_status",
    r"\b(remember|recall)_(benchmark|predictions)\b": "save_, load_..._info",
    r"\b_Film\b|\bfilm\b(?! makers)": "video_writer",
    r"\bshortfalls?\b|\bstrays?\b|\bgaps_in\b": "missing_files, unexpected_files",
    r"\bTick\b|\btick[:(]": "on_step",
    r"\bpublished_key\b": "headline_metric",
    r"\bMeanWeights\b|def usable\(": "WeightEMA, ema_state_dict",
    r"\bfrom_leader\b": "broadcast_from_main",
    r"\bfloat32_island\b": "autocast_disabled",
    r"memory\.engaged\b": "has_entries",
    r"\bone_line\(": "describe()",
    r"\b(evaluation|material)\.by_attribute\b": "breakdown",
    r"--score-dumps|\bmerge[-_]scores\b": "--save-probs, fuse",
    r"\"--memory\"|`--memory": "--preset",
    r"--trained-on\b|\"--training-data\"": "--local-training-data",
    r"\b[Oo]ne (row|line|mark|entry|tree|bar|PNG|point|file|name) an? [a-z]": "per",
    r"\bframes? a second\b|\b(ms|(micro)?seconds|[kMG]?B) an? (frame|pixel)\b": "per",
    r"told in four parts|complains about input": "Invalid input, with where ...",
    r"\bkind to it\b|behind the method's back": "plain description",
    r"\bhonest": "bootstrap confidence intervals",
    r"\bnever half there\b": "Resumable, verified, atomic download",
    r"\b[Dd]o complete videos again": "re-run completed videos",
    r"\b[Ww]hat segments": "Segmentation method",
    r"\b[Tt]rain so long": "Training time budget",
    r"\bfor ever\b": "indefinitely; repeats the first-frame masks",
    r"\ba file that anybody may have": "a publicly downloadable file",
    r"\bno way to get it|\bcannot be had": "download failed, unavailable",
    r"\ba person must\b": "manual download required",
    r"\bnobody scores it": "no public evaluation server",
    r"\"(Choose|Choose one|Choose one of them|Choose another|Drop one|Rename|Name one|"
    r"Name one of them|Name some|Unpack|Open one|Pick one)\.\"": "a complete action",
    r"\bfound none in\b": "no sequences found in",
    r"\"(Right again|Mostly begins|Begins)\"": "Recovered at, Common trigger, Trigger",
    r"where it hurts most|\bhurts most\b": "largest drop first",
    r"\"Nothing fails": "No failure events found",
    r"turned by 90 degrees": "width and height swapped?",
    r"\bWhite masks\b|black-and-white": "binary masks (0/255)",
    r"pixels that nobody can judge": "DAVIS ignore label",
    r"\bjudgements?\b|\bset aside\b": "review, dismissed",
    r"\blook[_-]alikes?\b": "similar distractor",
    r"\.worth\(": "recoverable",
    r"\bcheck_against\b": "compare_with_official",
    r"\b[Cc]atalogue\b": "catalog",
    r"def _(assembled|joined|stacked|halved|fitted|named|judged|drawn|chosen|spoilt|"
    r"numbered|renamed|refused|listed|counted|wanted|opened|scaled|padded|doubled|"
    r"folded|repeated|unchecked|announced|pictured|interpolated|promised|nested|"
    r"edited|compared|offered|checked|told)\(": "a verb",
}
"""Left column of the glossary as patterns -> right column."""

ALIASES = {
    "evaluation/__init__.py",
    "evaluation/report/make.py",
    "s3fo/datasets/scoring/review.py",
    "evaluation/_utils/former_names.py",
    "evaluation/options.py",
    "s3fo/cli/__init__.py",
    "s3fo/cli/model.py",
    "s3fo/cli/reports.py",
    "s3fo/datasets/__init__.py",
    "s3fo/inference/__init__.py",
    "s3fo/inference/running/probabilities.py",
}
SERVED = (
    r"merge[-_]scores",
    "--score-dumps",
    "--memory",
    "--trained-on",
    "by_attribute",
    "Leniency",
    "judgements",
    "look",
    "check_against",
    "(remember|recall)_",
)
"""Former names that the files of `ALIASES` serve, with a warning, for one version."""


def _texts() -> list[tuple[str, str]]:
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    for folder in ("evaluation", "s3fo", "docs", "notebooks"):
        for suffix in ("py", "md", "j2"):
            files += sorted((ROOT / folder).rglob(f"*.{suffix}"))
    return [
        (path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in files
    ]


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    found = _texts()
    assert len(found) > 300
    return found


@pytest.mark.parametrize(("word", "instead"), WORDS.items())
def test_the_words_of_the_field_are_used(texts, word, instead):
    served = any(name in word for name in SERVED)
    found = [
        f"{name}:{text[: match.start()].count(chr(10)) + 1}: {match.group()}"
        for name, text in texts
        if not (served and name in ALIASES)
        for match in re.finditer(word, text)
    ]
    assert not found, f"say: {instead}"


def test_the_patterns_find_what_they_are_about():
    """Each sentence was in the code once."""
    said = (
        "One row an object and counted frame",
        "SA-V annotates at 6 frames a second in videos of 24.",
        '"ground truth", "both --gt and --benchmark", "one of them", "Drop one."',
        "Two honest lower bounds: the first mask everywhere",
        "Folders that `predict --score-dumps` filled.",
        'text("recovered", "Right again")',
    )
    for sentence in said:
        assert any(re.search(word, sentence) for word in WORDS), sentence
