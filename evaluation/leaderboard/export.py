"""Figures in the small files that model hubs read for evaluation results.

Hugging Face reads ``.eval_results/<name>.yaml`` of a model's repository: a list of
entries with the hub's data set, the task in it, the value and its source. Source:
Hugging Face Hub documentation, "Evaluation results"; huggingface_hub,
`parse_eval_result_entries`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation._utils.atomic import write_atomically
from evaluation.errors import InputError

if TYPE_CHECKING:
    from evaluation.leaderboard.table import Leaderboard

HUB_DATASETS = {
    "mose-v1": "FudanCVL/MOSE",
    "mose-v2": "FudanCVL/MOSEv2",
}
"""Benchmark -> its data set on the Hugging Face Hub, where its makers have one."""


def export_hub(
    board: Leaderboard, out: str | Path, *, dataset: str | None = None
) -> list[Path]:
    """Write one file per method of a ranking, ready for the method's repository.

    Args:
        board: the ranking; superseded rows and runs of another benchmark are left
            out.
        out: folder; the files are ``<method>/.eval_results/<benchmark>-<split>.yaml``.
        dataset: id of the benchmark's data set on the hub; None takes that of
            `HUB_DATASETS`.

    Returns:
        The files, best method first.

    Raises:
        InputError: no data set on the hub is known for the benchmark.
    """
    found = dataset or HUB_DATASETS.get(board.benchmark)
    if found is None or not re.fullmatch(r"[\w.-]+/[\w.-]+", found):
        raise InputError(
            board.benchmark,
            f"the data set {found!r}" if found else "no data set known on the hub",
            "the id of a data set, as OWNER/NAME",
            "Pass its id (dataset=, --hub-dataset).",
        )
    entries: dict[str, list[dict[str, Any]]] = {}
    for record in board.table.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        if not (row.get("superseded") or row.get("other_benchmark")):
            entries.setdefault(_folder(row), []).append(_entry(row, board, found))
    paths = []
    for folder, items in entries.items():
        name = f"{board.benchmark}-{board.split}.yaml"
        path = Path(out) / folder / ".eval_results" / name
        write_atomically(path, "".join(map(_block, items)).encode())
        paths.append(path)
    return paths


def _entry(row: dict[str, Any], board: Leaderboard, dataset: str) -> dict[str, Any]:
    date = _text(row.get("date"))
    url = _text(row.get("url"))
    source = {"url": url, "name": _text(row.get("source"))} if url else None
    said = [
        f"{board.measure} in percent",
        _text(row.get("evidence")),
        _text(row.get("training_data")) and f"training data: {row['training_data']}",
        _text(row.get("notes")),
    ]
    task = f"{board.split}_{re.sub(r'[^a-z0-9]+', '_', board.measure.lower())}"
    return {
        "dataset": {"id": dataset, "task_id": task.strip("_")},
        "value": float(row[board.measure]),
        **({"date": date} if date else {}),
        **({"source": source} if source else {}),
        "notes": "; ".join(filter(None, said)),
    }


def _block(entry: dict[str, object]) -> str:
    """One entry of a YAML list; strings quoted as in JSON, which YAML reads alike."""
    lines = []
    for key, value in entry.items():
        if isinstance(value, dict):
            lines.append(f"{key}:")
            lines += [f"  {k}: {json.dumps(v)}" for k, v in value.items()]
        else:
            lines.append(f"{key}: {json.dumps(value)}")
    return "- " + "\n  ".join(lines) + "\n"


def _folder(row: dict[str, object]) -> str:
    name = " ".join(filter(None, [_text(row["method"]), _text(row.get("variant"))]))
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "method"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
