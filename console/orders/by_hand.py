"""One external task worked on by hand, as a worker does it: locked, then completed, failed or ended by a BPMN error."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from os import environ
from typing import TYPE_CHECKING, Any

from retriage.console.engine.errors import EngineProblem, Unanswered
from retriage.console.journal import journal_problem, said_by_driver
from retriage.console.operations.variable_values import SetValue, TypedVariable, VariableMistake, resolved, typed
from retriage.console.orders.order import Order, Report
from retriage.console.reading.locks import lock_states
from retriage.console.text.inert import inert
from retriage.store.contract.queries import ExternalTaskQuery
from retriage.store.contract.values import INT_MAX
from retriage.store.journal.by_hand import NewHandWork

if TYPE_CHECKING:
    from retriage.console.session.session import Session
    from retriage.store.contract.records import ExternalTask
    from retriage.store.journal.records import Outcome

LOCK_SECONDS = 60
"""For so long the task is locked: if the console ends in between, workers get it afterwards."""
FORMS = (
    "complete [NAME=VALUE ...]",
    "error CODE [NAME=VALUE ...]",
    "fail RETRIES MESSAGE",
)
"""What can be typed."""
WORDS: Mapping[str, tuple[str, str]] = {
    "complete": ("Complete this task by hand?", "is completed"),
    "failure": ("Report a failure of this task?", "has failed"),
    "bpmnError": ("Raise the BPMN error {code}?", "ended with the BPMN error"),
}
"""Last part of the request's address -> the question, and what has become of the task then."""


class HandWorkMistake(ValueError):
    """What was typed is no work; the text is one sentence."""


@dataclass(frozen=True)
class HandWork:
    """What is reported of a task.

    Attributes:
        path: the last part of the request's address, one of ``WORDS``.
        fields: what stands in its body, beside worker and variables.
        given: variables that are set.
    """

    path: str
    fields: Mapping[str, str | int]
    given: tuple[TypedVariable, ...] = ()

    @property
    def brief(self) -> str:
        """What is done, without a message or a value."""
        code = self.fields.get("errorCode")
        return f"error {code}" if code is not None else "fail" if self.path == "failure" else self.path


def hand_work(text: str) -> HandWork:
    """Read one of ``FORMS``; a value with spaces stands in quotation marks.

    Raises:
        HandWorkMistake: it is none of them.
    """
    try:
        does, *words = shlex.split(text) or [""]
    except ValueError:
        raise HandWorkMistake("A quotation mark is not closed.") from None
    try:
        if does == "complete":
            return HandWork("complete", {}, tuple(typed(word) for word in words))
        if does == "error" and words and "=" not in words[0]:
            return HandWork("bpmnError", {"errorCode": words[0]}, tuple(typed(word) for word in words[1:]))
    except VariableMistake as mistake:
        raise HandWorkMistake(mistake.alone) from None
    if does == "fail" and len(words) > 1 and words[0].isdecimal() and int(words[0]) <= INT_MAX:
        return HandWork("failure", {"errorMessage": " ".join(words[1:]), "retries": int(words[0])})
    raise HandWorkMistake(f"Type {', '.join(FORMS)}.")


async def work_by_hand(session: Session, task_id: str, work: HandWork) -> Order | str:
    """An order that does the work of one task, or why it cannot be done.

    Raises:
        EngineProblem: the engine did not tell about the task or its variables.
    """
    query = ExternalTaskQuery(external_task_id_in=[task_id])
    tasks = await session.connection.ask(lambda client: client.external_tasks(query, 0, 1))
    if not tasks:
        return "The task is not there any more: it was completed or cancelled."
    task = tasks[0]
    if task.suspended:
        return "The task is suspended: activate its instance first."
    states = await session.connection.ask(lambda client: lock_states(client, tasks))
    if states[task_id] != "free":
        holder = "Its retry time" if states[task_id] == "retry time" else f"Worker {inert(task.worker_id or '-')}"
        return f"{holder} holds the task: U takes the lock off first."
    types: dict[str, str] = {}
    if work.given:
        known = await session.connection.ask(lambda client: client.variables(task.process_instance_id))
        types = {name: value.type or "" for name, value in known.items()}
    try:
        values = [resolved(one, types.get(one.name, "")) for one in work.given]
    except VariableMistake as mistake:
        return mistake.alone
    title = WORDS[work.path][0].format(code=inert(str(work.fields.get("errorCode"))))
    sentences = [*_meant(work), *(_set(one, types) for one in values), "There is no undo."]
    sentences.append(f"POST lock, then POST {work.path} of external-task/{inert(task_id)}")
    return Order(title, sentences, "Report", lambda session: _written(session, task, work, values), 1)


