"""What can be ordered about a run: go on, skip the watch, stop, change the rest, undo."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.launch.undo import undo_of_run
from retriage.console.orders.order import Order, Report
from retriage.console.orders.undo import undo_order
from retriage.console.runs.driver import GATE_CAUSES, RunDriven
from retriage.console.runs.next_step import at_work, waiting_waves
from retriage.console.runs.waves import WaveMistake
from retriage.console.screens.launch.flow import send_off
from retriage.console.screens.runs.change import ChangeRest
from retriage.console.screens.runs.stop import StopRun
from retriage.console.screens.runs_of import runs_of
from retriage.console.screens.verbs import Verbs, carry_out
from retriage.console.text.inert import inert

if TYPE_CHECKING:
    from retriage.console.runs.change import RestChange
    from retriage.console.runs.driver import BatchChoice, Wish
    from retriage.console.runs.run_view import RunView
    from retriage.console.runs.service import RunService
    from retriage.console.screens.base import ConsoleScreen
    from retriage.console.session.session import Session
    from retriage.console.text.ink import Ink

ALL = ("run.release", "run.skip", "run.stop", "run.change", "run.undo")


class RunVerbs(Verbs["ConsoleScreen"]):
    """Orders about a run.

    Args:
        screen: where they are asked for.
        view: the run that is meant, as it was read last.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("run",)

    def __init__(self, screen: ConsoleScreen, view: Callable[[], RunView | None]) -> None:
        super().__init__(screen)
        self._view = view

    @property
    def _service(self) -> RunService:
        return runs_of(self.app)

    def hint_labels(self) -> dict[str, str]:
        """A run that its gate holds is released; one that was interrupted is resumed."""
        view = self._view()
        if view is None:
            return {}
        return {"run.release": "release.." if _by_gate(view) else "resume.."}

    def idle(self) -> Collection[str]:
        """What would do nothing in this state."""
        view = self._view()
        if view is None or view.word == "void":
            return ALL
        if view.run.over:
            return ALL if view.operation.no_way_back else ALL[:4]
        held = view.word in ("held", "interrupted")
        idle = ("run.skip",) if held else ("run.release",)
        return (*idle, "run.undo") if not held or view.operation.no_way_back else idle

    def _here(self, action: str) -> RunView | None:
        """The run, if this can be ordered now."""
        view = self._view()
        if view is None:
            return None
        if action in self.idle():
            self.session.news.say(_why_idle(view, action), "warning")
            return None
        return view

    # -- it goes on -------------------------------------------------------------------------------------------------

    def action_release(self) -> None:
        """Resume a held run."""
        view = self._here("run.release")
        if view is not None:
            self.order(partial(self._release, view), "run.order")

    async def _release(self, view: RunView) -> None:
        run, by_gate = view.run, _by_gate(view)

        async def send(session: Session) -> Report:
            self._service.resume(run.id, run.title, release=by_gate)
            return Report(f"Run {run.id} goes on.")

        async def plan() -> Order:
            wave, rest = at_work(view), waiting_waves(view)
            sentences = [inert(view.said)]
            if by_gate and wave is not None:
                sentences.append(f"Wave {wave.wave} is let through. {_then(view)}")
            else:
                sentences.append("It goes on where it stood: no wave is sent twice, none is left out.")
            number = sum(one.tasks for one in rest)
            verb = "Release" if by_gate else "Resume"
            return Order(f"{verb} run {run.id}?", sentences, verb, send, number)

        await carry_out(self.screen, plan)

    def action_skip(self) -> None:
        """Do not watch the wave at work any longer."""
        view = self._here("run.skip")
        if view is not None:
            self.order(partial(self._skip, view), "run.order")

    async def _skip(self, view: RunView) -> None:
        async def send(session: Session) -> Report:
            told = await self._service.pass_on(view.run.id, "skip")
            if not told:
                return Report(f"Nobody drives run {view.run.id} now.", "warning")
            return Report(f"The watch of run {view.run.id} is skipped {told}.")

        async def plan() -> Order:
            wave = at_work(view)
            said = f"Wave {wave.wave} is not judged. " if wave is not None else ""
            number = sum(one.tasks for one in waiting_waves(view))
            return Order(f"Skip the watch of run {view.run.id}?", [said + _then(view)], "Skip", send, number)

        await carry_out(self.screen, plan)

    # -- it stops ---------------------------------------------------------------------------------------------------

    def action_stop(self) -> None:
        """Drop what is not sent."""
        view = self._here("run.stop")
        if view is not None:
            self.order(partial(self._stop, view), "run.order")

    async def _stop(self, view: RunView) -> None:
        if self.screen.left_meanwhile("The question"):
            return
        choice: BatchChoice | None = await self.app.push_screen_wait(StopRun(view))
        if choice is None:
            return
        # To send nothing more is always allowed; what is done to the batch at work is an order to the engine.
        if choice != "goes-on" and (why := self.session.connection.why_no_orders()):
            self.session.news.say(why, "warning")
            return
        wishes: dict[BatchChoice, Wish] = {
            "goes-on": "stop:goes-on", "suspend": "stop:suspend", "delete": "stop:delete",
        }  # fmt: skip
        run = view.run
        told = await self._service.pass_on(run.id, wishes[choice])
        if told:
            self.session.news.say(f"Run {run.id} is being stopped {told}.")
        else:
            self._service.stop(run.id, run.title, wishes[choice])

    # -- its rest is changed ----------------------------------------------------------------------------------------

    def action_change(self) -> None:
        """Other sizes, gate, retries for what has not begun."""
        view = self._here("run.change")
        if view is not None:
            self.order(partial(self._change, view), "run.order")

    async def _change(self, view: RunView) -> None:
        if self.screen.left_meanwhile("The question"):
            return
        change: RestChange | None = await self.app.push_screen_wait(ChangeRest(view))
        if change:
            self.session.news.say(*await self._changed(view, change))
            self.session.news.publish("runs")

    async def _changed(self, view: RunView, change: RestChange) -> tuple[str, Ink]:
        number = view.run.id
        try:
            await self._service.change(number, change)
        except WaveMistake as mistake:
            return mistake.sentence, "failed"
        except RunDriven as problem:
            return str(problem), "warning"
        except journal_problem() as problem:
            return f"The journal cannot be written: {said_by_driver(problem)}", "failed"
        return f"The rest of run {number} is changed.", "good"

    # -- undo -------------------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Set back what its tasks had."""
        view = self._here("run.undo")
        if view is not None:
            self.order(partial(self._undo, view), "run.undo")

    async def _undo(self, view: RunView) -> None:
        send = partial(send_off, self.app, self.session, follow=False)
        look = partial(undo_of_run, self.session, view.run)
        end = partial(self._service.end, view.run.id, view.run.title)
        await carry_out(self.screen, partial(undo_order, self.session, look, send, end_run=end))


def _by_gate(view: RunView) -> bool:
    return view.word == "held" and view.run.cause in GATE_CAUSES


def _then(view: RunView) -> str:
    rest = waiting_waves(view)
    if not rest:
        return "It was the last wave: the run ends."
    return f"Wave {rest[0].wave} goes out next with {view.operation.units(rest[0].tasks)}."


def _why_idle(view: RunView, action: str) -> str:
    number = view.run.id
    if view.word == "void":
        return f"Run {number} never began."
    if action == "run.undo" and view.operation.no_way_back:
        return view.operation.no_way_back
    if view.run.over:
        return f"Run {number} is over."
    if action == "run.undo":
        return f"Run {number} is at work: stop it first, or let it end."
    return f"Run {number} is held: R resumes it." if action == "run.skip" else f"Run {number} is not held."
