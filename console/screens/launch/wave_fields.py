"""The lines of the launch dialog about waves: their sizes, the rules by which they go on, and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from retriage.console.runs.run_form import RunForm
from retriage.console.screens.dialogs.field import Field
from retriage.console.text.words import count, things
from retriage.console.widgets.line import Line, Span

LINES = 3
"""Lines that they take."""
MOST_SIZES = 8
"""So many sizes are written out."""


class WaveFields(Vertical):
    """Hidden until waves are wanted. What is typed is told by the fields themselves (``Input.Changed``)."""

    DEFAULT_CSS = """
    WaveFields { height: 3; display: none; }
    WaveFields > #rules { height: 1; }
    WaveFields #gate, WaveFields #watch { width: 20; }
    WaveFields #pace { width: 1fr; }
    """

    def __init__(self, gated: bool = True) -> None:
        super().__init__()
        self._gated = gated
        """Units may fail again: a gate means something."""
        self._filled: dict[str, str] = {}
        """What was put into each field last, by its id."""

    def compose(self) -> ComposeResult:
        """Sizes, rules, the sum."""
        yield Field("waves", id="waves", pattern=r"[\d,. %rest]*", most=200, hint="10, 100, 500, rest")
        with Horizontal(id="rules"):
            if self._gated:
                yield Field("gate", id="gate", pattern=r"[\d.%]*", most=6, width=8, replaces=True)
            yield Field("watch", id="watch", pattern=r"[\d.smh]*", most=6, width=8, replaces=True)
            yield Field("pace", id="pace", pattern=r"[\d./minsh]*", most=10, hint="200/min, or empty")
        yield Line(id="sizes")

    @property
    def waves(self) -> Field:
        """The field of the sizes."""
        return self.query_one("#waves", Field)

    def form(self, new_cause: bool) -> RunForm:
        """What is typed."""
        waves, watch, pace = (self.query_one(f"#{id}", Field).value for id in ("waves", "watch", "pace"))
        gate = self.query_one("#gate", Field).value if self._gated else RunForm().gate
        return RunForm(waves, gate, new_cause, watch, pace)

    def fill(self, form: RunForm) -> None:
        """Let this stand in the fields; what the operator has typed just now is left alone."""
        for id, text in (("waves", form.waves), ("gate", form.gate), ("watch", form.watch), ("pace", form.pace)):
            if id == "gate" and not self._gated:
                continue
            field = self.query_one(f"#{id}", Field)
            if field.value != text and (not field.active or field.value == self._filled.get(id, "")):
                field.value = text
            if field.value == text:
                self._filled[id] = text

    def tell(self, form: RunForm, sizes: Sequence[int], mistake: str, jobs: Sequence[int] = ()) -> None:
        """Show what it comes to, or what is wrong with it. ``jobs`` are the sizes of the waves of jobs beside these."""
        if mistake:
            self.query_one("#sizes", Line).show([(" " * 12 + mistake, "warning")])
            return
        rule = _rule(form) if self._gated else ()
        self.query_one("#sizes", Line).show([(" " * 12, ""), *_said(sizes), *_jobs_said(jobs), *rule])


def _said(sizes: Sequence[int]) -> list[Span]:
    return [(f"{things(len(sizes), 'wave')}: ", "muted"), (_sum(sizes), "strong")]


def _jobs_said(sizes: Sequence[int]) -> list[Span]:
    return [(f"; jobs, {things(len(sizes), 'wave')}: ", "muted"), (_sum(sizes), "strong")] if sizes else []


def _sum(sizes: Sequence[int]) -> str:
    return " + ".join(map(count, sizes[:MOST_SIZES])) + (" + …" if len(sizes) > MOST_SIZES else "")


def _rule(form: RunForm) -> list[Span]:
    if form.new_cause:
        return [("   holds on a new cause too", "warning"), ("  n", "accent"), (" not", "muted")]
    return [("   n", "accent"), (" hold on a new cause too", "muted")]
