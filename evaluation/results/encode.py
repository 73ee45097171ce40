"""Tables as the bytes of a Parquet or CSV file, straight from their columns.

pandas would do it in one call, but loading pandas takes three times as long as scoring
a short video, and twice the memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation._utils.escape import csv_text

if TYPE_CHECKING:
    import pyarrow

Columns = Mapping[str, Sequence[Any]]
"""Columns of equal length by name: texts (NaN for none), or numbers."""


def encode_csv(columns: Columns) -> bytes:
    """Encode a table as CSV with a header; NaN is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    values = (np.asarray(column, object).tolist() for column in columns.values())
    for row in zip(*values, strict=True):
        # Only NaN differs from itself.
        writer.writerow("" if value != value else _cell(value) for value in row)
    return text.getvalue().encode(errors="backslashreplace")


def _cell(value: object) -> object:
    return csv_text(value) if isinstance(value, str) else value


def encode_parquet(columns: Columns) -> bytes:
    """Encode a table as Parquet: texts, int64 and float64."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {name: _arrow_type(column) for name, column in columns.items()}
    rows = max((len(column) for column in columns.values()), default=0)
    texts = [name for name, form in types.items() if pa.types.is_large_string(form)]
    usual = pa.default_memory_pool()
    # Arrow's own pool holds on to tens of megabytes.
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, pa.schema(types), use_dictionary=texts) as writer:
            # In parts: there may be millions of rows.
            for start in range(0, rows or 1, ROW_GROUP):
                arrays = [
                    _arrow_array(columns[name][start : start + ROW_GROUP], form)
                    for name, form in types.items()
                ]
                writer.write_table(pa.Table.from_arrays(arrays, names=list(types)))
        encoded: bytes = sink.getvalue().to_pybytes()
        return encoded
    finally:
        pa.set_memory_pool(usual)


ROW_GROUP = 1 << 13
"""Rows that are encoded at once."""


def _arrow_type(column: Sequence[object]) -> pyarrow.DataType:
    import pyarrow as pa

    if any(isinstance(value, str) for value in column):
        return pa.large_string()
    return pa.int64() if np.asarray(column).dtype.kind in "iu" else pa.float64()


def _arrow_array(column: Sequence[object], form: pyarrow.DataType) -> pyarrow.Array:
    """One column, from buffers: `pyarrow.array` imports pandas to look at a list."""
    import pyarrow as pa

    if pa.types.is_large_string(form):
        return _text_array(column)
    kind = np.int64 if pa.types.is_int64(form) else np.float64
    values = np.ascontiguousarray(column, kind)
    return pa.Array.from_buffers(form, len(values), [None, pa.py_buffer(values)])


def _text_array(column: Sequence[object]) -> pyarrow.Array:
    import pyarrow as pa

    present = np.array([isinstance(value, str) for value in column])
    # Names of files in another encoding are shown by their bytes' numbers.
    texts = [
        value.encode(errors="backslashreplace") if isinstance(value, str) else b""
        for value in column
    ]
    ends = np.cumsum([0, *(len(text) for text in texts)], dtype=np.int64)
    valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)
