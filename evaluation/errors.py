"""The exception raised for invalid input."""

from __future__ import annotations

import os
import shlex
from os import PathLike


class InputError(ValueError):
    """Invalid input, with where, found, expected and fix.

    >>> error = InputError("cat/00002.png", "no file", "a mask", "Write this mask.")
    >>> print(error)
    cat/00002.png: found no file; expected a mask. Write this mask.

    Attributes:
        where: the file, folder or argument at fault.
        found: what is there.
        expected: what should be there.
        remedy: what to do about it.
    """

    def __init__(
        self, where: str | PathLike[str], found: str, expected: str, remedy: str
    ) -> None:
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        super().__init__(f"{self.where}: found {found}; expected {expected}. {remedy}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str, str]]:
        """Survive the way back from a worker process."""
        return type(self), (self.where, self.found, self.expected, self.remedy)


class InputWarning(UserWarning):
    """Something odd about the input, and what was made of it."""


def convert_command(
    source: str | PathLike[str],
    out: str | PathLike[str],
    form: str,
    ids_from: str | PathLike[str] | None = None,
) -> str:
    """The command that converts masks, to be named in a remedy.

    Args:
        source: the masks.
        out: what is made of them.
        form: name of the format.
        ids_from: masks whose ids the objects take; None for the ids they have.

    >>> convert_command("my masks.json", "masks", "davis")
    "`s3fo convert 'my masks.json' masks --to davis`"
    """
    places = " ".join(shlex.quote(os.fspath(place)) for place in (source, out))
    ids = "" if ids_from is None else f" --ids-from {shlex.quote(os.fspath(ids_from))}"
    return f"`s3fo convert {places} --to {form}{ids}`"
