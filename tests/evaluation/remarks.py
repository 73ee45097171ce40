"""What scores say about the input."""

from evaluation.counting import kernels
from evaluation.results.scores import Scores


def remarks(scores: Scores) -> tuple[str, ...]:
    """Notes without the one that depends on the machine: how pixels were counted."""
    return tuple(note for note in scores.notes if note != kernels.slowness_note())
