"""Answers to questions about datasets, kept until what they rest on changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import fiftyone as fo

_KEPT = 200
"""Answers, mostly tables and pictures below 1 MB; the oldest one goes first."""

_lock = threading.RLock()
_answers: dict[tuple[Hashable, ...], object] = {}

Question = tuple[Hashable, ...]
Answer = TypeVar("Answer")


def renewed(
    dataset: fo.Dataset,
    question: Question,
    renew: Callable[[Answer | None], Answer],
) -> Answer:
    """The answer, brought up to date from the one given last.

    Args:
        dataset: the question is about.
        question: what is asked.
        renew: gives the answer; gets the last one, None if there is none. Panels that
            open together ask the same: while one is answered, others wait.
    """
    key = (str(dataset._doc.id), *question)
    with _lock:
        known: Answer | None = _answers.pop(key, None)  # type: ignore[assignment]
        answer = renew(known)
        _answers[key] = answer
        while len(_answers) > _KEPT:
            del _answers[next(iter(_answers))]
    return answer


def kept(
    dataset: fo.Dataset,
    question: Question,
    basis: Hashable,
    work: Callable[[], Answer],
) -> Answer:
    """The answer, worked out again if what it rests on has changed.

    Args:
        dataset: the question is about.
        question: what is asked.
        basis: what the answer rests on, or anything that changes with it.
        work: gives the answer.
    """

    def renew(known: tuple[Hashable, Answer] | None) -> tuple[Hashable, Answer]:
        return known if known and known[0] == basis else (basis, work())

    return renewed(dataset, question, renew)[1]


def forget() -> None:
    """Keep nothing, as in a process that has just begun."""
    with _lock:
        _answers.clear()
