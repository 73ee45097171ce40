"""What a panel shows until somebody chooses: the method that is seen in the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from s3fo.datasets.reading import tables
from s3fo.plugin.context import Context


def evaluation_to_show(ctx: Context, known: Sequence[str], chosen: str | None) -> str:
    """The evaluation that a panel of one method shows.

    Args:
        ctx: of the event.
        known: those that the panel can show, oldest first; at least one.
        chosen: what somebody chose in the panel; None if nobody did.
    """
    fields = {key: tables.prediction_field(ctx.dataset, key) for key in known}
    return evaluation_shown(fields, ctx.active_fields or (), chosen)


def pair_to_show(
    ctx: Context, known: Sequence[str], chosen: Sequence[str | None]
) -> list[str]:
    """Two evaluations to hold against each other, the one that is seen second.

    Args:
        ctx: of the event.
        known: those that the panel can show, oldest first; at least one.
        chosen: what was chosen as first and second.

    Returns:
        What was chosen if both are known, else that which is seen in the grid behind
        the latest other one; one alone where only one is known.
    """
    pair = [key for key in chosen if key is not None and key in known]
    if len(pair) == 2:
        return pair
    second = evaluation_to_show(ctx, known, None)
    return [*[key for key in known if key != second][-1:], second]


def evaluation_shown(
    fields: Mapping[str, str], active: Iterable[str], chosen: str | None
) -> str:
    """The evaluation of the masks that are seen.

    Args:
        fields: evaluation -> name of the frame field that it scored; oldest first.
        active: paths that are shown.
        chosen: an evaluation that a person chose; None if nobody did.

    Returns:
        What was chosen, else the latest evaluation of masks that are shown, else the
        latest of all.
    """
    if chosen in fields:
        return str(chosen)
    names = {path.removeprefix("frames.").removesuffix("_mask") for path in active}
    shown = [key for key, field in fields.items() if field in names]
    return (shown or list(fields))[-1]
