"""What FiftyOne is told about an operator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import fiftyone.operators as foo


class DescribedOperator(foo.Operator):
    """An operator that describes itself by attributes of its class.

    Attributes:
        name: by which it is called, and its icon in the plugin's assets.
        label: name for people.
        description: what it does, in a line.
        settings: further arguments of FiftyOne's `OperatorConfig`.
    """

    name: str
    label: str
    description: str | None = None
    settings: ClassVar[Mapping[str, bool | str | None]] = {}

    @property
    def config(self) -> foo.OperatorConfig:
        """FiftyOne's description of the operator."""
        own = {"icon": f"/assets/{self.name}.svg", **self.settings}
        return foo.OperatorConfig(
            name=self.name, label=self.label, description=self.description, **own
        )
