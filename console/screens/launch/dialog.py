"""The launch dialog: what would become of the tasks, the settings, and the exact request, on one page.

It shows a :class:`~retriage.console.launch.preparation.LaunchPreparation` and hands keys to it. What it shows is
counted once and frozen. Digits typed anywhere but in the reason go to the retries. The key that opened it does nothing
inside.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.decided_launch import DecidedLaunch
from retriage.console.launch.foreseen import foreseen
from retriage.console.launch.plan import LaunchPlan
from retriage.console.launch.preparation import LaunchPreparation
from retriage.console.launch.request_file import save_request
from retriage.console.operations.preview import BY_HAND
from retriage.console.operations.retry_jobs import RetryJobs
from retriage.console.reading.selection import Everything, Marked, Selection
from retriage.console.runs.command_text import command_of, query_of
from retriage.console.runs.decided_run import DecidedRun
from retriage.console.runs.operation_preparation import OperationPreparation
from retriage.console.runs.run_preparation import RunPreparation
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.order_dialog import FIXED, TOO_EARLY, OrderDialog
from retriage.console.screens.launch.page import (
    command_items,
    drift_items,
    effect_spans,
    job_items,
    jobs_warnings,
    named,
    of_jobs,
    overlap_items,
    parts_spans,
    quiet_said,
    record_said,
    request_items,
    sample_items,
    total_spans,
    wave_items,
)
from retriage.console.screens.launch.tick import Tick
from retriage.console.screens.launch.wave_fields import LINES, WaveFields
from retriage.console.screens.runs_of import runs_of
from retriage.console.session.news import News
from retriage.console.session.session import Session
from retriage.console.text.inert import inert
from retriage.console.text.words import clock, count
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Item, Pane, Prose, Spans
from retriage.store.contract.values import INT_MAX

MANY_RETRIES = 20
"""More attempts than so many are seldom meant: a slip, or the number of the incident in the wrong field."""
MOST_EARLIER = 2
"""So many earlier runs over the same cause are told of."""
DRIFT_EVERY = 5.0
"""Seconds between two looks at how many match by now."""


class LaunchDialog(OrderDialog[DecidedLaunch | DecidedRun | None]):
    """Answers the order to launch at once or in waves, or nothing.

    Args:
        session: whose engine is asked.
        selection: what was chosen.
        retries: what stands in the field at first.
        reason: what stands in the field at first.
        jobs: failed jobs that are retried together with the tasks: a run of two parts.
        seconds: seconds that only go forward.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("launch",)
    ORDER = "launch"
    verb = "Launch"
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"launch"}))

    def __init__(
        self,
        session: Session,
        selection: Selection,
        *,
        retries: int | None = None,
        reason: str = "",
        jobs: Marked | None = None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(session, reason=reason, seconds=seconds)
        self.preparation = LaunchPreparation(session, selection, retries=retries)
        self.jobs = OperationPreparation(session, RetryJobs(1), jobs) if jobs is not None else None
        self.waves = RunPreparation(self.preparation, self.jobs)

    def page(self) -> Iterable[Widget]:
        """What becomes of the tasks, the fields, the request."""
        digits = str(self.preparation.retries)
        yield Pane(id="effects")
        for kind in BY_HAND:
            yield Tick(kind)
        yield Line(id="total")
        yield Field("retries", id="retries", value=digits, pattern=r"\d*", most=12, width=12, replaces=True)
        yield self.reason_field()
        yield WaveFields()
        yield from self.count_field()
        yield Pane(id="request")
        yield Pane(id="sample")

    def on_mount(self) -> None:
        """Count first."""
        self.query_one(".dialog").border_title = f"Retry {inert(self.preparation.selection.describe())}"
        self.query_one("#retries", Field).remark(self._each)
        self.preparation.listeners.append(self.write)
        if self.jobs is not None:
            self.jobs.listeners.append(self.write)
        self.set_interval(DRIFT_EVERY, self._look_again)
        self.write()
        self.run_worker(self._ask(self.preparation.ask()), group="launch.ask", exclusive=True, exit_on_error=False)

    @property
    def _each(self) -> str:
        return f"attempts each task {'and job ' if self.jobs is not None else ''}is given"

    async def _ask(self, asking: Awaitable[None]) -> None:
        """What the launch needs first, then the jobs, then what the journal remembers of runs like it."""
        await asking
        if self.jobs is not None:
            await self.jobs.ask(runs_of(self.app).freeze)
        with suppress(EngineProblem):
            await self.waves.remember()
        self.write()

    def _look_again(self) -> None:
        self.run_worker(self.preparation.look_again(), group="launch.drift", exclusive=True, exit_on_error=False)

    # -- what is typed ----------------------------------------------------------------------------------------------

    @property
    def plan(self) -> LaunchPlan | None:
        """What would be launched now; none before it was counted."""
        return self.preparation.plan

    @property
    def retries(self) -> int | None:
        """The value in the field; nothing while it is empty or too large."""
        text = self.query_one("#retries", Field).value
        return int(text) if text and int(text) <= INT_MAX else None

    def heed(self, news: News) -> None:
        """A launch that waited for the journal goes out when that is open."""
        super().heed(news)
        if news == "journal":
            self._decide(self.preparation.go_on(*self.typed))

    def labels(self) -> Mapping[str, str]:
        """Enter and ``W`` do one thing or the other."""
        return {
            "field.submit": "next field" if self._after() else "leave field",
            "launch.waves": "at once" if self.waves.on else "waves",
        }

    # -- what it says -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Show what is so now."""
        if not self.is_attached:
            return
        plan = self.preparation.plan
        if plan is None:
            self._write_progress()
        else:
            for tick in self.query(Tick):
                tick.tell(plan.class_by_hand(tick.kind), tick.kind in plan.included)
            two = self.waves.two_parts
            total = parts_spans(self.waves) if two else total_spans(plan, self.preparation.again)
            self.query_one("#total", Line).show(total)
            self._head(plan)
            self._write_waves()
            self._lay_out(plan)
            if self.session.connection.safety.guarded:
                environment = inert(self.session.connection.identity.environment)
                number = self.waves.number if self.waves.two_parts else plan.count
                self.query_one("#count", Field).remark(f"type {count(number)} to launch on {environment}")
        self.query_one("#retries", Field).remark(*self._retries_remark())
        self.delay.shown(self._to_be_read)
        self.enable()

    @property
    def _to_be_read(self) -> tuple[object, ...] | None:
        read = self.preparation.to_be_read
        if read is not None and self.jobs is not None:
            jobs = self.jobs.to_be_read
            read = None if jobs is None else (*read, *jobs)
        return None if read is None else (*read, self.waves.on, *self.waves.sizes) if self.waves.is_run else read

    def why_not(self) -> str:
        """One sentence if what is shown cannot be launched now; empty if it can."""
        return (self.waves if self.waves.is_run else self.preparation).why_not(*self.typed)

    def _write_waves(self) -> None:
        fields = self.query_one(WaveFields)
        fields.display = self.waves.is_run
        if self.waves.is_run:
            fields.fill(self.waves.fit())
            jobs = self.jobs.sizes if self.jobs is not None else ()
            fields.tell(self.waves.form, self.waves.sizes, self.waves.mistake, jobs)

    def _write_progress(self) -> None:
        """Nothing can be shown yet, or it could not be counted."""
        known = self.preparation
        self.write_progress(known.problem, known.progress, ("request", "sample", "warnings"))
        for tick in self.query(Tick):
            tick.tell(None, False)

    def _head(self, plan: LaunchPlan) -> None:
        frame = self.query_one(".dialog", Vertical)
        sample = plan.facts.sample
        what = inert(plan.describe())
        if plan.facts.asked == 1 and sample and not self.waves.two_parts:
            frame.border_title = f"Retry {named(sample[0])}"
        else:
            frame.border_title = f"Retry {self.waves.units}  ·  {what}"
        # A query is asked again by the engine when it is launched; only ids are what they were.
        frame.border_subtitle = f"{'selection as of' if plan.by_ids else 'counted'} {clock(plan.facts.at)}"

    def _retries_remark(self) -> tuple[str, bool]:
        text = self.query_one("#retries", Field).value
        if text and int(text) > INT_MAX:
            return f"at most {INT_MAX:,} retries can be set", True
        if text and int(text) > MANY_RETRIES:
            return f"{int(text):,} attempts for each task: is that meant?", True
        return (self._each, False) if text else ("type how many retries to set", True)

    def _warnings(self, plan: LaunchPlan) -> list[Item]:
        """What should be read before launching."""
        known = self.preparation
        said = plan.warnings()
        if plan.everything and not known.every_task_meant:
            said = ["This takes EVERY external task of the engine. Press E if that is meant."]
        items: list[Item] = [Prose(text, "warning", lines=1) for text in (*said, *map(inert, known.notes))]
        items += [Prose(text, "warning", lines=1) for text in foreseen(self.session.connection, plan)]
        if self.session.memory.unkept:
            waits = "Waiting for the journal; L again launches without writing it down."
            items.append(Prose(waits if known.waiting_for_journal else self.session.memory.unkept, "warning", lines=1))
        items += overlap_items(known.overlapping, plan.facts.asked)
        if self.jobs is not None:
            items += [Prose(inert(one), "warning", lines=1) for one in jobs_warnings(self.jobs)]
        items += drift_items(known.drift, plan.facts.at, isinstance(known.selection, Everything))
        if known.record is not None:
            bad = known.record.mostly_failed
            items.append(
                Prose(f"{'! ' if bad else ''}{record_said(known.record)}", "warning" if bad else "muted", lines=1)
            )
        items += [
            Prose(
                f"{'! ' if one.bad else ''}{inert(one.said(datetime.now(UTC)))}",
                "warning" if one.bad else "muted",
                lines=1,
            )
            for one in self.waves.earlier[:MOST_EARLIER]
        ]
        if known.workerless:
            then = (
                "retried tasks will sit and wait"
                if self.session.connection.history_tells
                else "by locks alone, no log is shown"
            )
            quiet = f"! no worker seen in 15 min on {quiet_said(known.workerless)}: {then}"
            items.append(Prose(quiet, "warning", lines=1))
        unsafe, missing = self.session.connection.safety.why_not(), self.why_not() if known.insisted else ""
        said += foreseen(self.session.connection, plan)
        if unsafe:
            items.append(Prose(unsafe, "warning", lines=1))
        if self._too_early:
            items.append(Prose(TOO_EARLY, "warning", lines=1))
        elif missing not in (unsafe, *said) and not (self.waves.is_run and missing == self.waves.mistake):
            items.append(Prose(missing, "warning", lines=1))
        return [item for item in items if not isinstance(item, Prose) or item.text]

    def _lay_out(self, plan: LaunchPlan) -> None:
        """Give every pane the lines it gets; the request shrinks first, then the sample."""
        width = self.query_one("#total", Line).size.width or 76
        effects: list[Item] = [Spans(tuple(effect_spans(effect))) for effect in plan.preview()]
        if self.jobs is not None:
            effects += [Spans(tuple(effect_spans(of_jobs(effect)))) for effect in self.jobs.preview]
        warnings = self._warnings(plan)
        fields = 3 if self.session.connection.safety.guarded else 2
        ticks = sum(tick.display for tick in self.query(Tick))
        fields += LINES * self.waves.is_run
        room = self.size.height - FIXED - len(effects) - ticks - 1 - fields - len(warnings)
        spaced = room >= 8
        blank: list[Item] = [Spans()] if spaced else []
        sample: list[Item] = sample_items(plan.facts.sample, datetime.now(UTC), min(3, room - 4 * spaced - 2))
        asked = min(room - 4 * spaced - len(sample), 12)
        request = self._request(plan, width, asked) if plan.ready and plan.count else []
        self.show_panes(
            {
                "effects": effects,
                "request": [*blank, *request[: max(asked, 1)]],
                "sample": [*blank, *sample],
                "warnings": [*blank, *warnings],
            }
        )
        self.query_one("#total", Line).styles.margin = (0, 0, 1 if spaced else 0, 0)

    def _request(self, plan: LaunchPlan, width: int, room: int) -> list[Item]:
        """What the engine is asked, and the command that does the same where there is room for both."""
        command = command_items(self._command(plan), width, min(max(room - 3, 0), 3))
        room -= len(command)
        if self.waves.is_run:
            guarded, most_ids = self.session.connection.safety.guarded, self.session.connection.most_ids
            jobs = job_items(self.jobs, most_ids) if self.jobs is not None and self.waves.two_parts else []
            room = max(room - len(jobs), 1)
            return [*wave_items(plan, self.waves.sizes, most_ids, guarded, room), *jobs, *command]
        return [*request_items(plan, width, room), *command]

    def _command(self, plan: LaunchPlan, ids: str = "") -> str:
        order = None if not self.waves.is_run or self.waves.mistake else self.waves.order()
        login, guarded = self.session.connection.login, self.session.connection.safety.guarded
        return command_of(
            self.session.connection.identity, plan, order, self.typed[0], login=login, guarded=guarded, ids=ids
        )

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """Digits go to the retries field, the first one replaces what stands there."""
        if event.character is None or event.character not in "0123456789":
            return
        event.stop()
        self.query_one("#retries", Field).type(event.character)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Something was typed into a field."""
        fields = self.query_one(WaveFields)
        if self.waves.is_run and fields in message.input.ancestors:
            self.waves.type(fields.form(self.waves.form.new_cause))
        self.preparation.set_retries(self.retries)
        self.write()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter: to the next field that must be filled."""
        if after := self._after():
            after[0].enter()
        else:
            self.leave_fields()

    def _after(self) -> list[Field]:
        """The fields after the one that is typed into that must be filled."""
        optional = {"gate", "watch", "pace", *(() if self.session.connection.safety.guarded else ("reason",))}
        optional |= set() if self.waves.is_run else {"waves"}
        fields = [field for field in self.query(Field) if field.active or field.id not in optional]
        return fields[[field.active for field in fields].index(True) + 1 :] if any(f.active for f in fields) else []

    def on_tick_turned(self, message: Tick.Turned) -> None:
        """A group was taken in, or left out."""
        self.preparation.include(message.kind, message.included)

    def action_include(self) -> None:
        """Take the group in, or leave it out: the one that has the focus, or the only one."""
        ticks = [tick for tick in self.query(Tick) if tick.display]
        chosen = [tick for tick in ticks if tick.has_focus] or (ticks if len(ticks) == 1 else [])
        if chosen:
            chosen[0].action_turn()
        elif ticks:
            self.set_focus(ticks[0])

    def action_freeze(self) -> None:
        """Count and read again."""
        self.run_worker(
            self._ask(self.preparation.ask_again()), group="launch.ask", exclusive=True, exit_on_error=False
        )

    def action_every_task(self) -> None:
        """Yes, every task of the engine is meant."""
        self.preparation.mean_every_task()

    def action_waves(self) -> None:
        """Retry in waves, or at once."""
        self.waves.turn()
        self.write()
        self.tell_hints()
        fields = self.query_one(WaveFields)
        if self.waves.on:
            self.call_after_refresh(fields.waves.enter)
        elif any(field.active for field in fields.query(Field)):
            self.set_focus(self.query_one("#cancel"))

    def action_new_cause(self) -> None:
        """A failure with a new error holds by itself, or does not."""
        if self.waves.is_run:
            self.waves.type(replace(self.waves.form, new_cause=not self.waves.form.new_cause))
            self.write()

    def action_launch(self) -> None:
        """Launch what is shown, if it could be read before the key was pressed; such a key is not kept for later."""
        self._too_early = not self.delay.confirms
        if not self._too_early and not self._decide(self._confirmed()):
            self._lead()
        self.write()

    def _confirmed(self) -> DecidedLaunch | DecidedRun | None:
        return (self.waves if self.waves.is_run else self.preparation).confirm(*self.typed)

    def _decide(self, order: DecidedLaunch | DecidedRun | None) -> bool:
        if order is not None:
            self.dismiss(order)
        return order is not None

    def _lead(self) -> None:
        """To the field that is missing."""
        if self.waves.is_run and self.waves.mistake:
            self.query_one(WaveFields).waves.enter()
            return
        if self.plan is not None:
            self.lead_to_missing()

    confirm_order = action_launch

    # -- take away --------------------------------------------------------------------------------------------------

    @property
    def _of_part(self) -> str:
        """What of a run of two parts is taken away: a command does one of them."""
        return " of part 1, the tasks (R on the jobs alone has that of part 2)" if self.waves.two_parts else ""

    def action_copy_json(self) -> None:
        """Copy the body."""
        if self.plan is not None and self.plan.ready:
            self.copy(self.plan.json(None), f"the request's JSON{self._of_part}")

    def action_copy_curl(self) -> None:
        """Copy the request as a command."""
        identity = self.session.connection.identity
        if self.plan is not None and self.plan.ready:
            user = identity.user if identity.url else None
            headers = self.session.connection.client.login_headers if self.session.connection.client is not None else ()
            self.copy(self.plan.curl(identity.url, user, headers), f"the request as curl{self._of_part}")

    def action_copy_command(self) -> None:
        """Copy the command that does the same; ids that no query names are written to a file for it."""
        plan = self.plan
        if plan is not None and plan.ready:
            ids = plan.ids if query_of(plan) is None else None
            self.copy_command(partial(self._command, plan), ids, plan.facts.at, f"the command{self._of_part}")

    def action_save(self) -> None:
        """Write the body to a file."""
        if self.plan is None or not self.plan.ready:
            return
        text = self.plan.json(None)
        number = len(json.loads(text).get("externalTaskIds") or [])
        try:
            file = save_request(text, self.plan.facts.at)
        except OSError as problem:
            self.session.news.say(f"The request cannot be written to a file: {problem.strerror}.", "failed")
            return
        ids = f" with {count(number)} ids" if number else ""
        self.session.news.say(f"The request{ids} is written to {file}", "good")
