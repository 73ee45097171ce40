"""The compiled half of the kernels.

A *bit plane* is one object's mask with 64 pixels of a row in a word: pixel (y, x) is
bit ``x % 64`` of word ``x // 64 * height + y``. So a plane is stored in columns of
words, and loops run down the rows of a column, several rows an instruction. Bits
beyond the image are zero. Everything is counted in bits, so every number is exact.

A *box* is four integers: first row, last row, first column, last column, inclusive.
An empty one has last row -1. A plane is zero outside its box.

`planes` and `boxes` hold those of several objects one after the other.

This package is imported only to be compiled (see `evaluation.kernels.native`), once
on a machine: a process that finds the machine code in the cache never imports numba.
"""

from evaluation.kernels.compiled.dilation import match
from evaluation.kernels.compiled.labels import bound, find, scan
from evaluation.kernels.compiled.outlines import clear, measure
from evaluation.kernels.compiled.png_filters import unfilter

__all__ = ["bound", "clear", "find", "match", "measure", "scan", "unfilter"]
