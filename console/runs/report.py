"""A run in one Markdown file for the ticket of an incident: what was chosen, sent, judged and undone.

Texts of engines, workers and operators stand in code spans: nothing in them is a heading, a link, a picture, HTML, or
calls anybody. Variables are named; what they were compared with is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from retriage.console.language.tokens import quoted, tokens
from retriage.console.operations.known import operation_of
from retriage.console.runs.event_text import counts_text
from retriage.console.runs.rules_text import pace_text, seconds_text, share_text
from retriage.console.runs.run_view import RunRecords, gate_of, left_out_said
from retriage.console.text.inert import inert
from retriage.console.text.words import things

if TYPE_CHECKING:
    from retriage.store.journal import Launch, RunStep

MOST_LINES = 500
"""Lines of one list: causes, batches, steps. What is left out is counted."""
LONGEST = 600
"""Characters of somebody's text."""


def report(records: RunRecords, at: datetime) -> str:
    """The report as Markdown.

    Args:
        records: of the run.
        at: the present.
    """
    return "\n".join(_lines(records, at)) + "\n"


def _lines(records: RunRecords, at: datetime) -> Iterator[str]:
    view = records.view
    run, operation = view.run, view.operation
    number = run.listed or 0
    yield f"# Run {run.id}: {operation.word} of {operation.units(number)}"
    yield ""
    yield f"- State: {_word(view.word)}{f', {code(view.said)}' if view.said else ''}"
    yield f"- Engine: {code(run.engine)}{f' at {code(run.url)}' if run.url and run.url != run.engine else ''}"
    yield f"- By: {code(run.user) if run.user else 'no login'}"
    yield f"- Reason: {code(run.reason) if run.reason else 'none given'}"
    if records.other_said:
        yield f"- {records.other_said}"
    yield f"- Began: {_time(run.began_at)}, ended: {_time(run.ended_at)}"
    yield f"- Written: {_time(at)}, from the journal of this console"
    yield from ("", "## What was chosen", "")
    yield f"- {operation.units(number)} of {code(without_values(run.title))}, as they were at {_time(run.frozen_at)}"
    where = "process" if operation.unit == "job" else "topic"
    causes = [f"about {cause.tasks:,} of {where} {code(cause.topic)}: {code(cause.cause)}" for cause in records.causes]
    yield from _listed([f"had failed, {one}" for one in causes])
    yield from ("", "## What was ordered", "")
    gate = gate_of(run)
    judged = (
        f"the next wave goes when at most {share_text(gate.limit)} may fail again" if gate else "each wave is checked"
    )
    if gate is not None and gate.new_cause:
        judged += " and none fails with a new error"
    yield f"- {operation.units(number)} {code(operation.aim)} in {things(len(view.waves), 'wave')}"
    yield f"- {judged}; a wave is watched for {seconds_text(run.watch)}; pace: {pace_text(run.pace) or 'none'}"
    yield from ("", "## Waves", "")
    yield "| wave | state | units | left out | done | again | new error | open | other |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for one in view.waves:
        counts, left = one.counts, sum(one.left_out.values())
        cells = (
            one.tasks,
            left,
            counts.done,
            counts.again,
            counts.new_cause,
            counts.open,
            counts.apart + counts.unknown,
        )
        yield f"| {one.wave} | {_word(one.state)} | {' | '.join(f'{cell:,}' for cell in cells)} |"
    yield ""
    for one in view.waves:
        if one.left_out:
            yield f"- wave {one.wave}, left out: {code(left_out_said(one.left_out, operation))}"
    yield f"- together {view.as_of}: {counts_text(view.counts)}".replace("  ", " ").replace(" :", ":")
    yield from ("", "## What was sent", "")
    yield from _listed([_launch(one) for one in records.launches]) if records.launches else ["- nothing"]
    yield from ("", "## What was undone", "")
    yield from _listed([_launch(one) for one in records.undos]) if records.undos else ["- nothing"]
    yield from ("", "## Step by step", "")
    yield from _listed([_step(step) for step in records.steps])


def _launch(launch: Launch) -> str:
    wave = f"wave {launch.wave}, " if launch.wave is not None else ""
    batch = f"batch {code(launch.batch_id)}" if launch.batch_id else "no batch is known"
    said = f"; {code(launch.said)}" if launch.said else ""
    operation = operation_of(launch)
    sent = f"{operation.units(launch.tasks)} {code(operation.aim)}: {_word(launch.state)}"
    return f"{_time(launch.began_at)} {wave}{sent}, {batch}{said}"


def _step(step: RunStep) -> str:
    wave = f"wave {step.wave} " if step.wave is not None else ""
    return f"{_time(step.at)} {wave}{code(step.what)}{f' {code(step.said)}' if step.said else ''}"


def _listed(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"- {line}" for line in lines[:MOST_LINES])
    if len(lines) > MOST_LINES:
        yield f"- and {len(lines) - MOST_LINES:,} more"


def _word(state: str) -> str:
    """A state in a word: a file that was taken over may hold anything."""
    return state if re.fullmatch(r"[a-z-]+", state) else "unknown"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z" if at is not None else "not yet"


def code(text: str) -> str:
    """Somebody's text as a code span of one line. Its fence is longer than any in the text, so that it does not end
    before the text does."""
    shown = inert(text[:LONGEST] + ("…" if len(text) > LONGEST else "")) or "-"
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def without_values(title: str) -> str:
    """A filter line with ``…`` in place of what variables are compared with."""
    parts, at = [], 0
    for token in tokens(title):
        if token.variable is not None and token.operator is not None:
            name = token.variable if re.fullmatch(r"[\w.-]+", token.variable) else quoted(token.variable)
            parts += [title[at : token.start], f"var.{name}{token.operator}…"]
            at = token.end
    return "".join([*parts, title[at:]])
