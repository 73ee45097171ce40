"""Folders of masks -> sequences, whatever lies around them."""

from evaluation.masks.folders.listing import describe, subfolders
from evaluation.masks.folders.opening import (
    find_holder,
    folders_of,
    open_ground_truth_folder,
    open_results_folder,
    remark_alike,
    remark_name,
)
from evaluation.masks.folders.sequences import open_sequence

__all__ = [
    "describe",
    "find_holder",
    "folders_of",
    "open_ground_truth_folder",
    "open_results_folder",
    "open_sequence",
    "remark_alike",
    "remark_name",
    "subfolders",
]
