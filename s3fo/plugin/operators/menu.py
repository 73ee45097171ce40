"""Operator: all operators and panels in one window, in the order of the work."""

from __future__ import annotations

from typing import ClassVar

import fiftyone.operators as foo
from fiftyone.operators import types

from s3fo.plugin.context import Context
from s3fo.plugin.shared.described import DescribedOperator
from s3fo.plugin.shared.outcome import PLUGIN, Step, add_button

_GROUPS = {
    "Data": ("load_benchmark", "relocate"),
    "Masks": ("run_method", "run_s3", "import_predictions"),
    "Scores": (
        *("evaluate_vos", "compute_attributes", "find_failures", "map_failures"),
        "correct_here",
    ),
    "Ground truth": ("audit_ground_truth",),
    "Results": ("make_report", "export_submission"),
    "All in one": ("benchmark_method",),
    "Remove": ("remove_predictions", "remove_evaluation"),
    "This window": ("show_worst_frames", "show_changes"),
}


class Menu(DescribedOperator):
    """All of it in one window: load, segment, import, score, look, report."""

    name = "menu"
    label = "VOS: video object segmentation"
    description = "Load, segment, import, score, look, report: all of s3fo"
    settings: ClassVar = {"icon": "/assets/icon.svg", "dynamic": True}

    def resolve_placement(self, ctx: Context) -> types.Placement:
        """A button above the grid."""
        button = types.Button(
            label="VOS: load, run, score, look, report",
            icon="/assets/icon.svg",
            prompt=True,
        )
        return types.Placement(types.Places.SAMPLES_GRID_SECONDARY_ACTIONS, button)

    def resolve_input(self, ctx: Context) -> types.Property:
        """A line of buttons for every group."""
        form = types.Object()
        for title, names in _GROUPS.items():
            form.view(title, types.Header(label=title, divider=True))
            for name in names:
                operator = foo.get_operator(f"{PLUGIN}/{name}")
                line = form.h_stack(f"{name}_line", gap=2, align_y="center")
                step = Step(operator.config.label, operator.uri, asks=True)
                add_button(line, name, step)
                line.md(operator.about, name=f"about_{name}")
        view = types.PromptView(label=self.label, submit_button_label="Done")
        return types.Property(form, view=view)

    def execute(self, ctx: Context) -> dict[str, str]:
        """What there is: in the App the buttons do it."""
        listed = (name for names in _GROUPS.values() for name in names)
        operators = (foo.get_operator(f"{PLUGIN}/{name}") for name in listed)
        return {item.uri: item.about for item in operators}
