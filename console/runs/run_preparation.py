"""Waves for a launch that is being prepared: what is typed about them, what they come to, and the run that is decided.

No widget. It stands beside a :class:`~retriage.console.launch.preparation.LaunchPreparation`, which knows the tasks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retriage.console.operations.retry import SetRetries
from retriage.console.reading.pages import PAGE
from retriage.console.reading.selection import Marked
from retriage.console.runs.decided_run import DecidedRun
from retriage.console.runs.earlier_runs import earlier_runs, record_of
from retriage.console.runs.operation_preparation import NO_JOURNAL
from retriage.console.runs.rules_text import RuleMistake
from retriage.console.runs.run_form import RunForm
from retriage.console.runs.waves import REST, WaveMistake, proposed
from retriage.console.text.words import count, things

if TYPE_CHECKING:
    from retriage.console.launch.preparation import LaunchPreparation
    from retriage.console.runs.earlier_runs import EarlierRun
    from retriage.console.runs.operation_preparation import OperationPreparation
    from retriage.console.runs.run import RunOrder

JOBS_WITHOUT_JOURNAL = "Jobs are retried only with a journal: mark groups of tasks alone to retry those."


class RunPreparation:
    """Waves, while the launch is looked at.

    Args:
        preparation: the launch.
        jobs: failed jobs that are retried together with the tasks; ``None`` where only tasks are.

    Attributes:
        on: its waves are small ones, not one batch or one wave of all.
        form: what is typed; it holds for tasks and jobs.
    """

    def __init__(self, preparation: LaunchPreparation, jobs: OperationPreparation | None = None) -> None:
        self.preparation = preparation
        self.jobs = jobs
        self.on = False
        self.form = RunForm()
        self.earlier: tuple[EarlierRun, ...] = ()
        """The last runs over the causes of these tasks, the newest first."""
        self._own = False

    def turn(self) -> None:
        """In waves, or at once."""
        self.on = not self.on
        self._own = self._own and (self.on or self.jobs is None)

    @property
    def is_run(self) -> bool:
        """It is written down as a run: jobs are retried by nothing else."""
        return self.on or self.jobs is not None

    @property
    def two_parts(self) -> bool:
        """Tasks and jobs are retried."""
        return self.jobs is not None and self.jobs.number > 0

    @property
    def units(self) -> str:
        """What both parts take: 3 tasks and 2 jobs."""
        tasks = self.preparation.plan.count if self.preparation.plan is not None else 0
        jobs = f" and {things(self.jobs.number, 'job')}" if self.jobs is not None and self.two_parts else ""
        return f"{things(tasks, 'task')}{jobs}"

    @property
    def number(self) -> int:
        """Units of both parts."""
        tasks = self.preparation.plan.count if self.preparation.plan is not None else 0
        return tasks + (self.jobs.number if self.jobs is not None else 0)

    def type(self, form: RunForm) -> None:
        """The operator has typed something. Sizes that are his own are kept when the number of tasks changes."""
        self._own = self._own or form.waves != self.form.waves
        self.form = form

    @property
    def proposal(self) -> str:
        """Sizes that fit the number of tasks; of a run without waves one of all."""
        if self.jobs is not None and not self.on:
            return REST
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
        """What stands in the fields: a proposal, until the operator has typed sizes of his own. The jobs get the same,
        and as many retries."""
        if not self._own:
            self.form = replace(self.form, waves=self.proposal)
        if self.jobs is not None:
            self.jobs.form = replace(self.form, retries=str(self.preparation.retries or 0))
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
        wrong = self.jobs.mistake if self.jobs is not None and self.two_parts else ""
        return f"Jobs: {wrong}" if wrong else ""

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
            typed: the number of tasks, and of jobs with them, as the operator typed it, where that is asked for.
        """
        session, jobs = self.preparation.session, self.jobs
        if session.memory.journal is None:
            no_journal = NO_JOURNAL if jobs is None else JOBS_WITHOUT_JOURNAL
            return "The journal is not open yet." if session.memory.opens else no_journal
        if jobs is None:
            return self.mistake or self.preparation.why_not(reason, typed)
        if jobs.frozen is None:
            return jobs.problem or "The jobs are still to be read."
        plan, safety = self.preparation.plan, session.connection.safety
        problem = self.mistake or self.preparation.why_not(reason, str(plan.count) if plan is not None else "")
        if not problem and self.two_parts:
            problem = jobs.why_not(reason, str(jobs.number))
        if not problem and safety.guarded and "".join(filter(str.isdigit, typed)) != str(self.number):
            together = "tasks and jobs together" if self.two_parts else "tasks"
            return f"Type the number of {together}, {count(self.number)}, to launch on {safety.environment}."
        return problem

    def confirm(self, reason: str, typed: str) -> DecidedRun | None:
        """The operator confirms what is shown: the run that is to begin; nothing if it cannot."""
        plan = self.preparation.plan
        self.preparation.insisted = True
        if plan is None or self.why_not(reason, typed):
            return None
        ids = frozenset(plan.ids) if plan.selected_tasks is not None else None
        tasks = DecidedRun(self.order(reason), plan.selection, plan.included, plan.count, ids)
        if self.jobs is None or not self.two_parts:
            return tasks
        jobs = self.jobs.confirm(reason, str(self.jobs.number))
        return None if jobs is None else replace(_part(1, tasks), other=_part(2, jobs))


def _part(part: int, run: DecidedRun) -> DecidedRun:
    order = run.order
    title = f"part {part} of 2, {order.operation.unit}s: {order.title}"
    return replace(run, order=replace(order, part=part, title=title))
