"""Panel "Audit": where the ground truth looks wrong, and scores without that."""

from __future__ import annotations

import fiftyone as fo
import pandas as pd
from fiftyone.operators import types

from evaluation._utils.escape import markdown_text
from evaluation._utils.names import about_seconds, counted
from evaluation.errors import InputError
from s3fo.datasets.auditing.events import (
    AUDIT_TAGS,
    CONFIRMED,
    audit_clips,
    check_audited,
    review_audited,
)
from s3fo.datasets.field_names import AUDIT
from s3fo.datasets.reading import tables
from s3fo.datasets.reading.scope import limited_to
from s3fo.datasets.schema import remembered
from s3fo.datasets.views.images import has_videos
from s3fo.plugin.context import Context
from s3fo.plugin.operators.explain.audit_ground_truth import AuditGroundTruth
from s3fo.plugin.panels.base import Remedy
from s3fo.plugin.panels.charts import audit as charts
from s3fo.plugin.panels.charts.elements import plot, rows, table
from s3fo.plugin.panels.charts.filmstrips import lay_out_strip
from s3fo.plugin.panels.choices import LINE, choose, line_of_choices, set_choice
from s3fo.plugin.panels.opening import plan_audit_clips, plan_frame, show_frame
from s3fo.plugin.panels.stepping import ALL, CLIPS, EventPanel

_COLUMNS = {
    "place": "#",
    "sequence": "Video",
    "object": "Object",
    "kind": "Kind",
    "confidence": "Confidence",
    "n_frames": "Frames",
    "tag": "Review",
}
_SCORES = {
    "eval_key": "Evaluation",
    "score": "Score",
    "all": "All frames",
    "without": "Without confirmed",
    "difference": "Difference",
}


_PER_FRAME = 0.012
"""Seconds for masks and image of a frame of 854x480, on two cores."""


