"""Which object a label is, where its index and its text say different things."""

import fiftyone as fo

from s3fo.datasets.fields.objects import identify


def labels(*texts_and_indices):
    return [fo.Detection(label=text, index=k) for text, k in texts_and_indices]


def test_labels_that_are_numbered_anew_in_every_frame_are_told():
    """In the second frame one dog is away, and the other has its index."""
    frames = {
        "00000": labels(("dog 1", 1), ("dog 2", 2)),
        "00001": labels(("dog 2", 1)),
        "00002": labels(("dog 1", 1), ("dog 2", 2)),
    }
    found = identify("walk", frames)
    assert found.keys["00001"] == [1]  # the index counts, as ever
    (note,) = found.notes
    assert note.startswith(
        "walk: labels of index 1 are 'dog 1', 'dog 2', and 'dog 2' has the indices 1, "
        "2: are they numbered anew in every frame?"
    )


def test_classes_that_change_or_are_shared_are_not():
    classes = {
        "00000": labels(("dog", 1), ("dog", 2)),
        "00001": labels(("cat", 1), ("dog", 2)),
        "00002": labels(("cat", 1), ("cat", 2)),
    }
    renamed = {"00000": labels(("dog", 1), ("cat", 2)), "00001": labels(("wolf", 1))}
    for frames in (classes, renamed):
        assert identify("walk", frames).notes == []
