"""What the connected engine can: which filters, sort keys and fields of records it knows.

An engine ignores a field that it does not know, without a word, in a body and in a query string: the filter is not
applied, and an order by query takes more than was meant (observed on Camunda 7.21.0, which ignores
``processDefinitionKey`` in a query of external tasks). No version is trusted, for forks count their own: the engine is
asked with values that nothing can have. A row that is answered all the same proves that the filter was ignored. Where
there are no rows yet, a value of the wrong type is sent instead: who knows the field refuses it, who does not answers
an empty list.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import UnionType
from typing import Any, Literal, Protocol, Union, get_args, get_origin

from retriage.console.engine.errors import EngineProblem, Refused
from retriage.console.nouns import NOUNS, Noun
from retriage.store.contract.model import Shape
from retriage.store.contract.queries import (
    ExternalTaskQuery,
    HistoricProcessInstanceQuery,
    JobQuery,
    ProcessInstanceQuery,
    Query,
    VariableFilter,
)
from retriage.store.contract.records import ExternalTask, HistoricProcessInstance, Job, ProcessInstance

NOBODY = "retriage-asks-whether-this-is-heeded"
"""An id, key, name or text that nothing on an engine has."""

Verdict = Literal["heeded", "ignored", "not known"]


@dataclass(frozen=True)
class AskedList:
    """A list of the contract whose words are asked about.

    Attributes:
        noun: what it lists; it is requested by POST.
        query: its filters and sort keys.
        record: what a row holds.
        doubtful: filters that some engine of the family does not know. Until the engine has proven one of them it is
            taken as ignored; the others are asked about when they are used for an order.
        sorts: its sort keys are asked about too; a list of the history is too long to be sorted for a question.
    """

    noun: Noun
    query: type[Query]
    record: type[Shape]
    doubtful: tuple[str, ...]
    sorts: bool = True


LISTS: Mapping[str, AskedList] = {
    "tasks": AskedList(
        NOUNS["tasks"],
        ExternalTaskQuery,
        ExternalTask,
        (
            "process_definition_key",
            "process_definition_key_in",
            "process_definition_name",
            "process_definition_name_like",
            "process_variables",
        ),
    ),
    "instances": AskedList(NOUNS["instances"], ProcessInstanceQuery, ProcessInstance, ("root_process_instance_id",)),
    "jobs": AskedList(NOUNS["jobs"], JobQuery, Job, ("acquired",)),
    "history": AskedList(
        NOUNS["history"],
        HistoricProcessInstanceQuery,
        HistoricProcessInstance,
        ("activity_id_in", "incident_id_in", "process_instance_id_not_in", "root_process_instance_id"),
        sorts=False,
    ),
}
"""Subject of the filter language -> its list. Lists that are missing here have no filter that an engine is known to
lack."""


class FirstRows(Protocol):
    """The part of the client that lists rows as the engine wrote them."""

    async def first_rows(self, path: str, body: Mapping[str, Any], size: int) -> list[dict[str, Any]]:
        """The first rows of a list that is asked for by POST."""
        ...


@dataclass(frozen=True)
class ListCapabilities:
    """What is known of one list.

    Attributes:
        asked: the engine has answered; until then the doubtful filters are taken as ignored.
        heeded: filters that were proven.
        ignored: filters that the engine was seen to ignore.
        unsortable: sort keys that it refuses.
        absent: fields that its records do not have; none as long as there is no row to look at.
        seen: there was a row to look at.
    """

    asked: bool = False
    heeded: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    unsortable: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    seen: bool = False


@dataclass(frozen=True)
class Capabilities:
    """What an engine can, list by list; a value that is replaced when more is known.

    Attributes:
        lists: subject -> what is known of its list.
        everything: the engine is the one of this console, which knows all of the contract.
    """

    lists: Mapping[str, ListCapabilities] = field(default_factory=dict)
    everything: bool = False

    def of(self, subject: str) -> ListCapabilities:
        """What is known of a subject's list."""
        return self.lists.get(subject, ListCapabilities())

    def unreliable(self, subject: str) -> frozenset[str]:
        """Filters that must not be left to the engine: seen to be ignored, or doubtful and not proven yet."""
        if self.everything or subject not in LISTS:
            return frozenset()
        known = self.of(subject)
        return known.ignored | (frozenset(LISTS[subject].doubtful) - known.heeded)

    def unsortable(self, subject: str) -> frozenset[str]:
        """Sort keys that the engine refuses."""
        return self.of(subject).unsortable

    def absent(self, subject: str) -> frozenset[str]:
        """Fields that the engine's records do not have."""
        return self.of(subject).absent

    def unproven(self, subject: str, fields: Iterable[str]) -> list[str]:
        """Those of the filters that the engine was not asked about yet, or gave no clear answer to."""
        if self.everything or subject not in LISTS:
            return []
        known = self.of(subject)
        return [name for name in fields if name not in known.heeded | known.ignored]

    @property
    def asked(self) -> bool:
        """Every list that is asked about at connect has answered."""
        return self.everything or all(self.of(subject).asked for subject in AT_CONNECT)

    @property
    def limits(self) -> dict[str, list[str]]:
        """Subject -> what the engine cannot, as the contract names it; subjects without limits are left out."""
        told = {}
        for subject, one in LISTS.items():
            known = self.of(subject)
            lacking = [f"ignores {wire_name(one.query, name)}" for name in sorted(known.ignored)]
            lacking += [f"cannot sort by {key}" for key in sorted(known.unsortable)]
            lacking += [f"returns no {wire_name(one.record, name)}" for name in sorted(known.absent)]
            if lacking:
                told[subject] = lacking
        return told