class GroundTruthAudit(EventPanel):
    """Where the ground truth looks wrong, and every score without the confirmed."""

    name = "vos_audit"
    label = "Audit of the ground truth"
    follows = True
    risk = "medium"
    needs_evaluation = False
    columns = _COLUMNS
    tags = AUDIT_TAGS
    help = (
        "Where the ground truth itself looks wrong, the surest first. **Click** a bar "
        "to see one kind only, a row for its pictures. **Confirmed**: the ground truth "
        "is wrong there; **Dismissed**: it is right. *Scores without the confirmed* "
        "gives every score twice; no score changes by itself."
    )

    def all_events(self, dataset: fo.Dataset, source: str) -> pd.DataFrame:
        """All events of the audit."""
        return tables.audit_table(dataset)

    def set_review(
        self, dataset: fo.Dataset, source: str, event: pd.Series, tag: str | None
    ) -> None:
        """Keep the review of an event; None takes it back."""
        review_audited(dataset, event, tag)

    def source(self, ctx: Context) -> str:
        """There is one audit of a dataset."""
        return AUDIT

    def refresh(self, ctx: Context) -> None:
        """Filter the events and draw the one that is looked at."""
        state, dataset = ctx.panel.state, ctx.dataset
        check_audited(dataset)
        events = charts.audit_events(dataset)
        state.n_events = len(events)
        chart = charts.summary_chart(dataset, events)
        ctx.panel.data.kinds = chart.traces
        state.kinds_layout, state.kinds_text = chart.layout, chart.text
        chosen = self.choose_events(ctx)
        self.show_page(ctx, chosen)
        if state.event:
            state.event_text = self._describe(ctx, chosen.iloc[state.at])
        if state.told:
            self._tell_scores(ctx)

    def remedy(self, ctx: Context) -> Remedy | None:
        """The audit, where there is none yet of a benchmark."""
        if not remembered(ctx.dataset) or ctx.dataset.has_sample_field(AUDIT):
            return None
        frames = ctx.dataset.count("frames")
        return Remedy(
            AuditGroundTruth.label,
            AuditGroundTruth.name,
            {},
            f"It reads masks and images of {counted(frames, 'frame')}: about "
            f"{about_seconds(3 + _PER_FRAME * frames)} on two processor cores, with "
            "its progress beside the window. The layout *Audit* then leads here.",
        )

    def choose_events(self, ctx: Context) -> pd.DataFrame:
        """Those of the kind and review that are chosen."""
        state = ctx.panel.state
        events = charts.audit_events(ctx.dataset)
        if (state.kind or ALL) != ALL:
            events = events[events["kind"] == state.kind]
        if (state.tag or ALL) != ALL:
            events = events[events["tag"] == ("" if state.tag == "none" else state.tag)]
        return events.reset_index(drop=True)

    def _describe(self, ctx: Context, event: pd.Series) -> str:
        state = ctx.panel.state
        other = event["other"]
        beside = "" if pd.isna(other) else f" (and object {int(other)})"
        span = f"frame {event['start']}"
        if event["n_frames"] > 1:
            span = f"frames {event['start']} to {event['end']}"
        return (
            f"{state.at + 1} of {state.count}: "
            f"**{markdown_text(event['sequence'])}, object {event['object']}: "
            f"{event['kind']}**{beside}, {span}, confidence "
            f"{event['confidence']:.2f}: {markdown_text(event['reason'])}"
        )

    def _tell_scores(self, ctx: Context) -> None:
        """Score again without the confirmed events; the dataset keeps its scores."""
        state = ctx.panel.state
        ctx.panel.data.scores = []
        with limited_to(None):
            said = charts.audit_events(ctx.dataset)["tag"]
            confirmed = int((said == CONFIRMED).sum())
            if not tables.vos_evaluations(ctx.dataset):
                state.scores_text = "There is no evaluation whose scores could be told."
                return
            if not confirmed:
                state.scores_text = "No event is confirmed: no score would change."
                return
            try:
                found = charts.told_again(ctx.dataset)
            except InputError as error:
                state.scores_text = str(error)
                return
        ctx.panel.data.scores = rows(found, _SCORES)
        state.scores_text = (
            f"Without the frames of {counted(confirmed, 'confirmed event')}, over all "
            "videos. The scores of the dataset stay as they are."
        )

    def layout(self, ctx: Context, panel: types.Object) -> None:
        """Choices, kinds, the event looked at, all events, scores."""
        state = ctx.panel.state
        if not state.n_events:
            panel.md(state.kinds_text, name="kinds_text")
            return
        self._lay_out_choices(ctx, line_of_choices(panel))
        panel.md(state.kinds_text, name="kinds_text")
        plot(panel, "kinds", state.kinds_layout, on_click=self.on_click_kind)
        if state.event:
            self._lay_out_event(ctx, panel)
        else:
            panel.md("No event is left: choose less narrowly.", name="nothing")
        panel.btn(
            "tell",
            "Scores without the confirmed",
            icon="calculate",
            variant="outlined",
            on_click=self.on_tell,
        )
        if state.told:
            panel.md(state.scores_text, name="scores_text")
            table(panel, "scores", _SCORES)

    def _lay_out_choices(self, ctx: Context, line: types.Object) -> None:
        state = ctx.panel.state
        kinds = sorted(set(tables.audit_table(ctx.dataset)["kind"]))
        for name, label, choices, chosen in (
            ("kind", "Kind", {ALL: "all kinds", **{k: k for k in kinds}}, state.kind),
            ("tag", "Reviewed", self.tag_choices, state.tag),
        ):
            choose(
                ctx, line, name, choices, chosen or ALL, label=label,
                on_change=self.on_narrow, line=LINE,
            )  # fmt: skip

    def _lay_out_event(self, ctx: Context, panel: types.Object) -> None:
        state, seen = ctx.panel.state, self.seen(ctx)
        steps = self.add_steps(ctx, panel)
        steps.btn("open", "Clip", icon="play_arrow", on_click=self.on_open, params=seen)
        steps.btn("clips", "All clips", icon="video_library", on_click=self.on_clips)
        self.add_all_videos(steps)
        self.add_review_buttons(ctx, panel, state.reviewed, seen)
        panel.md(state.event_text, name="event_text")
        event = self.find_event(ctx, AUDIT, state.event)
        try:
            strip = charts.filmstrip(ctx.dataset, event)
        except InputError as error:
            panel.md(str(error), name="no_strip")
        else:
            lay_out_strip(panel, strip)
        table(panel, "events", _COLUMNS, on_click_row=self.on_click_event)

    def on_narrow(self, ctx: Context) -> None:
        """Something was chosen: begin at its surest event."""
        self.on_choose(ctx)
        ctx.panel.state.at = 0

    def on_click_kind(self, ctx: Context) -> None:
        """Only the kind that was clicked."""
        set_choice(ctx, "kind", ctx.params["id"])
        ctx.panel.state.at = 0

    def on_open(self, ctx: Context) -> None:
        """Open the video where the event begins, with the ground truth alone."""
        event = self.clicked_event(ctx)
        plan = plan_frame(
            ctx.dataset,
            event["sample_id"],
            int(event["start"]),
            [],
            active=ctx.active_fields,
            truth=True,
        )
        show_frame(ctx, plan)

    def on_clips(self, ctx: Context) -> None:
        """Show the clips of the chosen events; the player steps through them."""
        if not has_videos(ctx.dataset):
            ctx.ops.notify(
                "There is no mp4 to play: load the benchmark again, with video",
                variant="warning",
            )
            return
        chosen = self.choose_events(ctx).head(CLIPS)
        ctx.ops.set_view(audit_clips(ctx.dataset, list(chosen["id"])))
        ctx.ops.set_active_fields(list(plan_audit_clips(ctx.dataset)))
        ctx.ops.notify(
            f"{counted(len(chosen), 'clip')}, the surest first. Open one; the arrow "
            "keys then go to the next one. 'All videos' leads back."
        )

    def on_tell(self, ctx: Context) -> None:
        """Tell the scores without the confirmed events, now and after every review."""
        ctx.panel.state.told = True
