"""`InputOptions`: how masks are read and matched before they are scored."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from evaluation.errors import InputError

MissingRule = Literal["error", "score-as-empty"]
"""What to do about frames and sequences without a prediction.

- ``"error"``: refuse them, all named at once.
- ``"score-as-empty"``: they count as predicted empty.
"""

ResizeRule = Literal["nearest"]
"""How to bring predictions of another size to that of the ground truth.

- ``"nearest"``: the nearest pixel, pixel centres aligned.
"""


@dataclass(frozen=True)
class InputOptions:
    """How masks are read and matched before scoring; by default strictly.

    Every function and command that reads predictions or ground truth takes these
    options, as one object or by their names.

    Attributes:
        missing: ``"error"``, or ``"score-as-empty"``: frames and sequences without
            a prediction count as predicted empty.
        resize: None, or ``"nearest"``: predictions of another size are resized.
        binarize: take whatever is not 0 as object 1, in both masks. Where masks are
            kept object by object, none are merged: soft ones are thresholded at half.
        void: ground-truth label whose pixels are left out of both masks, 1..65535;
            None follows the protocol.

    Raises:
        InputError: a value that an option does not have.

    >>> InputOptions(missing="score-as-empty").changed()
    {'missing': 'score-as-empty'}
    """

    missing: str = "error"
    resize: str | None = None
    binarize: bool = False
    void: int | None = None

    def __post_init__(self) -> None:
        _check("missing", self.missing, get_args(MissingRule))
        _check("resize", self.resize, (None, *get_args(ResizeRule)))
        _check("binarize", self.binarize, (False, True))
        if self.void is not None and not (
            isinstance(self.void, int) and 0 < self.void < 2**16
        ):
            raise InputError(
                "void",
                repr(self.void),
                "a label in 1..65535, or None",
                "Pass the ground-truth label that marks unclear pixels, e.g. 255.",
            )

    @classmethod
    def of(cls, options: InputOptions | None = None, **given: Any) -> InputOptions:
        """The options of a call that takes them whole or by name.

        Args:
            options: the whole; None if they are given by name.
            given: options by name, at their defaults where the caller said nothing.

        Raises:
            InputError: both are given.
        """
        if options is None:
            return cls(**given)
        changed = cls(**given).changed()
        if changed:
            raise InputError(
                "options",
                f"both options= and {', '.join(f'{name}=' for name in changed)}",
                "the options whole, or by name",
                "Set them all in options=InputOptions(...).",
            )
        return options

    def changed(self) -> dict[str, object]:
        """The options that are not at their defaults, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    def to_dict(self) -> dict[str, Any]:
        """All options by name, for JSON."""
        return asdict(self)


def _check(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(map(repr, allowed))
        raise InputError(
            name, repr(value), f"one of {listed}", f"Choose from {listed}."
        )


DEFAULT_OPTIONS = InputOptions()


def __getattr__(name: str) -> object:
    if name == "Leniency":
        warnings.warn(
            "Leniency is called InputOptions now", DeprecationWarning, stacklevel=2
        )
        return InputOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
