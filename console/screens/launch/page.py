"""What the launch dialog says, as lines of its panes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retriage.console.engine.batch_request import RETRY_JOBS, SET_RETRIES
from retriage.console.launch.plan import LaunchPlan
from retriage.console.operations.preview import PreviewClass
from retriage.console.screens.task_states import error_said
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert, inert_lines
from retriage.console.text.ink import Ink
from retriage.console.text.words import age, clock, count, day, short, things, version_of
from retriage.console.widgets.line import Span
from retriage.console.widgets.pane import Item, Prose, Spans

if TYPE_CHECKING:
    from retriage.console.launch.earlier_launches import EarlierLaunches
    from retriage.console.launch.overlapping_batches import OverlappingBatch, TopicWithoutWorker
    from retriage.console.runs.operation_preparation import OperationPreparation
    from retriage.console.runs.run_preparation import RunPreparation
    from retriage.store.contract.records import ExternalTask

TONES: dict[str, Ink] = {"good": "good", "plain": "", "warning": "warning"}
LABEL = 27
MOST_OVERLAPS = 2


def effect_spans(effect: PreviewClass) -> list[Span]:
    """One group of tasks on one line."""
    number = ("≤" if effect.at_most else "") + count(effect.count)
    quiet: Ink = "muted" if effect.overlaps else ""
    return [
        (f"{number:>8}  ", "muted" if effect.overlaps else "strong"),
        (f"{effect.label:<{LABEL}}  ", quiet),
        (effect.effect, TONES[effect.tone] or quiet),
    ]


def total_spans(plan: LaunchPlan, again: int | None) -> list[Span]:
    """How many are in the launch, and what that costs the engine; what speaks against it first, for the end is cut."""
    spans: list[Span] = [
        (f"{count(plan.count):>8}  ", "accent"),
        (f"{'task in the launch' if plan.count == 1 else 'tasks in the launch':<{0 if again else LABEL}}  ", "strong"),
    ]
    if again:
        spans.append((f"{count(again)} failed again after a retry   ", "warning"))
    return [*spans, (f"{things(plan.jobs, 'batch job')}, {things(plan.seeds, 'seed run')}", "muted")]


def of_jobs(effect: PreviewClass) -> PreviewClass:
    """A group of jobs beside groups of tasks."""
    return replace(effect, label=f"jobs {effect.label}")


def parts_spans(waves: RunPreparation) -> list[Span]:
    """How many are in a run of two parts."""
    return [
        (f"{count(waves.number):>8}  ", "accent"),
        (f"{waves.units}: a run of two parts", "strong"),
        ("   same waves and gate", "muted"),
    ]


def jobs_warnings(jobs: OperationPreparation) -> list[str]:
    """What is to be read about the jobs that are retried together with tasks."""
    if jobs.frozen is None:
        return [jobs.problem and f"The jobs could not be read: {jobs.problem}"]
    if not jobs.number:
        return ["None of the jobs can be retried any more: this is a run of the tasks alone."]
    return [jobs.denied, *(f"! jobs: {one}" for one in jobs.others_said())]


def job_items(jobs: OperationPreparation, most_ids: int) -> list[Item]:
    """What the engine is asked about the jobs."""
    number = things(sum(-(-size // most_ids) for size in jobs.sizes), "request")
    return [Spans((("POST ", "accent"), (f"/{RETRY_JOBS}", "strong"), (f"   {number}, of the jobs", "muted")))]


def request_items(plan: LaunchPlan, width: int, room: int) -> list[Item]:
    """The exact request: one field a line where there is room, else run on; ids abbreviated."""
    how = "by ids: exactly these tasks" + (f", for {plan.why_by_ids}" if plan.why_by_ids else "")
    if not plan.by_ids:
        how = "by query: takes what matches when it arrives"
    head: Item = Spans((("POST ", "accent"), (f"/{SET_RETRIES}", "strong"), (f"   {how}", "muted")))
    pretty = list(inert_lines(plan.json()))
    if len(pretty) < room:
        return [head, *(Spans((("  " + line, "muted"),)) for line in pretty)]
    compact = inert(json.dumps(json.loads(plan.json()), ensure_ascii=False))
    return [head, *(Spans((("  " + line, "muted"),)) for line in wrap(compact, width - 2, max(room - 1, 1)))]


def wave_items(plan: LaunchPlan, sizes: Sequence[int], most_ids: int, guarded: bool, room: int) -> list[Item]:
    """What the engine is asked by a run: a request for each wave, once its tasks were looked at again."""
    if not sizes:
        return []
    requests = things(sum(-(-size // most_ids) for size in sizes), "request")
    body = f'{{"retries": {plan.retries}, "externalTaskIds": [{things(sizes[0], "id")}]}}'
    then = f", then {', '.join(map(count, sizes[1:4]))}{' …' if len(sizes) > 4 else ''}" if len(sizes) > 1 else ""
    before = "each wave skips tasks that are gone, locked, already retried or newly failed"
    lines: list[Item] = [
        Spans((("POST ", "accent"), (f"/{SET_RETRIES}", "strong"), (f"   {requests}, exactly these ids", "muted"))),
        Spans(((f"  {body}{then}", "muted"),)),
        Spans(((f"  {before}", "muted"),)),
    ]
    if guarded:
        lines.append(
            Spans((("  the safety, once off, is off for all waves of this run and for nothing else", "muted"),))
        )
    return lines[: max(room, 1)]


def command_items(command: str, width: int, room: int) -> list[Item]:
    """The command that does the same, where there is room for it."""
    if room < 1 or not command:
        return []
    lines = wrap(inert(command), width - 4, room)
    first: Item = Spans((("$ ", "accent"), (lines[0], ""), *((("  c copies", "faint"),) if len(lines) == 1 else ())))
    return [first, *(Spans((("  " + line, ""),)) for line in lines[1:])]


def sample_items(tasks: Sequence[ExternalTask], now: datetime, room: int) -> list[Item]:
    """The oldest tasks, one line each."""
    return [_task(task, now) for task in tasks[: max(room, 0)]]


def _task(task: ExternalTask, now: datetime) -> Item:
    key = task.business_key or short(task.process_instance_id)
    process = f"{task.process_definition_key} {version_of(task.process_definition_id)}".strip()
    return Spans(
        (
            (f"  {inert(key)}", "strong"),
            (f"  {inert(task.topic_name)}", ""),
            (f"  {inert(process)}  {age(task.create_time, now)}", "muted"),
            (f"  {error_said(task)}", "failed" if task.error_message else "muted"),
        )
    )


def named(task: ExternalTask) -> str:
    """A single task as the head of the dialog names it."""
    return f"{inert(task.business_key or short(task.process_instance_id))}  ·  {inert(task.topic_name)}"


def overlap_items(batches: Sequence[OverlappingBatch], ours: int) -> list[Item]:
    """Who else is at it."""
    return [Prose(_overlap(batch, ours), "warning", lines=1) for batch in batches[:MOST_OVERLAPS]]


def _overlap(other: OverlappingBatch, ours: int) -> str:
    batch, since = short(other.batch_id, 9), f"{clock(other.since)[:5]}Z" if other.since is not None else ""
    halted = "suspended" if other.suspended else ""
    if other.covers is not None:
        who = inert(other.user) or ("this console" if other.own else "somebody")
        at = f" at {since}" if since else ""
        rest = f", {halted}" if halted else ""
        return f"! {who} launched batch {batch}{at} on {count(other.covers)} of these {count(ours)}{rest}"
    who = f"{inert(other.user)}'s batch" if other.user else "batch"
    told = ", ".join(filter(None, (since, f"{count(other.left)} to go", halted)))
    return f"! {who} {batch} ({told}) may hold some of these tasks"


def record_said(record: EarlierLaunches) -> str:
    """What the last launches over a topic came to."""
    which = "last bulk retry" if record.launches == 1 else f"last {record.launches} bulk retries"
    who = " ".join(filter(None, (inert(record.user), f"({inert(record.reason)})" if record.reason else "")))
    by = f"; {'by' if record.launches == 1 else 'the last by'} {who}" if who else ""
    newer = f", without {things(record.left_out, 'newer one')}" if record.left_out else ""
    of = f"{which} of {inert(record.topic)}{newer}"
    if not record.decided:
        return f"{of}: {things(record.tasks, 'task')}, none done or failed yet{by}"
    if record.tasks == 1:
        failed = "failed again" if record.share else "did not fail again"
        return f"{of}: its one task {failed}{by}"
    still = f", {count(record.open)} still open" if record.open else ""
    about = "about " if record.about else ""
    return f"{of}: {about}{record.share}% of {things(record.decided, 'task')} failed again{still}{by}"


def quiet_said(quiet: Sequence[TopicWithoutWorker]) -> str:
    """Topics without a worker, with the time of the last report of one where the log tells."""
    return ", ".join(f"{inert(one.topic)}{f' (last report {moment(one.last)})' if one.last else ''}" for one in quiet)


def moment(when: datetime) -> str:
    """The time of day, with the day where that is another one."""
    today = when.astimezone(UTC).date() == datetime.now(UTC).date()
    return f"{clock(when)[:5]}Z" if today else f"{day(when)[:16]}Z"


def drift_items(drift: int, at: datetime, matching: bool) -> list[Item]:
    """What has changed since it was counted.

    Args:
        drift: how many more there are.
        at: when they were counted.
        matching: they are those that match a query, not those that were named.
    """
    if not drift:
        return []
    which = f"{count(abs(drift))} {'more' if drift > 0 else 'fewer'} match by now" if matching else ""
    which = which or f"{things(abs(drift), 'task is', 'tasks are')} {'gone by now' if drift < 0 else 'back'}"
    return [Prose(f"! since {clock(at)}: {which}.  F counts again", "warning", lines=1)]
