"""What can be ordered about a run: go on, skip the watch, stop, change the rest, undo."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from console.engine.errors import EngineProblem
from console.launch.launch_events import sentence_of
from console.orders.order import Order, Report
from console.runs.change import RestChange, change_rest
from console.runs.driver import GATE_CAUSES
from console.runs.driver_name import driver_name, is_dead
from console.runs.next_step import at_work, waiting_waves
from console.runs.undo import REASONS, carry_out_undo, look_at_undo
from console.runs.waves import WaveMistake
from console.screens.driven_runs import driven_runs_of
from console.screens.runs.change import ChangeRest
from console.screens.runs.stop import StopRun
from console.screens.verbs import Verbs, carry_out
from console.session.journal_answers import journal_problem, said_by_driver
from console.text.inert import inert
from console.text.words import count, things
from store.journal import NotYours

if TYPE_CHECKING:
    from console.launch.launch_events import LaunchEvent
    from console.runs.driver import BatchChoice, Wish
    from console.runs.run_view import RunView
    from console.screens.base import ConsoleScreen
    from console.session.session import Session
    from console.text.ink import Ink

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
            return ALL[:4]
        held = view.word in ("held", "interrupted")
        return ("run.skip",) if held else ("run.release", "run.undo")

    def _here(self, action: str) -> RunView | None:
        """The run, if this can be ordered now."""
        view = self._view()
        if view is None:
            return None
        if action in self.idle():
            self.session.say(_why_idle(view, action), "warning")
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
            driven_runs_of(self.app).resume(run.id, run.title, release=by_gate)
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
            told = await self._told(view, "skip")
            if not told:
                return Report(f"Nobody drives run {view.run.id} now.", "warning")
            return Report(f"The watch of run {view.run.id} is skipped{told}.")

        async def plan() -> Order:
            wave = at_work(view)
            said = f"Wave {wave.wave} is not judged. " if wave is not None else ""
            number = sum(one.tasks for one in waiting_waves(view))
            return Order(f"Skip the watch of run {view.run.id}?", [said + _then(view)], "Skip", send, number)

        await carry_out(self.screen, plan)

    async def _told(self, view: RunView, wish: Wish) -> str:
        """Tell whoever drives it, as it is now; answers who that is as the end of a sentence, empty if nobody does."""
        driver = driven_runs_of(self.app).driver_of(view.run.id)
        if driver is not None:
            driver.wish(wish)
            return " here"
        journal = self.session.journal
        run = await journal.runs.run(view.run.id) if journal is not None else None
        if journal is None or run is None or is_dead(run.driver):
            return ""
        if await journal.runs.wish(run.id, wish):
            return " by the console that drives it"
        return ""

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
        if choice != "goes-on" and (why := self.session.why_no_orders()):
            self.session.say(why, "warning")
            return
        wishes: dict[BatchChoice, Wish] = {
            "goes-on": "stop:goes-on", "suspend": "stop:suspend", "delete": "stop:delete",
        }  # fmt: skip
        run = view.run
        told = await self._told(view, wishes[choice])
        if told:
            self.session.say(f"Run {run.id} is being stopped{told}.")
        else:
            driven_runs_of(self.app).stop(run.id, run.title, wishes[choice])

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
            self.session.say(*await self._changed(view, change))
            self.session.news.publish("runs")

    async def _changed(self, view: RunView, change: RestChange) -> tuple[str, Ink]:
        journal, number = self.session.journal, view.run.id
        if journal is None:
            return "There is no journal.", "failed"
        driver = driven_runs_of(self.app).driver_of(number)
        name = driver.name if driver is not None else driver_name()
        try:
            if driver is None:
                before = view.run.driver
                await journal.runs.take(number, name, before if is_dead(before) else "")
            await change_rest(journal.runs, number, name, change)
        except WaveMistake as mistake:
            return mistake.sentence, "failed"
        except NotYours:
            return f"Run {number} is driven by another console: only there can its rest be changed.", "warning"
        except journal_problem() as problem:
            return f"The journal cannot be written: {said_by_driver(problem)}", "failed"
        finally:
            if driver is None:
                await journal.runs.leave(number, name)
        return f"The rest of run {number} is changed.", "good"

    # -- undo -------------------------------------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Set back what its tasks had."""
        view = self._here("run.undo")
        if view is not None:
            self.order(partial(self._undo, view), "run.undo")

    async def _undo(self, view: RunView) -> None:
        self.session.say(f"Run {view.run.id}: looking at what its tasks have now …", "muted")

        async def plan() -> Order | str:
            undo = await look_at_undo(self.session, view.run)
            left = [f"{count(number)} {REASONS[why]}" for why, number in undo.left_alone.items()]
            alone = f"Left alone: {'; '.join(left)}." if left else ""
            if undo.why_not:
                return f"{undo.why_not} {alone}".strip()

            async def send(session: Session) -> Report:
                def tell(event: LaunchEvent) -> None:
                    session.say(*sentence_of(event))

                made = await carry_out_undo(session, undo, tell)
                session.news.publish("journal")
                back = sum(one.batch.total_jobs for one in made)
                if not made:
                    return Report("", changed=False)
                return Report(f"{things(len(made), 'batch', 'batches')} set {things(back, 'task')} back.")

            sentences = [
                f"{things(len(ids), 'task gets', 'tasks get')} back {things(former, 'retry', 'retries')}."
                for former, ids in undo.back.items()
            ]
            sentences += [alone] if alone else ["No task is left alone."]
            return Order(f"Undo run {view.run.id}?", sentences, "Restore", send, undo.count)

        try:
            await carry_out(self.screen, plan)
        except (journal_problem(), EngineProblem) as problem:
            self.session.say(f"The undo could not be prepared: {said_by_driver(problem)}", "failed")


def _by_gate(view: RunView) -> bool:
    return view.word == "held" and view.run.cause in GATE_CAUSES


def _then(view: RunView) -> str:
    rest = waiting_waves(view)
    if not rest:
        return "It was the last wave: the run ends."
    return f"Wave {rest[0].wave} goes out next with {things(rest[0].tasks, 'task')}."


def _why_idle(view: RunView, action: str) -> str:
    number = view.run.id
    if view.word == "void":
        return f"Run {number} never began."
    if view.run.over:
        return f"Run {number} is over."
    if action == "run.undo":
        return f"Run {number} is at work: stop it first, or let it end."
    return f"Run {number} is held: R resumes it." if action == "run.skip" else f"Run {number} is not held."
