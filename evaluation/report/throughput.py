"""What `s3fo speed` measured of each method, where it left a file."""

from __future__ import annotations

import pandas as pd

from evaluation.report.material import Material
from evaluation.report.tables import Table, number, text
from evaluation.runs.speed import SPEED_FILE, SpeedRecord


def throughput_table(material: Material) -> Table:
    """Frames per second, latency and memory by number of objects, size and length."""
    rows = []
    about: dict[str, None] = {}
    for method in material.methods:
        if not (method.run.folder / SPEED_FILE).is_file():
            continue
        record = SpeedRecord.load(method.run.folder)
        about[
            f"{record.timing} Warm-up: {record.warm_up} frames. Waiting for the "
            f"device: {record.synchronisation}. Memory: {record.memory}."
        ] = None
        for row in record.rows:
            rows.append(
                {
                    "method": method.name,
                    "objects": row.objects,
                    "size": f"{row.width}x{row.height}",
                    "length": row.length,
                    "fps": row.fps,
                    "p50": row.latency_p50_ms,
                    "p95": row.latency_p95_ms,
                    "memory": row.peak_memory_mb,
                    "device": record.device,
                }
            )
    return Table(
        "throughput",
        "Speed by number of objects, size and length",
        "Measured by `s3fo speed` on clips made for it. " + " ".join(about),
        pd.DataFrame(rows),
        [
            text("method", "Method"),
            number("objects", "Objects"),
            text("size", "Size"),
            number("length", "Frames"),
            number("fps", "Frames/s", 1),
            number("p50", "p50, ms", 1),
            number("p95", "p95, ms", 1),
            number("memory", "Peak, MB"),
            text("device", "Device"),
        ],
    )
