"""Waves for a launch that is being prepared: what is typed about them, what they come to, and the run that is decided.

No widget. It stands beside a :class:`~console.launch.preparation.LaunchPreparation`, which knows the tasks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from console.operations.retry import SetRetries
from console.reading.pages import PAGE
from console.reading.selection import Marked
from console.runs.decided_run import DecidedRun
from console.runs.earlier_runs import earlier_runs, record_of
from console.runs.rules_text import RuleMistake
from console.runs.run_form import RunForm
from console.runs.waves import WaveMistake, proposed

if TYPE_CHECKING:
    from console.launch.preparation import LaunchPreparation
    from console.runs.earlier_runs import EarlierRun
    from console.runs.run import RunOrder

NO_JOURNAL = "Waves need a journal, where each of them is written down before it is sent."


class RunPreparation:
    """Waves, while the launch is looked at.

    Args:
        preparation: the launch.

    Attributes:
        on: it will be a run in waves, not one batch.
        form: what is typed.
    """

    def __init__(self, preparation: LaunchPreparation) -> None:
        self.preparation = preparation
        self.on = False
        self.form = RunForm()
        self.earlier: tuple[EarlierRun, ...] = ()
        """The last runs over the causes of these tasks, the newest first."""
        self._own = False

    def turn(self) -> None:
        """In waves, or at once."""
        self.on = not self.on

    def type(self, form: RunForm) -> None:
        """The operator has typed something. Sizes that are his own are kept when the number of tasks changes."""
        self._own = self._own or form.waves != self.form.waves
        self.form = form

    @property
    def proposal(self) -> str:
        """Sizes that fit the number of tasks."""
        plan = self.preparation.plan
        return str(proposed(plan.count, record_of(self.earlier))) if plan is not None else ""

    async def remember(self) -> None:
        """Look into the journal how the last runs over the causes of these tasks ended.

        Raises:
            EngineProblem: the engine did not answer.
        """
        preparation = self.preparation
        selection = preparation.selection
        if preparation.plan is not None and (ids := preparation.plan.ids):
            # Those that are taken, without what the console itself has filtered out.
            selection = Marked(frozenset(ids[:: -(-len(ids) // PAGE)]))
        self.earlier = await earlier_runs(preparation.session, selection)

    def fit(self) -> RunForm:
        """What stands in the fields: a proposal, until the operator has typed sizes of his own."""
        if not self._own:
            self.form = replace(self.form, waves=self.proposal)
        return self.form

    def order(self, reason: str = "") -> RunOrder:
        """What is ordered.

        Raises:
            WaveMistake: the sizes are no list of waves.
            RuleMistake: another field cannot be read.
        """
        plan, preparation = self.preparation.plan, self.preparation
        title = plan.describe() if plan is not None else preparation.selection.describe()
        return self.form.order(title, SetRetries(preparation.retries or 0), reason)

    @property
    def mistake(self) -> str:
        """What is wrong with what is typed, in one sentence; empty if nothing is."""
        plan = self.preparation.plan
        try:
            order = self.order()
            if plan is not None and plan.count:
                order.sizes(plan.count)
        except (WaveMistake, RuleMistake) as mistake:
            return mistake.sentence
        return ""

    @property
    def sizes(self) -> list[int]:
        """Tasks of each wave; empty while that cannot be told."""
        plan = self.preparation.plan
        if plan is None or not plan.count or self.mistake:
            return []
        return self.order().sizes(plan.count)

    def why_not(self, reason: str, typed: str) -> str:
        """One sentence if it cannot begin now; empty if it can.

        Args:
            reason: why it is launched.
            typed: the number of tasks as the operator typed it, where that is asked for.
        """
        session = self.preparation.session
        if session.memory.journal is None:
            return "The journal is not open yet." if session.memory.opens else NO_JOURNAL
        return self.mistake or self.preparation.why_not(reason, typed)

    def confirm(self, reason: str, typed: str) -> DecidedRun | None:
        """The operator confirms what is shown: the run that is to begin; nothing if it cannot."""
        plan = self.preparation.plan
        self.preparation.insisted = True
        if plan is None or self.why_not(reason, typed):
            return None
        ids = frozenset(plan.ids) if plan.selected_tasks is not None else None
        return DecidedRun(self.order(reason), plan.selection, plan.included, plan.count, ids)
