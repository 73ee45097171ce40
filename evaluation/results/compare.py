"""Paired comparison of two methods with bootstrap confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation._utils.names import any_name_in_tables, counted
from evaluation.errors import InputError
from evaluation.metrics.aggregate import LOWER_IS_BETTER, METRICS, NO_SCORES
from evaluation.results.bootstrap import RESAMPLES, SEED, Bootstrap, interval
from evaluation.results.ground_truths import note_ground_truths, object_names
from evaluation.results.same_rules import note_rules, require_one_protocol
from evaluation.results.scores import SavedScores, Scores, as_scores
from evaluation.scoring_rules import AVERAGE_RULES

if TYPE_CHECKING:
    import pandas as pd

ObjectKey = tuple[str, int]
"""Sequence and object id."""


@dataclass(frozen=True)
class Comparison:
    """The difference b - a between two runs over the objects that both have.

    Attributes:
        metric: which score, as in `Scores.summary`.
        keys: [n] sequence and object.
        a: [n] score of each object in the first run.
        b: [n] score of each object in the second run.
        interval: lower and upper end of the confidence interval of `delta`; NaN where
            all objects are of one video: there is nothing to resample.
        confidence: share of such intervals that cover the true difference.
        only_in_a: objects that the second run lacks.
        only_in_b: objects that the first run lacks.
        notes: what a reader should know: ground truths or options that
            differ, objects left out.
    """

    metric: str
    keys: tuple[ObjectKey, ...]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    interval: tuple[float, float]
    confidence: float
    only_in_a: tuple[ObjectKey, ...]
    only_in_b: tuple[ObjectKey, ...]
    notes: tuple[str, ...] = ()

    @property
    def delta(self) -> float:
        """Mean over objects of b - a."""
        return float(np.mean(self.b - self.a))

    @property
    def objects(self) -> pd.DataFrame:
        """One row per object: sequence, object, a, b, delta; largest loss first."""
        import pandas as pd

        table = pd.DataFrame(
            {
                "sequence": [sequence for sequence, _ in self.keys],
                "object": [object_id for _, object_id in self.keys],
                "a": self.a,
                "b": self.b,
                "delta": self.b - self.a,
            }
        )
        # The largest loss is a rise of what counts errors.
        ascending = not self.lower_is_better
        return table.sort_values(
            "delta", kind="stable", ignore_index=True, ascending=ascending
        )

    @property
    def lower_is_better(self) -> bool:
        """Whether the metric counts what goes wrong, such as the decay."""
        return self.metric in LOWER_IS_BETTER

    def __str__(self) -> str:
        return "\n".join([self.sentence, *(f"note: {note}" for note in self.notes)])

    @property
    def sentence(self) -> str:
        """Both means, the difference and its interval, without the notes."""
        low, high = self.interval
        sure = "one video: no interval"
        if not np.isnan(low):
            sure = f"{100 * self.confidence:g} % interval {low:+.3f} to {high:+.3f}"
        which = " (lower is better)" if self.lower_is_better else ""
        return (
            f"{self.metric}{which}: {np.mean(self.a):.3f} -> {np.mean(self.b):.3f}, "
            f"difference {self.delta:+.3f} ({sure}) "
            f"over {counted(len(self.keys), 'object')}"
        )


@any_name_in_tables()
def compare(
    scores_a: SavedScores,
    scores_b: SavedScores,
    *,
    metric: str = "J&F",
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Compare two runs object by object.

    The interval comes from a paired bootstrap over videos: objects of
    one video share its difficulty, so whole videos are drawn, with both runs' scores.

    >>> import numpy as np
    >>> from evaluation import score
    >>> truth = np.zeros((5, 20, 20), np.uint8)
    >>> truth[:, 5:15, 5:15] = 1
    >>> late = score({"cat": np.roll(truth, 2, axis=2)}, {"cat": truth})
    >>> exact = score({"cat": truth}, {"cat": truth})
    >>> round(compare(late, exact, metric="J").delta, 4)
    0.3333

    Args:
        scores_a: the run to compare with; or the folder it was saved in.
        scores_b: the run to judge; likewise.
        metric: ``"J&F"``, a key of `METRICS`, or another score of the objects.
        confidence: of the interval, between 0 and 1.
        resamples: draws of the bootstrap.
        seed: makes the draws repeatable.

    Raises:
        InputError: protocols differ, the runs share no object, or lack the metric; or
            what is given are no scores.
    """
    scores_a = as_scores(scores_a, "scores_a")
    scores_b = as_scores(scores_b, "scores_b")
    require_one_protocol(
        [scores_a.protocol, scores_b.protocol],
        remedy="Score both runs with the same protocol.",
    )
    a, b = _by_object(scores_a, metric), _by_object(scores_b, metric)
    keys = tuple(key for key in a if key in b and not np.isnan(a[key] + b[key]))
    if not keys:
        raise InputError(
            "scores",
            "no object that both runs have",
            "scores of the same benchmark",
            "Score both runs against the same ground truth.",
        )
    values_a = np.array([a[key] for key in keys])
    values_b = np.array([b[key] for key in keys])
    import pandas as pd

    videos = pd.Series([sequence for sequence, _ in keys])
    everything = np.ones(len(keys), bool)
    bootstrap = Bootstrap(videos, resamples, seed)
    means = bootstrap.means(values_b - values_a, everything)[0]
    ends = interval(means, bootstrap.n_videos(everything), confidence)
    only_in_a = tuple(key for key in a if key not in b)
    only_in_b = tuple(key for key in b if key not in a)
    left_out = {"only in a": only_in_a, "only in b": only_in_b}
    left_out[f"without {metric} in a or b"] = tuple(
        key for key in a if key in b and np.isnan(a[key] + b[key])
    )
    return Comparison(
        metric,
        keys,
        values_a,
        values_b,
        ends,
        confidence,
        only_in_a,
        only_in_b,
        (
            *note_ground_truths({"a": scores_a, "b": scores_b}),
            *note_rules({"a": scores_a, "b": scores_b}),
            *_note_left_out(left_out),
            *_note_average(metric, scores_a, scores_b, (values_a, values_b)),
        ),
    )


