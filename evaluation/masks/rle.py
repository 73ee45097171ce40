"""Masks kept as run-length encodings in one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evaluation._utils.json_files import parse, read_json
from evaluation.errors import InputError
from evaluation.formats import FORMS, EncodedVideo, FormError, JsonForm
from evaluation.masks.sequence import MaskSequence, RleSequence

_EXPECTED = "masks as JSON of " + ", ".join(form.name for form in FORMS[:-1])
_EXPECTED += f", or {FORMS[-1].name}"
_FIX = "Convert or write the file again, or give a folder of PNG masks."


def read_mask_json(path: Path) -> dict[str, MaskSequence]:
    """Read all sequences of a JSON file.

    Args:
        path: a file of one of the `evaluation.formats`.

    Raises:
        InputError: the file is no JSON, or has none of these forms.
    """
    document = read_json(path, _FIX, _EXPECTED)
    if not isinstance(document, dict):
        raise InputError(path, "no JSON object at the top", _EXPECTED, _FIX)
    form = next(form for form in FORMS if form.recognises(document))
    videos = _read(form, document, path)
    read: dict[str, MaskSequence] = {}
    for name, video in videos.items():
        read[name] = RleSequence(name, video.frames, str(path))
        read[name].classes = video.classes
        read[name].size = video.size
    return read


def _read(
    form: JsonForm, document: Mapping[str, object], path: Path
) -> dict[str, EncodedVideo]:
    try:
        return form.read(document)
    except FormError as error:
        raise InputError(path, error.found, error.expected, _FIX) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        # Comparing it with its schema names the place where it differs.
        nested = form is FORMS[-1]
        parse({"sequences": document} if nested else document, form.schema, path, _FIX)
        raise InputError(
            path, f"JSON of another form ({error!r})", _EXPECTED, _FIX
        ) from error