EVERYTHING = Capabilities(everything=True)
"""The engine in this process."""
AT_CONNECT = ("tasks", "instances", "jobs")
"""Subjects that are asked about at connect; the others when they are used."""


async def at_connect(client: FirstRows, known: Capabilities | None = None) -> Capabilities:
    """Ask about everything that some engine of the family is known to lack: some ten small questions.

    Args:
        client: lists rows.
        known: what was found out before; a list that has answered and shown a row is not asked again.

    Raises:
        EngineProblem: the engine did not answer a first question.
    """
    found = known or Capabilities()
    for subject in AT_CONNECT:
        found = await learn(client, found, subject)
    return found


async def learn(client: FirstRows, known: Capabilities, subject: str, fields: Iterable[str] = ()) -> Capabilities:
    """Ask about a list, and about filters of it that are not known yet.

    Args:
        client: lists rows.
        known: what was found out before.
        subject: a key of :data:`LISTS`; for any other there is nothing to ask.
        fields: filters to prove besides the doubtful ones.

    Raises:
        EngineProblem: the engine did not answer the first question about the list.
    """
    if known.everything or subject not in LISTS:
        return known
    table, had = LISTS[subject], known.of(subject)
    if not had.asked or not had.seen:
        had = await _first_look(client, table, had)
    wanted = dict.fromkeys((*table.doubtful, *fields))
    unknown = [name for name in wanted if name not in had.heeded | had.ignored and name in table.query.filters()]
    verdicts = await asyncio.gather(*(_heeds(client, table, name, had.seen) for name in unknown))
    told = dict(zip(unknown, verdicts, strict=True))
    had = replace(
        had,
        heeded=had.heeded | {name for name, verdict in told.items() if verdict == "heeded"},
        ignored=had.ignored | {name for name, verdict in told.items() if verdict == "ignored"},
    )
    return replace(known, lists={**known.lists, subject: had})


async def heeds(client: FirstRows, subject: str, name: str) -> bool:
    """Whether the engine is known to heed one filter of a list; one small question.

    Args:
        client: lists rows.
        subject: a key of :data:`LISTS`.
        name: the filter.
    """
    return await _heeds(client, LISTS[subject], name, False) == "heeded"


async def _first_look(client: FirstRows, table: AskedList, had: ListCapabilities) -> ListCapabilities:
    """One row, sorted by every key at once: its fields, and whether the keys are known."""
    unsortable: frozenset[str] = frozenset()
    keys = table.query.SORT_KEYS if table.sorts else ()
    try:
        rows = await client.first_rows(table.noun.path, _sorted(*keys), 1)
    except Refused as problem:
        if problem.status != 400 or problem.between or not keys:
            raise
        rows = await client.first_rows(table.noun.path, {}, 1)
        refused = await asyncio.gather(*(_refuses(client, table, key) for key in keys))
        unsortable = frozenset(key for key, no in zip(keys, refused, strict=True) if no)
    absent = had.absent
    if rows:
        fields = table.record.model_fields.items()
        absent = frozenset(name for name, info in fields if (info.alias or name) not in rows[0])
    return replace(had, asked=True, unsortable=unsortable, absent=absent, seen=had.seen or bool(rows))


def _sorted(*keys: str) -> dict[str, Any]:
    return {"sorting": [{"sortBy": key, "sortOrder": "asc"} for key in keys]} if keys else {}


async def _refuses(client: FirstRows, table: AskedList, key: str) -> bool:
    try:
        await client.first_rows(table.noun.path, _sorted(key), 1)
    except Refused as problem:
        return problem.status == 400 and not problem.between
    return False


async def _heeds(client: FirstRows, table: AskedList, name: str, rows: bool) -> Verdict:
    """Whether the engine heeds a filter.

    Args:
        client: lists rows.
        table: the list.
        name: the filter.
        rows: the list has rows.
    """
    said = wire_name(table.query, name)
    impossible = _impossible(table.query, name)
    try:
        if rows and impossible is not None:
            return "ignored" if await client.first_rows(table.noun.path, {said: impossible}, 1) else "heeded"
        await client.first_rows(table.noun.path, {said: _of_wrong_type(table.query, name)}, 1)
    except Refused as problem:
        # What cannot be read is refused in text/plain, with the name of the field (observed on Camunda 7.24.0 and
        # 7.21.0); a page of a proxy with that status proves nothing.
        named = not problem.between or f'"{said}"' in problem.message
        return "heeded" if problem.status == 400 and named and (impossible is None or not rows) else "not known"
    except EngineProblem:
        return "not known"
    return "ignored"


def wire_name(shape: type[Shape], name: str) -> str:
    """A field as it stands in JSON."""
    return shape.model_fields[name].alias or name


def _impossible(query: type[Query], name: str) -> Any:
    """A value that no row has; nothing where there is none: for a flag, and for what must not be or means anything."""
    if name.endswith("_not_in") or name == "incident_status":
        return None
    inside = _inside(query.model_fields[name].annotation)
    if VariableFilter in inside:
        return [{"name": NOBODY, "operator": "eq", "value": NOBODY}]
    if str in inside:
        return [NOBODY] if list in inside else NOBODY
    return None


def _of_wrong_type(query: type[Query], name: str) -> Any:
    """A value that an engine which knows the field cannot read: text where there is no text, and an object where there
    is."""
    inside = _inside(query.model_fields[name].annotation)
    return NOBODY if list in inside or str not in inside else {}


def _inside(annotation: Any) -> set[Any]:
    """The types that an annotation is made of."""
    origin = get_origin(annotation)
    if origin is None:
        return {annotation}
    found = set() if origin in (Union, UnionType) else {origin}
    for part in get_args(annotation):
        found |= _inside(part)
    return found
