"""One video's masks, wherever they come from: files, folders, JSON or memory."""

from evaluation.masks.sequence.base import MaskSequence, ObjectMasks, natural
from evaluation.masks.sequence.files import FileSequence, ObjectFolderSequence
from evaluation.masks.sequence.memory import ArraySequence, is_one_array, remark_reused
from evaluation.masks.sequence.run_lengths import RleSequence

__all__ = [
    "ArraySequence",
    "FileSequence",
    "MaskSequence",
    "ObjectFolderSequence",
    "ObjectMasks",
    "RleSequence",
    "is_one_array",
    "natural",
    "remark_reused",
]
