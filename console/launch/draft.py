"""A query while it is built: one text per source of a request, and the JSON that means the same.

The texts are the truth. The form and the JSON are read from them and written back to them, so that no face of a query
knows more than the others.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from retriage.console.engine.batch_request import BatchRequest
from retriage.console.engine.capabilities import EVERYTHING, Capabilities
from retriage.console.language import SUBJECTS, Condition, Mistake, Parsed, Subject, parse, subject_on, write
from retriage.console.language.tokens import tokens
from retriage.console.reading.selection import Everything, matches_all
from retriage.console.text.nearest import nearest
from retriage.store.contract.model import Shape
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.queries import ExternalTaskQuery, Query
from retriage.store.contract.values import INT_MAX

ALL = "all:yes"
"""Said on purpose: no filter, every row is meant."""


class Unusable(Exception):
    """A face of the query holds something that cannot be meant; the text is one sentence."""


@dataclass(frozen=True)
class Source:
    """Where tasks come from.

    Attributes:
        field: field of the request.
        title: for the screen.
        subject: what its text filters; empty where the text is a list of ids.
        whole: it takes all external tasks of instances, healthy ones too.
    """

    field: str
    title: str
    subject: str = ""
    whole: bool = False


SOURCES: tuple[Source, ...] = (
    Source("external_task_query", "tasks", "tasks"),
    Source("external_task_ids", "task ids"),
    Source("process_instance_ids", "instance ids", whole=True),
    Source("process_instance_query", "instances", "instances", whole=True),
    Source("historic_process_instance_query", "history", "history", whole=True),
)
"""The sources of a launch; it takes the union of what they name."""


@dataclass(frozen=True)
class Draft:
    """A query, or a request with several sources.

    Attributes:
        sources: of what it is made; the first one is the list's own.
        texts: field of a source -> its text; a source without a text takes no part.
        retries: value to set, for a request.
        capabilities: what the engine can: what it would ignore is sought here.
    """

    sources: tuple[Source, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    retries: int = 1
    capabilities: Capabilities = EVERYTHING

    @property
    def request(self) -> bool:
        """It becomes a launch, not only a list."""
        return len(self.sources) > 1

    def text(self, source: Source) -> str:
        """The text of a source."""
        return self.texts.get(source.field, "")

    def by_ids(self, ids: Iterable[str]) -> "Draft":
        """The request with the same retries that names these tasks one by one."""
        source = next(source for source in self.sources if source.field == "external_task_ids")
        return replace(self, texts={source.field: " ".join(sorted(ids))})

    def with_text(self, source: Source, text: str) -> "Draft":
        """The draft with another text."""
        return replace(self, texts={**self.texts, source.field: text})

    @cached_property
    def _parsed(self) -> dict[str, Parsed[Any]]:
        return {}

    def words(self, source: Source) -> Subject[Any]:
        """The words of a source on this engine."""
        return subject_on(source.subject, self.capabilities)

    def parsed(self, source: Source) -> Parsed[Any]:
        """What a source's text says. Relative times count from the first time that this is asked."""
        if source.field not in self._parsed:
            self._parsed[source.field] = parse(without_all(self.text(source)), self.words(source))
        return self._parsed[source.field]

    def ids(self, source: Source) -> list[str]:
        """The ids that a source's text lists, each one once."""
        return list(dict.fromkeys(self.text(source).replace(",", " ").split()))

    @property
    def chosen(self) -> list[Source]:
        """Sources that take part, as their text says something."""
        return [source for source in self.sources if self.text(source).strip()]

    def mistake(self, source: Source) -> Mistake | None:
        """The first mistake in a source's text."""
        if not source.subject:
            return None
        return next(iter(self.parsed(source).mistakes), None)

    def refusal(self) -> str:
        """Why this cannot be asked or launched, in one sentence; empty if it can."""
        for source in self.chosen:
            mistake = self.mistake(source)
            if mistake is not None:
                return mistake.sentence
        if self.request and not self.chosen:
            return f"An empty query selects EVERY external task; type {ALL} to mean it."
        for source in self.chosen:
            if source.subject and not says_all(self.text(source)) and matches_all(self.parsed(source).query):
                if self.parsed(source).conditions:
                    continue
                return f"This query selects {_every(source)}; type {ALL} to mean it." if self.request else ""
        return ""

    @property
    def plain(self) -> bool:
        """The engine can be told all of it."""
        return all(self.parsed(source).plain for source in self.chosen if source.subject)

    def order(self) -> SetExternalTaskRetries:
        """The request as the engine understands it, without what only the console can filter by."""
        values: dict[str, Any] = {}
        for source in self.chosen:
            values[source.field] = _bare(self.parsed(source).query) if source.subject else self.ids(source)
        return SetExternalTaskRetries(retries=self.retries, **values)

    def everything(self) -> Everything | None:
        """The selection, where one query of tasks says all of it."""
        first = self.sources[0]
        if self.chosen == [first] and first.subject == "tasks" and self.plain:
            query = self.parsed(first).query
            assert isinstance(query, ExternalTaskQuery)
            return Everything(_bare(query))
        return None

    def body(self) -> dict[str, Any]:
        """The JSON object of this draft."""
        if not self.request:
            wire: dict[str, Any] = self.parsed(self.sources[0]).query.wire()
            return wire
        return BatchRequest(self.order()).value

    def read_body(self, text: str) -> "Draft":
        """The draft that a JSON text means; what only the console filters by is kept, for JSON has no place for it.

        Raises:
            Unusable: it is no JSON, holds an unknown field or a wrong value, or something that no text can say.
        """
        value = _json(text)
        if not self.request:
            source = self.sources[0]
            query = _read(SUBJECTS[source.subject].query, value, source.subject)
            return self.with_text(source, self._written(source, query))
        order = _read(SetExternalTaskRetries, value, "the request")
        retries = order.retries
        if retries is None or not 0 <= retries <= INT_MAX:
            raise Unusable("retries is needed: a whole number, 0 or more.")
        texts = {source.field: self._said(source, getattr(order, source.field)) for source in self.sources}
        return replace(self, texts=texts, retries=retries)

    def with_field(self, source: Source, name: str, value: Any) -> "Draft":
        """The draft with another value of one field of a source's query; ``None`` takes it away.

        Raises:
            Unusable: the value does not fit beside the others.
        """
        return self.with_text(source, self._written(source, self.parsed(source).query.model_copy(update={name: value})))

    def with_conditions(self, source: Source, conditions: tuple[Condition, ...]) -> "Draft":
        """The draft with other conditions that the console looks for."""
        return self.with_text(source, write(self.parsed(source).query, source.subject, conditions))

    def _said(self, source: Source, value: Any) -> str:
        if value is None or value == []:
            return ""
        if not source.subject:
            for id in value:
                if not id or any(letter.isspace() or letter == "," for letter in id):
                    raise Unusable(f"{_alias(SetExternalTaskRetries, source.field)} holds something that is not an id.")
            return " ".join(value)
        text = self._written(source, value)
        if text:
            return text
        if says_all(self.text(source)):
            return ALL
        name, every = _alias(SetExternalTaskRetries, source.field), _every(source)
        raise Unusable(f"{name} holds no filter and selects {every}; type {ALL} into its text to mean it.")

    def _written(self, source: Source, query: Query) -> str:
        """A query as the text of a source, with the conditions that it has already."""
        conditions = self.parsed(source).conditions
        for name, reason in SUBJECTS[source.subject].left_out.items():
            if getattr(query, name) not in (None, []):
                raise Unusable(f"{_alias(type(query), name)} has no word here: {reason}.")
        try:
            text = write(query, source.subject, conditions)
        except (ValueError, KeyError, AttributeError, TypeError) as problem:
            raise Unusable(f"This query cannot be put into words: {_plain(problem)}.") from problem
        again = parse(text, self.words(source))
        if again.mistakes:
            raise Unusable(again.mistakes[0].sentence)
        kept = again.query.chosen()
        for name, value in query.chosen().items():
            if name not in kept and name not in self.words(source).unreliable:
                empty = "an empty list" if value == [] else "false" if value is False else "empty"
                raise Unusable(f"{_alias(type(query), name)} is {empty} and filters nothing: take it out.")
        return text


