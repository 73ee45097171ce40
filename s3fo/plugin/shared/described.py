"""What FiftyOne is told about an operator or a panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

_FIRST = "VOS: "
"""How every description begins: FiftyOne lists operators by its first letter, those of
equal ones in the order in which they were registered, which is that of the work."""


class DescribedOperator(foo.Operator):
    """An operator that describes itself by attributes of its class.

    Attributes:
        name: by which it is called, and its icon in the plugin's assets.
        label: name for people.
        description: what it does, in a line.
        settings: further arguments of FiftyOne's `OperatorConfig`.
        risk: what an agent that calls it may spoil: ``"low"`` (nothing), ``"medium"``
            (it adds or replaces what it made itself), ``"high"`` (it writes files
            where one says, or runs programs).
        takes_views: whether it works on a view or selected videos, where FiftyOne asks.
    """

    name: str
    label: str
    description: str | None = None
    settings: ClassVar[Mapping[str, bool | str | None]] = {}
    risk: ClassVar[str] = "low"
    takes_views: ClassVar[bool] = False

    @property
    def about(self) -> str:
        """What it does, in a line."""
        return self.description or (self.__doc__ or "").splitlines()[0]

    @property
    def config(self) -> foo.OperatorConfig:
        """FiftyOne's description of the operator."""
        own = {"icon": f"/assets/{self.name}.svg", **self.settings}
        return foo.OperatorConfig(
            name=self.name,
            label=self.label,
            description=f"{_FIRST}{self.about}",
            risk_level=self.risk,
            view_target=self.takes_views,
            **own,
        )


class DescribedPanelConfig(foo.PanelConfig):
    """FiftyOne's description of a panel, with what agents read of operators, too.

    Args:
        description: what it shows, in a line.
        risk: what an agent that uses it may spoil; see `DescribedOperator`.
        **settings: further arguments of FiftyOne's `PanelConfig`.
    """

    def __init__(self, *, description: str, risk: str, **settings: object) -> None:
        super().__init__(**settings)
        self.description = description
        self._declared_risk = types.RiskLevel(risk)

    @property
    def risk_level(self) -> types.RiskLevel:
        """What FiftyOne's own panels leave at ``DANGEROUS``."""
        return self._declared_risk
