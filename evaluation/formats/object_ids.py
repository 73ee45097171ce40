"""Numbers of objects from texts, of which several may spell one number."""

from __future__ import annotations


class ObjectIds:
    """The object ids of one video; an id is written in one way throughout.

    JSON has keys and folders have names: ``1`` and ``01`` are two texts and one number,
    so that the masks of one would stand in for those of the other.

    >>> ids = ObjectIds()
    >>> ids.number("7"), ids.number(8), ids.number("7")
    (7, 8, 7)
    """

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}

    def number(self, key: object) -> int:
        """The number of an object id.

        Raises:
            ValueError: it is no integer, or the number was written otherwise before;
                says what was found.
        """
        number = _integer(key)
        if number is None:
            raise ValueError(f"the object id {key!r}")
        text = key if isinstance(key, str) else str(number)
        first = self._texts.setdefault(number, text)
        if first != text:
            raise ValueError(f"{first!r} and {text!r}, which both are object {number}")
        return number


def _integer(key: object) -> int | None:
    """A key as an integer; None where it is none, or has a fraction."""
    if isinstance(key, bool) or not isinstance(key, (str, int, float)):
        return None
    try:
        number = int(key)
    except (ValueError, OverflowError):
        return None
    return number if isinstance(key, str) or number == key else None
