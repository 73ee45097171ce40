"""Forms of masks in one JSON file, one module per form.

A new form is a new entry of `FORMS`; `evaluation.masks` reads them all without knowing
any by name.
"""

from evaluation.formats.burst import BURST
from evaluation.formats.coco import COCO
from evaluation.formats.form import EncodedVideo, FormError, JsonForm, ListedVideo
from evaluation.formats.nested import NESTED
from evaluation.formats.result_list import read_result_list
from evaluation.formats.sa_co import SA_CO
from evaluation.formats.sa_v import SA_V
from evaluation.formats.youtube_vis import YOUTUBE_VIS

__all__ = [
    "FORMS",
    "EncodedVideo",
    "FormError",
    "JsonForm",
    "ListedVideo",
    "read_result_list",
]

FORMS: tuple[JsonForm, ...] = (BURST, SA_V, COCO, SA_CO, YOUTUBE_VIS, NESTED)
"""In the order in which they are tried; the last takes every object."""
