"""By what rows of a query are broken down."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

NOBODY = "none"
AGES = (
    (timedelta(minutes=15), "<15m"),
    (timedelta(hours=1), "15m-1h"),
    (timedelta(hours=2), "1-2h"),
    (timedelta(hours=4), "2-4h"),
    (timedelta(days=1), "4h-1d"),
    (timedelta(days=7), "1-7d"),
)
OLDEST = ">7d"


@dataclass(frozen=True)
class Breakdown:
    """One way to break rows down.

    Attributes:
        name: for the screen.
        value: the value of a row.
        ordered: its values have an order of their own, other than by number.
    """

    name: str
    value: Callable[[Any], str]
    ordered: tuple[str, ...] = ()


def breakdowns_of(subject: str, now: datetime) -> Sequence[Breakdown]:
    """How rows of a subject are broken down; ages count from ``now``."""
    ages = (*(name for _, name in AGES), OLDEST, "?")

    def aged(name: str) -> Breakdown:
        return Breakdown("age", lambda row: _age(getattr(row, name), now), ages)

    if subject == "tasks":
        process = Breakdown("process", lambda row: _process(row.process_definition_key, row.process_definition_id))
        return (
            Breakdown("topic", lambda row: str(row.topic_name)),
            process,
            aged("create_time"),
            _held("tenant", "tenant_id"),
        )
    if subject == "incidents":
        type_, activity = _held("type", "incident_type"), _held("activity", "activity_id")
        return (type_, activity, aged("incident_timestamp"), _held("tenant", "tenant_id"))
    if subject == "instances":
        return (
            Breakdown("process", lambda row: _process(row.definition_key, row.definition_id)),
            _held("tenant", "tenant_id"),
        )
    if subject == "history":
        process = Breakdown("process", lambda row: _process(row.process_definition_key, row.process_definition_id))
        return (process, _held("state", "state"), aged("start_time"), _held("tenant", "tenant_id"))
    if subject == "jobs":
        return (Breakdown("retries", lambda row: str(row.retries)), _held("batch", "batch_id"), aged("create_time"))
    return (_held("type", "type"), _held("tenant", "tenant_id"))


def _held(name: str, field: str) -> Breakdown:
    return Breakdown(name, lambda row: getattr(row, field) or NOBODY)


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "?"
    return next((name for limit, name in AGES if now - moment < limit), OLDEST)


def _process(key: str, id: str) -> str:
    parts = id.split(":")
    return f"{key} v{parts[1]}" if len(parts) >= 3 and parts[1].isdigit() else key
