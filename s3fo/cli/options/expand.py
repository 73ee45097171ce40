"""Groups of options: one parameter of a command, several options for its user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take dataclasses of options: Typer sees each field as an option.

    Args:
        command: a function for Typer. A parameter annotated with a dataclass, whose
            fields are annotated as parameters for Typer are, is a group.

    Returns:
        The function with the fields in the place of the group.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass
        ... class Size:
        ...     width: int = 3
        ...     height: int = 4
        >>> @with_groups
        ... def area(name: str, size: Size) -> None:
        ...     print(name, size.width * size.height)
        >>> area(name="door", width=2, height=5)
        door 10
    """
    kinds = get_type_hints(command, include_extras=True)
    kinds.pop("return", None)
    groups: dict[str, type[Any]] = {
        name: kind
        for name, kind in kinds.items()
        if isinstance(kind, type) and is_dataclass(kind)
    }
    parameters: list[Parameter] = []
    for name, own in signature(command).parameters.items():
        if name in groups:
            parameters += _parameters(groups[name])
        else:
            kind = Parameter.KEYWORD_ONLY
            parameters.append(own.replace(annotation=kinds[name], kind=kind))

    @wraps(command)
    def expanded(**given: Any) -> None:
        built = {
            name: group(
                **{field.name: given.pop(field.name) for field in fields(group)}
            )
            for name, group in groups.items()
        }
        command(**given, **built)

    expanded.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {one.name: one.annotation for one in parameters}
    return expanded


def _parameters(group: type[Any]) -> list[Parameter]:
    """Parameters for the fields of a group, in their order."""
    kinds = get_type_hints(group, include_extras=True)
    return [
        Parameter(
            field.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if field.default is MISSING else field.default,
            annotation=kinds[field.name],
        )
        for field in fields(group)
    ]
