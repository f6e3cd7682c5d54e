"""An open incident as the groups remember it: little enough that a hundred thousand of them fit.

Groups keep them as plain tuples. The garbage collector passes over plain tuples of texts and times, which it does not
do with objects of any class: with those, every one of its great rounds would stop the screen for a quarter of a second.
"""

from __future__ import annotations

from datetime import datetime
from sys import intern
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from retriage.console.causes.fold import LONGEST
from retriage.store.contract.records import FAILED_EXTERNAL_TASK, FAILED_JOB

if TYPE_CHECKING:
    from retriage.store.contract.records import Incident

Kind = Literal["T", "J", "C", "?"]
"""What has failed: an external task, a job, something in a called process, something of another type."""

_KINDS: dict[str, Kind] = {FAILED_EXTERNAL_TASK: "T", FAILED_JOB: "J"}


Kept = tuple[Any, ...]
"""A member as a plain tuple, its fields in the same order."""


class GroupMember(NamedTuple):
    """One open incident. The message is cut; the rest is named as in the contract."""

    id: str
    kind: Kind
    incident_type: str
    incident_timestamp: datetime
    activity_id: str | None
    process_definition_id: str | None
    process_instance_id: str | None
    configuration: str | None
    incident_message: str | None
    annotation: str | None
    arrived: int = 0
    """How often the operator had looked when it came."""


def kind_of(incident: Incident) -> Kind:
    """What has failed.

    An incident in a called process raises one in each caller too, with another one as its cause and without a
    configuration. Nothing can be retried there, and it closes with its cause.
    """
    if incident.configuration is None and incident.cause_incident_id not in ("", incident.id):
        return "C"
    return _KINDS.get(incident.incident_type, "?")


def group_member_of(incident: Incident) -> GroupMember:
    """The incident with its message cut; names that many incidents have in common are kept once."""
    message = incident.incident_message
    return GroupMember(
        incident.id,
        kind_of(incident),
        intern(incident.incident_type),
        incident.incident_timestamp,
        _shared(incident.activity_id),
        _shared(incident.process_definition_id),
        incident.process_instance_id,
        incident.configuration,
        message if message is None or len(message) <= LONGEST else message[:LONGEST],
        incident.annotation,
    )


def _shared(name: str | None) -> str | None:
    return None if name is None else intern(name)
