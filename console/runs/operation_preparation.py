"""A run of an operation while it is looked at: its units read and frozen, how it is cut into waves, what speaks against
it. No widget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.overlapping_batches import OverlappingBatch, overlapping_batches
from retriage.console.operations.operation import FreezeRules
from retriage.console.operations.preview import PreviewClass
from retriage.console.operations.variable_values import VariableMistake
from retriage.console.reading.selection import Instances, Marked
from retriage.console.runs.decided_run import DecidedRun
from retriage.console.runs.rules_text import RuleMistake
from retriage.console.runs.run_form import RunForm
from retriage.console.runs.waves import WaveMistake
from retriage.console.text.words import count, short, things

if TYPE_CHECKING:
    from retriage.console.operations.operation import FrozenUnits, Operation
    from retriage.console.reading.selection import Selection
    from retriage.console.runs.run import RunOrder
    from retriage.console.session.session import Session

Freeze = Callable[["Selection | Instances", "Operation", FreezeRules], Awaitable["FrozenUnits"]]
RUNNING = {"instance": "running instance", "task": "external task", "job": "failed job"}
"""Units as they are called where all of them are meant."""
ALL_AT_ONCE = "rest"
"""Waves of a run that is sent at once."""
TEN_FIRST = "10, rest"
"""Waves that show on a few units whether it helps."""
NO_JOURNAL = "Waves need a journal, where each of them is written down before it is sent."


class OperationPreparation:
    """One run from the moment it is asked for until it is decided.

    Args:
        session: whose engine is asked.
        operation: what is to be done.
        selection: to which units.

    Attributes:
        operation: what is to be done, once the units were read with all that these have told.
        frozen: the units; none before they were read.
        overlapping: other batches of the same kind at work.
        looking_around: those are still being looked for.
        denied: why the engine will refuse it, in one sentence; empty where nothing is known against it.
        progress: what is being done while nothing can be shown yet.
        problem: why they could not be read, in one sentence; empty if they could.
        unknown_name: that is so because no instance has a variable of the name that was typed.
        form: what is typed about waves.
        every_unit_meant: the operator confirmed that every unit of the engine is meant.
        insisted: it was confirmed although something is missing; the dialog shows what.
        listeners: called after each change.
    """

    def __init__(self, session: Session, operation: Operation, selection: Selection | Instances) -> None:
        self.session = session
        self.operation = operation
        self.selection = selection
        self.listeners: list[Callable[[], object]] = []
        self.form = RunForm(TEN_FIRST if operation.gated else ALL_AT_ONCE)
        self.insisted = self.every_unit_meant = False
        self._forget()

    def _forget(self) -> None:
        self.frozen: FrozenUnits | None = None
        self.overlapping: Sequence[OverlappingBatch] = ()
        self.looking_around = True
        self.denied = self.problem = ""
        self.unknown_name = False
        self.progress = f"reading the {self.operation.unit}s …"
        self.every_unit_meant = False

    def _changed(self) -> None:
        for listener in tuple(self.listeners):
            listener()

    async def ask(self, freeze: Freeze) -> None:
        """Read the units, then what speaks against it; listeners are called after each answer.

        Args:
            freeze: reads them, as :meth:`retriage.console.runs.service.RunService.freeze` does.
        """
        self._forget()
        self._changed()
        try:
            self.frozen = await freeze(self.selection, self.operation, FreezeRules(progress=self._tell_progress))
        except EngineProblem as problem:
            self.problem = problem.sentence
            self._changed()
            return
        except VariableMistake as mistake:
            self.problem = mistake.alone
            self.unknown_name = mistake.unknown_name
            self.problem += " w, if a new one is meant." if self.unknown_name else ""
            self._changed()
            return
        self.operation = self.frozen.operation or self.operation
        self._changed()
        with suppress(EngineProblem):
            await self._look_around()
        self.looking_around = False
        self._changed()

    def wait_for(self, what: str) -> None:
        """Something has to be typed before the units are read.

        Args:
            what: what, in a sentence.
        """
        self._forget()
        self.progress = what
        self._changed()

    def _tell_progress(self, number: int) -> None:
        self.progress = f"reading the {self.operation.unit}s … {count(number)}"
        self._changed()

    async def _look_around(self) -> None:
        assert self.frozen is not None, "they were read"
        journal, ids = self.session.memory.journal, [task.task_id for task in self.frozen.tasks]
        type = self.operation.batch_type
        self.overlapping = await self.session.connection.ask(
            lambda client: overlapping_batches(client, journal, ids, type=type)
        )
        if self.session.connection.rights.lacks(*self.operation.rights):
            self.denied = f"This user has no right to {self.operation.rights[-1].said}: the engine would refuse it."
        elif self.frozen.also["local"]:
            self.denied = self.session.connection.rights.why_no_variables()

    # -- what comes of it -------------------------------------------------------------------------------------------

    @property
    def takes_all(self) -> bool:
        """Every unit of the engine was chosen."""
        chosen = self.selection
        if isinstance(chosen, Instances):
            return chosen.every_instance
        return chosen.every_job if isinstance(chosen, Marked) else chosen.every_task

    @property
    def number(self) -> int:
        """Units that are taken."""
        return len(self.frozen.tasks) if self.frozen is not None else 0

    @property
    def preview(self) -> list[PreviewClass]:
        """What becomes of the units that were read."""
        if self.frozen is None:
            return []
        operation = self.operation
        taken = PreviewClass(self.number, operation.taken, operation.effect_said, "good")
        left = [
            PreviewClass(number, operation.left_out_said(why), "left out")
            for why, number in self.frozen.left_out.items()
        ]
        also = [PreviewClass(self.frozen.also[one], *said, "warning") for one, said in operation.also.items()]
        return [one for one in (taken, *also, *left) if one.count]

    def order_because(self, reason: str) -> RunOrder:
        """What is ordered, with what is typed.

        Args:
            reason: why; may be empty.

        Raises:
            WaveMistake: the sizes are no list of waves.
            RuleMistake: another field cannot be read.
        """
        return self.form.order(self.selection.describe(), self.operation, reason)

    @property
    def mistake(self) -> str:
        """What is wrong with what is typed, in one sentence; empty if nothing is."""
        try:
            order = self.order_because("")
            if self.number:
                order.sizes(self.number)
        except (WaveMistake, RuleMistake) as mistake:
            return mistake.sentence
        return ""

    @property
    def sizes(self) -> list[int]:
        """Units of each wave; empty while that is not known."""
        return self.order_because("").sizes(self.number) if self.number and not self.mistake else []

    @property
    def to_be_read(self) -> tuple[object, ...] | None:
        """All that has to be read before it may be confirmed; none while it is not known."""
        if self.frozen is None or self.looking_around:
            return None
        others = tuple((batch.batch_id, batch.covers) for batch in self.overlapping)
        beside = tuple(tuple(sorted(which.items())) for which in (self.frozen.left_out, self.frozen.also))
        return self.number, beside, others, tuple(self.sizes)

    def why_not(self, reason: str, typed: str) -> str:
        """One sentence if it cannot begin now; empty if it can.

        Args:
            reason: why it is done.
            typed: the number of units as the operator typed it, where that is asked for.
        """
        session, operation = self.session, self.operation
        if session.memory.journal is None:
            return "The journal is not open yet." if session.memory.opens else NO_JOURNAL
        if busy := session.connection.why_no_launch() or self.denied:
            return busy
        if self.frozen is None:
            return self.problem or f"The {operation.unit}s are still to be read."
        if not self.number:
            return f"There is nothing to {operation.word}."
        if self.takes_all and not self.every_unit_meant:
            return f"Press E if every {RUNNING.get(operation.unit, operation.unit)} of the engine is meant."
        if self.looking_around:
            return "Other batches at work are still being looked for."
        if self.mistake:
            return self.mistake
        if why := session.connection.why_no_orders():
            return why
        environment, guarded = session.connection.identity.environment, session.connection.safety.guarded
        if guarded and not reason.strip():
            return f"Type a reason: it is required on {environment}."
        if self.counted and "".join(sign for sign in typed if sign.isdigit()) != str(self.number):
            on = f" on {environment}" if guarded else ""
            return f"Type the number of {operation.unit}s, {count(self.number)}, to go on{on}."
        return ""

    @property
    def counted(self) -> bool:
        """It begins only with the number of its units typed."""
        return self.session.connection.safety.guarded or bool(self.operation.no_way_back)

    def confirm(self, reason: str, typed: str) -> DecidedRun | None:
        """The operator confirms what is shown: the run that is to begin; nothing if it cannot."""
        self.insisted = True
        if self.frozen is None or self.why_not(reason, typed):
            return None
        return DecidedRun(self.order_because(reason), self.selection, frozenset(), self.number, frozen=self.frozen)

    def others_said(self) -> list[str]:
        """Who else is at it, in a sentence each."""
        return [
            f"{one.user or 'Somebody'} has batch {short(one.batch_id)} at work, {things(one.left, 'job')} left, "
            + (f"on {self.operation.units(one.covers)} of these." if one.covers else "perhaps on the same ones.")
            for one in self.overlapping
        ]
