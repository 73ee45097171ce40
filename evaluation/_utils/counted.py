"""Numbers of things, in words."""

from __future__ import annotations


def counted(n: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "video"), counted(2, "video")
    ('1 video', '2 videos')

    Args:
        n: how many.
        noun: in the singular; its plural takes an s.
    """
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