def _meant(work: HandWork) -> list[str]:
    """What the engine makes of it."""
    if work.path == "complete":
        return ["The process goes on behind the task at once, as if its worker had done the work."]
    if work.path == "bpmnError":
        return [
            "The process goes on where an event catches this error.",
            "Where none does, the engine ends the task and what is around it as if that were complete.",
        ]
    retries = work.fields["retries"]
    after = "no worker gets it and an incident is opened" if not retries else f"workers get it with retries {retries}"
    return [f"It fails with the message {inert(str(work.fields['errorMessage']))!r}: {after}."]


def _set(value: SetValue, types: Mapping[str, str]) -> str:
    """One variable, with what becomes of the one that is there."""
    had = types.get(value.name)
    was = "a new variable" if had is None else "" if had == value.type else f"so far of type {had}"
    return f"Sets {inert(value.name)} = {inert(value.text)} ({', '.join(filter(None, (value.type, was)))})."


async def _written(session: Session, task: ExternalTask, work: HandWork, values: list[SetValue]) -> Report:
    """Write it down, with the names of variables, do it, and write down what came of it. What cannot be written is
    done all the same, and the report says so."""
    worker = f"retriage-{environ.get('USER', 'by-hand')}"
    journal, identity = session.memory.journal, session.connection.identity
    number, problem = 0, ""
    if journal is not None:
        new = NewHandWork(
            session.memory.engine_name, identity.url, identity.user, task.id, task.topic_name, worker,
            work.brief, tuple(one.name for one in values),
        )  # fmt: skip
        try:
            number = await journal.begin_by_hand(new)
        except journal_problem() as unwritten:
            problem = said_by_driver(unwritten)
    report = await _done(session, task.id, worker, work, values)
    if journal is not None and number:
        outcome: Outcome = {"good": "done", "failed": "refused"}.get(report.ink, "unknown")  # type: ignore[assignment]
        try:
            await journal.ended_by_hand(number, outcome, "" if outcome == "done" else report.sentence)
        except journal_problem() as unwritten:
            problem = said_by_driver(unwritten)
        session.news.publish("journal")
    unkept = f" The journal cannot be written: {problem}" if problem else ""
    return replace(report, sentence=report.sentence + unkept)


async def _done(session: Session, task_id: str, worker: str, work: HandWork, values: list[SetValue]) -> Report:
    """Lock it, then report. A report that is refused leaves the task as it was, and its lock is taken off again."""
    body: dict[str, Any] = {"workerId": worker, **work.fields}
    if values:
        body["variables"] = {one.name: one.wire for one in values}
    try:
        await session.connection.ask(lambda client: client.lock(task_id, worker, LOCK_SECONDS))
        await session.connection.ask(lambda client: client.report_task(task_id, work.path, body))
    except Unanswered as problem:
        return Report(f"{problem.sentence} A lock of {worker} ends in {LOCK_SECONDS} s.", "warning")
    except EngineProblem as problem:
        with suppress(EngineProblem):
            query = ExternalTaskQuery(external_task_id_in=[task_id], worker_id=worker)
            if await session.connection.ask(lambda client: client.external_tasks(query, 0, 1)):
                await session.connection.ask(lambda client: client.unlock(task_id))
        return Report(f"{problem.sentence} The task is as it was.", "failed")
    return Report(f"The task {WORDS[work.path][1]}, as {worker}.", gone=work.path != "failure")
