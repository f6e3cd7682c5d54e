"""Rows that are like one: what its cells say in the filter language, and where it is read by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote as quoted_part

from retriage.console.causes.fold import fold
from retriage.console.language.tokens import quote
from retriage.console.nouns import NOUNS
from retriage.console.screens import job_states, task_states

Say = Callable[[Any], "str | None"]
_MESSAGE = 80
_ENOUGH = 8
"""Characters of a message that make a filter: at most, and the fewest that tell one cause from others."""


def path_of(subject: str, row_id: str) -> str:
    """Where a row is read by itself, below the REST root; empty if there is no such place."""
    return f"{NOUNS[subject].record_path}/{quoted_part(row_id, safe='')}" if subject in NOUNS else ""


def cell_words(rows: str, record: Any, now: datetime | None = None) -> dict[str, str]:
    """Title of a column -> the word of the filter language that fits the rows that are like this one there.

    Args:
        rows: a subject of the filter language, or ``members`` of a group of incidents.
        record: what the row shows.
        now: the moment that locks are judged by; this one if none is given.
    """
    words = {title: say(record) for title, say in _WORDS.get(rows, {}).items()}
    at = now or datetime.now(UTC)
    words |= {title: say_at(record, at) for title, say_at in _WORDS_OF_A_MOMENT.get(rows, {}).items()}
    return {title: word for title, word in words.items() if word}


def _is(name: str, field: str, absent: str | None = None) -> Say:
    def say(record: Any) -> str | None:
        value = getattr(record, field, None)
        return absent if value in (None, "") else f"{name}:{quote(str(value))}"

    return say


def _message(field: str, absent: str) -> Say:
    """The beginning of a message, up to what differs from case to case; that there is none."""

    def say(record: Any) -> str | None:
        message = getattr(record, field, "")
        if message is None:
            return absent
        text = message.split("\n")[0][:_MESSAGE].strip()
        alike = fold(text).split("<*>")[0].strip()
        text = alike if len(alike) >= _ENOUGH and text.startswith(alike) else text
        return f"error~{quote(text)}" if text else None

    return say


def _key_of(name: str, field: str) -> Say:
    """The key in a process definition id of the form ``key:version:id``."""

    def say(record: Any) -> str | None:
        key = (getattr(record, field, None) or "").split(":")[0]
        return f"{name}:{quote(key)}" if key else None

    return say


def _version(field: str) -> Say:
    def say(record: Any) -> str | None:
        parts = (getattr(record, field, None) or "").split(":")
        return f"version:{parts[1]}" if len(parts) >= 3 and parts[1].isdigit() else None

    return say


def _tries(record: Any) -> str:
    return "retries:-" if record.retries is None else f"retries:{record.retries}"


def _lock(record: Any, now: datetime) -> str:
    expiry = record.lock_expiration_time
    return "locked" if expiry is not None and expiry > now else "-locked"


def _of(part: str, say: Say) -> Say:
    """What a part of the record says, where it has that part."""
    return lambda record: None if getattr(record, part) is None else say(getattr(record, part))


_STATES = {"S": "suspended", "L": "locked", "X": "retries:0", "r": "retrying", "·": "-failed", "w": "-failed"}
"""Letter of a state -> what makes it. Of the others in the same state none is left out."""


def _state_of_task(record: Any, now: datetime) -> str:
    return {**_STATES, "w": "locked"}[task_states.state_of(record, now)]


def _state_of_job(record: Any, now: datetime) -> str:
    return _STATES[job_states.state_of(record, now)]


_WORDS_OF_A_MOMENT: Mapping[str, Mapping[str, Callable[[Any, datetime], str]]] = {
    "tasks": {"S": _state_of_task, "lock": _lock},
    "jobs": {"S": _state_of_job},
}
_WORDS: Mapping[str, Mapping[str, Say]] = {
    "tasks": {
        "topic": _is("topic", "topic_name"), "key": _is("key", "business_key", "-key"),
        "try": _tries, "process": _is("process", "process_definition_key"),
        "error": _message("error_message", "-error"),
    },
    "instances": {
        "S": lambda instance: "suspended" if instance.suspended else "-suspended",
        "key": _is("key", "business_key", "-key"), "process": _is("process", "definition_key"),
        "version": _version("definition_id"), "instance": _is("id", "id"),
        "tenant": _is("tenant", "tenant_id", "-tenant"),
    },
    "incidents": {
        "T": _is("type", "incident_type"), "activity": _is("activity", "activity_id"),
        "process": _key_of("process", "process_definition_id"), "failed": _is("task", "configuration"),
        "cause": _message("incident_message", "-error"), "note": _is("note", "annotation", "-note"),
    },
    "members": {
        "key": _of("fact", _is("key", "business_key", "-key")),
        "process": _of("member", _key_of("process", "process_definition_id")),
        "try": lambda record: "gone" if record.gone else _of("fact", _tries)(record),
        "activity": _of("member", _is("activity", "activity_id")),
        "worker": _of("fact", _is("worker", "worker_id", "-worker")),
        "failed": _of("member", _is("task", "configuration")),
        "message": _of("member", _message("incident_message", "-error")),
    },
    "jobs": {
        "try": _tries, "job": _is("id", "id"),
        "of": lambda job: _is("batch", "batch_id")(job) or _is("process", "process_definition_key", "-process")(job),
        "cause": _message("exception_message", "-failed"), "pri": _is("priority", "priority"),
    },
    "batches": {"type": _is("type", "type"), "by": _is("by", "create_user_id"), "batch": _is("id", "id")},
}  # fmt: skip