def _note_average(
    metric: str,
    scores_a: Scores,
    scores_b: Scores,
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> list[str]:
    """A note where the protocol averages otherwise than over all objects alike."""
    if scores_a.protocol.average == "objects":
        return []
    own = [scores.summary.get(metric) for scores in (scores_a, scores_b)]
    means = [float(one.mean()) for one in values]
    if None in own or np.allclose(means, np.array(own, float), atol=5e-4):
        return []
    return [
        f"these are means over objects; {scores_a.protocol.name} takes another average "
        f"({AVERAGE_RULES[scores_a.protocol.average]}), by which {metric} is "
        f"{own[0]:.3f} -> {own[1]:.3f}"
    ]


def _note_left_out(left_out: Mapping[str, tuple[ObjectKey, ...]]) -> list[str]:
    return [
        f"{counted(len(keys), 'object')} {'is' if len(keys) == 1 else 'are'} {where}, "
        f"and left out: {object_names(list(keys))}"
        for where, keys in left_out.items()
        if keys
    ]


def _by_object(scores: Scores, metric: str) -> dict[ObjectKey, float]:
    table = scores.object_columns
    column = METRICS.get(metric, metric)
    if column not in table or column in NO_SCORES:
        known = [name for name, column in METRICS.items() if column in table]
        raise InputError(
            "metric",
            repr(metric),
            f"one of J&F, {', '.join(known)}",
            "Pass a metric that the protocol has.",
        )
    keys: Sequence[Any] = list(zip(table["sequence"], table["object"], strict=True))
    return dict(zip(keys, table[column], strict=True))
