"""What arguments may be that Python, the command line and the App have alike."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16", "float16"]
"""Number format of the network; ``"auto"``: what is best on the device."""

SavedFrames = Literal["all", "listed"]
"""Which frames get a mask: all, or those that the benchmark lists."""

MaskForm = Literal["instances", "reference"]
"""How masks are kept: inside each `Detection`, or as the path of the PNG."""

AnyMaskForm = Literal["auto", "instances", "reference"]
"""The same, or by the length of the videos."""

VideoForm = Literal["mp4", "none"]
"""What FiftyOne's player shows: an mp4 of each sequence, or none."""

OverlapRule = Literal["error", "smaller-on-top"]
"""What becomes of masks that overlap where a format has one object per pixel."""
