"""Quality per second of s3fo's own network, by setting, as it was measured.

The figures are in ``published/settings.csv``, made by ``benchmarks/frontier.py``: one
row per device, frame size, number format and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

import pandas as pd

REFERENCE: Mapping[str, str | int] = MappingProxyType(
    {"size": 384, "precision": "bfloat16", "memory": "every 5 frames"}
)
"""The setting whose cost is 1."""

DEVICES = ("cpu", "cuda", "mps")
"""Kinds of devices that the network runs on."""

_ROUNDING = 1e-9
ENGINE = ("mem_every", "max_mem_frames", "use_long_term", "top_k")
"""Settings of the engine that a row tells."""


NOISE = 0.005
"""Differences of J&F up to this are none, on the videos that are measured on."""


def frontier(table: pd.DataFrame, margin: float = 0.0) -> pd.Series:
    """Whether each setting is on the frontier: none costs less and reaches as much.

    >>> table = pd.DataFrame({"cost": [1.0, 2.0, 3.0], "J&F": [0.7, 0.6, 0.8]})
    >>> frontier(table).tolist()
    [True, False, True]

    Args:
        table: one row per setting, with ``cost`` and ``J&F``.
        margin: by how much more a dearer setting must reach.
    """
    costs, reached = table["cost"], table["J&F"]
    beaten = [
        bool(
            ((costs < cost) & (reached >= quality - margin)).any()
            or ((costs <= cost) & (reached > quality)).any()
        )
        for cost, quality in zip(costs, reached, strict=True)
    ]
    return ~pd.Series(beaten, index=table.index, dtype=bool)


AIMS: Mapping[str, float] = MappingProxyType(
    {"best": 0.0, "balanced": 0.02, "fast": 0.05}
)
"""What somebody may want, and by how much J&F may lie below the highest for it."""


@dataclass(frozen=True)
class Recommendation:
    """The cheapest setting that reaches what is wanted.

    Attributes:
        aim: a key of `AIMS`.
        size: short side in pixels at which the network works.
        precision: its number format.
        memory: what it remembers, in words.
        arguments: of `s3fo predict`.
        cost: seconds per frame over those of `REFERENCE`.
        seconds: per frame, where it was measured.
        quality: J&F there, a fraction.
    """

    aim: str
    size: int
    precision: str
    memory: str
    arguments: str
    cost: float
    seconds: float
    quality: float


def measured_settings(
    model: str | None = None, device: str | None = None
) -> pd.DataFrame:
    """The measured settings, one per row.

    ``seconds`` per frame (of the CPU, or of a clock on another device), ``cost`` over
    that of `REFERENCE`, ``J&F`` over ``objects`` in ``frames``, and ``frontier``: among
    the settings with the usual memory, none costs less and reaches as much to within
    `NOISE`. Memory settings are not compared that way: on so few videos, single events
    decide between them, and longer videos decide otherwise.

    >>> table = measured_settings("s3-small", "cpu")
    >>> int(table.loc[table["cost"] == 1, "size"].iloc[0])
    384

    Args:
        model: name of a network; None for all.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``, ...; None for all. A device that
            was not measured has no rows.
    """
    source = resources.files(__package__) / "published" / "settings.csv"
    with source.open(encoding="utf-8") as file:
        table = pd.read_csv(file, keep_default_na=False)
    if model is not None:
        table = table[table["model"] == model]
    if device is not None:
        table = table[table["device"] == kind_of(device)]
    return mark_frontier(table)


def mark_frontier(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the column ``frontier``, see `measured_settings`.

    >>> row = {"model": "net", "device": "cpu", "memory": "every 5 frames"}
    >>> table = pd.DataFrame([row | {"cost": 1.0, "J&F": 0.7}])
    >>> mark_frontier(table)["frontier"].tolist()
    [True]
    """
    marked = pd.Series(False, index=table.index)
    usual = table[table["memory"] == REFERENCE["memory"]]
    for _, rows in usual.groupby(["model", "device"]):
        marked[rows.index] = frontier(rows, NOISE)
    return table.assign(frontier=marked).reset_index(drop=True)


def find_setting(
    model: str, device: str, settings: Mapping[str, object]
) -> pd.Series | None:
    """The measured row of a run, by what its record says; None where there is none.

    Args:
        model: name of the network.
        device: what it ran on.
        settings: ``size``, ``precision`` and ``engine`` (a mapping) of the run.
    """
    table = measured_settings(model, device)
    engine = settings.get("engine")
    if not isinstance(engine, Mapping):
        return None
    wanted = {
        "size": settings.get("size"),
        "precision": settings.get("precision"),
        **{key: engine.get(key) for key in ENGINE},
    }
    for key, value in wanted.items():
        table = table[table[key] == value]
    return None if table.empty else table.iloc[0]


def kind_of(device: str) -> str:
    """What kind a device is: ``"cuda"`` for ``"cuda:1 (NVIDIA H100)"``.

    >>> kind_of("cuda:1 (NVIDIA H100)"), kind_of("cpu")
    ('cuda', 'cpu')
    """
    return device.split(" ")[0].split(":")[0]


def recommend(device: str, model: str = "s3-small") -> tuple[Recommendation, ...]:
    """The cheapest setting for each of `AIMS`; none where nothing was measured.

    >>> [found.aim for found in recommend("cpu")]
    ['best', 'balanced', 'fast']

    Args:
        device: as for `measured_settings`.
        model: name of the network.
    """
    table = measured_settings(model, device)
    table = table[table["frontier"]]
    if table.empty:
        return ()
    highest = table["J&F"].max()
    found = []
    for aim, below in AIMS.items():
        enough = table[table["J&F"] >= highest - below - _ROUNDING]
        found.append(_recommendation(aim, enough.loc[enough["cost"].idxmin()]))
    return tuple(found)


def _recommendation(aim: str, row: pd.Series) -> Recommendation:
    return Recommendation(
        aim,
        int(row["size"]),
        str(row["precision"]),
        str(row["memory"]),
        " ".join(_arguments(row)),
        float(row["cost"]),
        float(row["seconds"]),
        float(row["J&F"]),
    )


def _arguments(row: pd.Series) -> list[str]:
    """What `s3fo predict` is given for a setting."""
    given = [f"--size {row['size']}", f"--precision {row['precision']}"]
    for option in str(row["options"]).split():
        preset = option.removeprefix("memory=")
        given.append(f"--set {option}" if preset == option else f"--preset {preset}")
    return given