def says_all(text: str) -> bool:
    """Whether a text says on purpose that every row is meant."""
    return without_all(text) != text


def without_all(text: str) -> str:
    """The text with blanks where it says that every row is meant."""
    for token in tokens(text):
        if token.name == "all" and token.operator in (":", "=") and [value.text for value in token.values] == ["yes"]:
            text = text[: token.start] + " " * (token.end - token.start) + text[token.end :]
    return text


def counted_from(draft: Draft, now: datetime) -> Draft:
    """The draft with its relative times counted from this moment."""
    fresh = replace(draft)
    for source in fresh.chosen:
        if source.subject:
            fresh._parsed[source.field] = parse(without_all(fresh.text(source)), fresh.words(source), now)
    return fresh


def _bare(query: Any) -> Any:
    return query.model_copy(update={"sorting": None, "sort_by": None, "sort_order": None})


def _every(source: Source) -> str:
    """What a source without a filter takes."""
    return "the tasks of EVERY instance" if source.whole else "EVERY external task"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are all different: of two values under one name a reader keeps one and says nothing."""
    held: dict[str, Any] = {}
    for name, value in pairs:
        if name in held:
            raise Unusable(f"{name} is given twice; keep one of them.")
        held[name] = value
    return held


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}", object_pairs_hook=_once)
    except json.JSONDecodeError as problem:
        raise Unusable(
            f"This is not JSON: line {problem.lineno}, column {problem.colno}: {problem.msg.lower()}."
        ) from None
    except RecursionError:
        raise Unusable("This JSON is nested too deeply.") from None
    if not isinstance(value, dict):
        raise Unusable("The JSON has to be an object in braces.")
    return value


def _read(shape: type[Any], value: dict[str, Any], where: str) -> Any:
    _known_only(shape, value, where)
    try:
        return shape.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise Unusable(f"{place or where}: {_lowered(message)}.") from None


def _known_only(shape: type[Shape], value: Any, where: str) -> None:
    """Unknown names are passed over by the engine, which then selects more than was meant."""
    if not isinstance(value, dict):
        return
    known = {info.alias or name: info for name, info in shape.model_fields.items()}
    for name, inner in value.items():
        if name not in known:
            near = nearest(str(name), known)
            hint = f"; did you mean {near}?" if near else "."
            raise Unusable(f"{name} is not a field of {where}{hint}")
        deeper = _shape(known[name].annotation)
        for one in inner if isinstance(inner, list) else [inner]:
            if deeper is not None:
                _known_only(deeper, one, name)


def _shape(annotation: Any) -> type[Shape] | None:
    """The shape inside ``Shape | None`` or ``list[Shape] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return annotation
    return next((found for inner in getattr(annotation, "__args__", ()) if (found := _shape(inner)) is not None), None)


def _alias(shape: type[Shape], name: str) -> str:
    return shape.model_fields[name].alias or name


def _plain(problem: Exception) -> str:
    return str(problem) if isinstance(problem, ValueError) and str(problem) else "it holds an unknown value"


def _lowered(text: str) -> str:
    return (text[:1].lower() + text[1:]).rstrip(".")
