"""The dialog of an operation: which units it takes and which it leaves out, the waves, the exact request of the first
one, and the command that does the same.

It shows a :class:`~retriage.console.runs.operation_preparation.OperationPreparation`. The units that it shows are those
that the run is frozen over. Back has the focus; ``L`` begins, once what is shown could be read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.app import App
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input

from retriage.console.actions import at
from retriage.console.engine.errors import EngineProblem
from retriage.console.launch.request_text import json_text
from retriage.console.operations.fix_and_retry import FixAndRetry
from retriage.console.operations.modification import Repeat, Skip
from retriage.console.operations.operation import Operation
from retriage.console.operations.set_variables import SetVariables, one_by_one_said
from retriage.console.operations.suspension import Activate, Suspend
from retriage.console.operations.variable_values import VariableMistake, typed
from retriage.console.reading.selected_tasks import instances_by_activity
from retriage.console.reading.selection import Instances, Selection, ids_of
from retriage.console.runs.command_text import operation_command_of
from retriage.console.runs.decided_run import DecidedRun
from retriage.console.runs.operation_preparation import RUNNING, OperationPreparation
from retriage.console.screens.dialogs.field import Field
from retriage.console.screens.dialogs.order_dialog import FIXED, TOO_EARLY, OrderDialog
from retriage.console.screens.launch.page import command_items, effect_spans
from retriage.console.screens.launch.wave_fields import LINES, WaveFields
from retriage.console.screens.navigator import navigator_of
from retriage.console.screens.runs_of import runs_of
from retriage.console.session.session import Session
from retriage.console.text.inert import inert, inert_lines
from retriage.console.text.words import clock, count, things
from retriage.console.widgets.bindings import bindings
from retriage.console.widgets.line import Line
from retriage.console.widgets.pane import Item, Pane, Prose, Spans
from retriage.store.contract.values import INT_MAX

if TYPE_CHECKING:
    from retriage.console.engine.batch_request import BatchRequest
    from retriage.console.screens.base import ConsoleScreen
    from retriage.store.journal.run_records import FrozenTask


def open_operation(
    app: App[None],
    session: Session,
    operation: Operation,
    selection: Selection | Instances | None,
    done: Callable[[], None],
    *,
    reason: str = "",
) -> None:
    """Open the dialog of an operation; the run that it decides is begun and shown.

    Args:
        app: where it is shown.
        session: whose engine is asked.
        operation: what is to be done.
        selection: to which units; ``None`` where none is chosen.
        done: called when the run has begun.
        reason: the reason that the field begins with.
    """
    problem = session.connection.why_no_launch() or session.connection.why_unheard()
    if selection is None:
        problem = problem or f"There is no {operation.unit} to {operation.word}."
    if problem or selection is None:
        session.news.say(problem, "warning")
        return

    def decided(order: DecidedRun | None) -> None:
        if order is not None:
            done()
            navigator_of(app).show("run", runs_of(app).begin(order))

    app.push_screen(OperationDialog(session, operation, selection, reason=reason), decided)


def open_fix(app: App[None], session: Session, selection: Selection | None, done: Callable[[], None]) -> None:
    """Open the dialog that sets variables of the process instances of tasks, and retries the tasks."""
    open_operation(app, session, FixAndRetry(1, SetVariables()), selection, done)


def open_for_tasks(screen: ConsoleScreen, does: OfTasks, selection: Selection | None, done: Callable[[], None]) -> None:
    """Open a dialog about the process instances of tasks: one that sets a variable before these are retried, suspends
    or activates the instances, or skips or repeats their one activity. Where they are at several, that is shown.

    Args:
        screen: where the tasks were chosen.
        does: what is to be done.
        selection: which tasks; ``None`` where none is chosen.
        done: called when the run has begun.
    """
    if does == "fix":
        open_fix(screen.app, screen.session, selection, done)
        return
    operation = {"skip": Skip, "repeat": Repeat, "suspend": Suspend, "activate": Activate}[does]()
    opening = _open_for_instances(screen, operation, selection, done)
    screen.run_worker(opening, group="operation.open", exclusive=True, exit_on_error=False)


async def _open_for_instances(
    screen: ConsoleScreen,
    operation: Skip | Repeat | Suspend | Activate,
    selection: Selection | None,
    done: Callable[[], None],
) -> None:
    session = screen.session
    try:
        found = await session.connection.ask(partial(instances_by_activity, selection=selection)) if selection else {}
    except EngineProblem as problem:
        session.news.say(problem.sentence, "failed")
        return
    at_one = isinstance(operation, Skip | Repeat)
    if at_one and len(found) > 1:
        names = ", ".join(inert(name) for name in sorted(found)[:MOST_NAMED])
        more = f" and {count(len(found) - MOST_NAMED)} more" if len(found) > MOST_NAMED else ""
        said = f"These tasks are at {count(len(found))} activities ({names}{more}): choose tasks of one of them."
        session.news.say(said, "warning")
    elif not screen.left_meanwhile("The dialog"):
        ids, said = frozenset[str]().union(*found.values()), "those of the tasks chosen"
        if isinstance(operation, Skip | Repeat):
            for activity in found:
                operation, said = replace(operation, activity=activity), f"at {inert(activity)}"
        open_operation(screen.app, session, operation, Instances(ids, said=said) if ids else None, done)


OfTasks = Literal["fix", "skip", "repeat", "suspend", "activate"]
MOST_NAMED = 3
"""So many activities are named."""
TO_BE_SET = "Type what is to be set, then enter: what the instances have is read then."
TO_BE_READ = "Enter reads what the instances have."


class OperationDialog(OrderDialog[DecidedRun | None]):
    """Answers the run to begin, or nothing.

    Args:
        session: whose engine is asked.
        operation: what is to be done.
        selection: to which units.
        reason: what stands in the field at first.
        seconds: seconds that only go forward.
    """

    PLACES: ClassVar[tuple[str, ...]] = ("operation",)
    BINDINGS: ClassVar[list[BindingType]] = bindings(at({"operation"}))
    ORDER = "begin"
    LEAVE = "Back"

    def __init__(
        self,
        session: Session,
        operation: Operation,
        selection: Selection | Instances,
        *,
        reason: str = "",
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(session, reason=reason, seconds=seconds)
        self.operation = operation
        self._new_name = self._local = False
        self.preparation = OperationPreparation(session, operation, selection)

    @property
    def verb(self) -> str:
        """The verb of the operation, where no units follow it."""
        return self.operation.verb.removesuffix(" of")

    @property
    def _sets(self) -> SetVariables | None:
        """What is set has to be typed before anything is read; ``None`` where nothing is."""
        for one in (self.operation, self.operation.fix):
            if isinstance(one, SetVariables):
                return one
        return None

    @property
    def _retries_apart(self) -> bool:
        """Retries are typed, and which units are taken does not depend on them."""
        return self.operation.retries is not None and self._sets is None

    def page(self) -> Iterable[Widget]:
        """What becomes of the units, the fields, the request."""
        yield Pane(id="effects")
        yield Line(id="total")
        if self._sets is not None:
            yield Field("set", id="set", hint="NAME=TEXT, NAME:TYPE=TEXT or NAME:=JSON, then enter")
            yield Field("only if", id="only-if", hint="NAME=TEXT, which an instance has to have (optional)")
        if self.operation.retries is not None:
            yield Field("retries", id="retries", value=str(self.operation.retries), pattern=r"\d*", most=9, width=12)
        yield self.reason_field()
        yield WaveFields(gated=self.operation.gated)
        if skips := self.operation.skips:
            yield Field("skip", id="skip", most=60, hint=f"{', '.join(skips)}: what the engine skips")
        yield from self.count_field()
        yield Pane(id="request")

    def on_mount(self) -> None:
        """Read the units first."""
        fields = self.query_one(WaveFields)
        fields.display = True
        fields.fill(self.preparation.form)
        self.preparation.listeners.append(self.write)
        self.action_freeze()
        self.write()
        if self._sets is not None:
            self.query_one("#set", Field).enter()

    def labels(self) -> Mapping[str, str]:
        """``L`` bears the name of the operation."""
        return {"operation.begin": self.operation.word, "operation.cancel": "back"}

    @property
    def counted(self) -> bool:
        """The number has to be typed."""
        return self.preparation.counted

    # -- what it says -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Show what is so now."""
        if not self.is_attached:
            return
        known = self.preparation
        what = inert(known.selection.describe())
        frame = self.query_one(".dialog", Vertical)
        frame.border_title = f"{self.operation.verb} {what}"
        if known.frozen is None:
            self.write_progress(known.problem, known.progress, ("request", "warnings"))
            for id in ("#total", "#sizes"):
                self.query_one(id, Line).show([])
        else:
            frame.border_title = f"{self.operation.verb} {self.operation.units(known.number)}  ·  {what}"
            frame.border_subtitle = f"selection as of {clock(known.frozen.at)}"
            self.query_one("#total", Line).show(
                [
                    (f"{count(known.number):>8}  ", "accent"),
                    (f"{self.operation.unit}{'' if known.number == 1 else 's'} in the run", "strong"),
                ]
            )
            self.query_one(WaveFields).tell(known.form, known.sizes, known.mistake)
            self._lay_out()
            if self.counted:
                on = (
                    f" on {inert(self.session.connection.identity.environment)}"
                    if self.session.connection.safety.guarded
                    else ""
                )
                self.query_one("#count", Field).remark(f"type {count(known.number)} to confirm{on}")
        self.delay.shown(known.to_be_read)
        self.enable()

    def why_not(self) -> str:
        """One sentence if what is shown cannot begin now; empty if it can."""
        return self.preparation.why_not(*self.typed)

    def _warnings(self) -> list[Item]:
        known, session = self.preparation, self.session
        every = known.takes_all and not known.every_unit_meant
        unit = RUNNING.get(self.operation.unit, self.operation.unit)
        meant = f"This takes EVERY {unit} of the engine. Press E if that is meant."
        said = [meant] if every else []
        if (frozen := known.frozen) is not None:
            said += frozen.told
            allowed = not session.connection.rights.why_no_variables()
            said += [one_by_one_said(frozen.one_by_one, allowed)] if frozen.one_by_one else []
            said.append(_hiding_said(frozen.left_out["local"], frozen.also["hidden"], frozen.also["local"]))
        said += [f"! {inert(one)}" for one in known.others_said()]
        said += [self.operation.no_way_back, known.denied, session.connection.safety.why_not()]
        missing = self.why_not() if known.insisted else ""
        said.append(TOO_EARLY if self._too_early else "" if missing in (*said, known.mistake) or every else missing)
        return [Prose(text, "warning", lines=1) for text in said if text]

    def _lay_out(self) -> None:
        """Give every pane the lines it gets; the request shrinks first."""
        width = self.query_one("#total", Line).size.width or 76
        effects: list[Item] = [Spans(tuple(effect_spans(one))) for one in self.preparation.preview]
        effects = effects or [Prose(f"No {self.operation.unit} matches.", "warning")]
        warnings = self._warnings()
        fields = len(self.query(Field)) - len(self.query_one(WaveFields).query(Field)) + LINES
        room = self.size.height - FIXED - len(effects) - 1 - fields - len(warnings)
        blank: list[Item] = [Spans()] if room >= 8 else []
        request = self._request(width, min(room - 2 * len(blank), 10)) if self.preparation.number else []
        self.show_panes({"effects": effects, "request": [*blank, *request], "warnings": [*blank, *warnings]})

    def _first(self) -> list[str]:
        """Ids of the first request."""
        return [task.task_id for task in next(self._parts(), ())]

    def _parts(self) -> Iterator[Sequence[FrozenTask]]:
        """The units of each wave, as one request can name them."""
        known = self.preparation
        rest: Sequence[FrozenTask] = known.frozen.tasks if known.frozen is not None else ()
        for size in known.sizes or [known.number]:
            wave, rest = rest[:size], rest[size:]
            while wave:
                part = self.operation.at_once(wave)
                yield part
                wave = wave[len(part) :]

    def _request(self, width: int, room: int) -> list[Item]:
        """What the engine is asked by the first wave, and the command that does the same."""
        command = command_items(self._command(), width, min(max(room - 3, 0), 3))
        room -= len(command)
        asked = self._asked
        number = sum(-(-len(part) // self.session.connection.most_ids) for part in self._parts())
        head: Item = Spans(
            (
                ("POST ", "accent"),
                (f"/{asked.path}", "strong"),
                (f"   {things(number, 'request')}, exactly these ids", "muted"),
            )
        )
        body = list(inert_lines(json_text(asked, 3)))
        if len(body) >= room:
            body = [" ".join(line.strip() for line in body)]
        before = "what has ended, or was set meanwhile, is left out before each wave"
        if self.operation.fix is not None:
            before = "then retries, for tasks whose instances show it when it is read back; " + before
        if self.preparation.frozen is not None and (local := self.preparation.frozen.also["local"]):
            before = f"then POST /execution/{{id}}/localVariables, {things(local, 'request')}; " + before
        lines = [head, *(Spans((("  " + line, "muted"),)) for line in (*body, before))]
        return [*lines[: max(room, 1)], *command]

    @property
    def _asked(self) -> BatchRequest:
        """What the first wave sends first."""
        operation = self._ordered()
        if operation.fix is None:
            return operation.request(self._first())
        frozen = self.preparation.frozen
        first = frozen.tasks[: len(self._first())] if frozen is not None else []
        return operation.fix.request(list(dict.fromkeys(task.process_instance or "" for task in first)))

    def _ordered(self) -> Operation:
        """The operation with what is typed; without, where that cannot be read."""
        known = self.preparation
        return known.operation if known.mistake else known.order_because(self.typed[0]).operation

    def _command(self, ids: str = "") -> str:
        known, session = self.preparation, self.session
        if known.mistake:
            return ""
        order = known.order_because(self.typed[0])
        return operation_command_of(
            session.connection.identity, known.selection, order, known.number,
            login=session.connection.login, guarded=session.connection.safety.guarded, ids=ids,
        )  # fmt: skip

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_input_changed(self, message: Input.Changed) -> None:
        """Something was typed into a field."""
        if self._decides_what_is_read(message.input):
            self._new_name = False
            self.preparation.wait_for(TO_BE_READ if self.query_one("#set", Field).value else TO_BE_SET)
            return
        fields = self.query_one(WaveFields)
        skip = self.query_one("#skip", Field).value if self.operation.skips else ""
        retries = self.query_one("#retries", Field).value if self._retries_apart else None
        self.preparation.form = replace(fields.form(self.preparation.form.new_cause), skip=skip, retries=retries)
        self.write()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter: read the units by what is typed, or to the field that is missing."""
        if self._decides_what_is_read(message.input) and self.preparation.frozen is None:
            self.action_freeze()
        else:
            self.leave_fields()

    def _decides_what_is_read(self, field: Input) -> bool:
        deciding = ("set", "only-if") if self._retries_apart else ("set", "only-if", "retries")
        return field.parent is not None and field.parent.id in deciding

    def _typed_operation(self) -> Operation:
        """What is typed.

        Raises:
            VariableMistake: it is nothing that can be set.
        """
        if (sets := self._sets) is None:
            return self.operation
        guard = self.query_one("#only-if", Field).value
        given = (typed(self.query_one("#set", Field).value),)
        only_if = (typed(guard),) if guard.strip() else ()
        sets = replace(sets, given=given, only_if=only_if, new=self._new_name, local=self._local)
        if not isinstance(self.operation, FixAndRetry):
            return sets
        retries = self.query_one("#retries", Field).value
        if not retries or int(retries) > INT_MAX:
            raise VariableMistake(f"type how many retries the tasks get, at most {INT_MAX:,}.")
        return replace(self.operation, retries=int(retries), fix=sets)

    def action_freeze(self) -> None:
        """Read the units again."""
        try:
            self.preparation.operation = self._typed_operation()
        except VariableMistake as mistake:
            begun = self._sets is not None and bool(self.query_one("#set", Field).value)
            self.preparation.wait_for(mistake.alone if begun else TO_BE_SET)
            return
        self._too_early = False
        self.set_focus(self.query_one("#cancel"))
        self.run_worker(self._ask(), group="operation.ask", exclusive=True, exit_on_error=False)

    async def _ask(self) -> None:
        await self.preparation.ask(runs_of(self.app).freeze)
        if self.preparation.problem and not self.preparation.unknown_name and self._sets is not None:
            self.query_one("#set", Field).enter()

    def action_new_name(self) -> None:
        """A variable that no instance has yet is meant."""
        self._new_name = True
        self.action_freeze()

    def action_local(self) -> None:
        """Set the local variables too that hide the new value, or leave them alone."""
        if self._sets is not None:
            self._local = not self._local
            self.action_freeze()

    def action_new_cause(self) -> None:
        """A failure with a new error holds by itself, or does not."""
        form = self.preparation.form
        self.preparation.form = replace(form, new_cause=self.operation.gated and not form.new_cause)
        self.write()

    def action_every(self) -> None:
        """Yes, every one of the engine is meant."""
        self.preparation.every_unit_meant = True
        self.write()

    def action_begin(self) -> None:
        """Begin what is shown, if it could be read before the key was pressed."""
        self._too_early = not self.delay.confirms
        order = None if self._too_early else self.preparation.confirm(*self.typed)
        if order is not None:
            self.dismiss(order)
            return
        if not self._too_early:
            self._lead()
        self.write()

    def _lead(self) -> None:
        """To the field that is missing."""
        if self.preparation.mistake:
            self.query_one(WaveFields).waves.enter()
        elif self.preparation.number:
            self.lead_to_missing()

    confirm_order = action_begin

    # -- take away --------------------------------------------------------------------------------------------------

    def action_copy_json(self) -> None:
        """Copy the body of the first wave."""
        if self.preparation.number:
            self.copy(json_text(self._asked, None), "the first wave's JSON")

    def action_copy_command(self) -> None:
        """Copy the command that does the same; ids that no query names are written to a file for it."""
        known = self.preparation
        if known.frozen is None or known.mistake:
            return
        self.copy_command(self._command, ids_of(known.selection), known.frozen.at)


def _hiding_said(tasks: int, variables: int, executions: int) -> str:
    """What local variables do to the new value, and the key for it; empty where there are none.

    Args:
        tasks: left out because of them.
        variables: left alone.
        executions: whose local variables are set too.
    """
    if executions:
        return "Local variables that hide the new value are set too. h leaves them alone."
    if tasks:
        return f"A local variable hides the new value from {things(tasks, 'task')}. h sets it too."
    hide = "hides" if variables == 1 else "hide"
    return f"{things(variables, 'local variable')} {hide} the new value. h sets them too." if variables else ""
