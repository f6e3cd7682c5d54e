"""From the text of a filter line to a query."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from retriage.console.language.conditions import Condition
from retriage.console.language.subject import Subject
from retriage.console.language.tokens import Token, Value, quote, quoted, tokens
from retriage.console.language.words import Beyond, Reading, Text, Word, Wrong
from retriage.console.text.nearest import nearest
from retriage.store.contract.queries import Query, Sorting

Q = TypeVar("Q", bound=Query)


@dataclass(frozen=True)
class Mistake:
    """What is wrong between two places of the text, in one sentence."""

    start: int
    end: int
    sentence: str


@dataclass(frozen=True)
class Parsed(Generic[Q]):
    """A line as a query, made of the words that could be read, and what is wrong with the others."""

    query: Q
    mistakes: list[Mistake] = field(default_factory=list)
    conditions: tuple[Condition, ...] = ()
    """What the console looks for itself in the rows that match the query."""

    @property
    def plain(self) -> bool:
        """The engine can be told all of it."""
        return not self.conditions


def read(text: str, subject: Subject[Q], now: datetime | None = None) -> Parsed[Q]:
    """Read a line; it never raises, whatever the text.

    Args:
        text: the line.
        subject: what it filters.
        now: the moment that relative times count from; the present, to the millisecond, if not given.
    """
    at = now or datetime.now(UTC)
    reading = Reading(subject.name, at.replace(microsecond=at.microsecond // 1000 * 1000))
    mistakes = [mistake for token in tokens(text) if (mistake := _read(token, text, subject, reading)) is not None]
    return Parsed(subject.query.model_validate(reading.fields), mistakes, tuple(reading.conditions))


def _read(token: Token, text: str, subject: Subject[Q], reading: Reading) -> Mistake | None:
    """Put a token into the reading; what is wrong leaves it as it was."""
    before = _copied(reading.fields)
    try:
        if token.flaw is not None:
            raise Wrong(token.flaw)
        _take(token, text, subject, reading)
        _keep_apart(subject, before, reading.fields)
    except Wrong as wrong:
        reading.fields = before
        start = token.start if wrong.start is None else wrong.start
        sentence = _turned(token, text, subject, reading.now) or wrong.sentence
        return Mistake(start, token.end if wrong.end is None else wrong.end, sentence)
    return None


def _turned(token: Token, text: str, subject: Subject[Q], now: datetime) -> str:
    """How a word with ``!=`` is written, for not every word knows that; empty where a minus does not say it either."""
    plain = {"!=": ":", "!~": "~"}.get(token.operator or "")
    if plain is None or not token.values:
        return ""
    said = f"{'' if token.negated else '-'}{token.name}{plain}{text[token.values[0].start : token.end]}"
    if token.variable is not None or read(said, subject, now).mistakes:
        return ""
    return f"{token.name} takes no {token.operator}; write {said}."


def _take(token: Token, text: str, subject: Subject[Q], reading: Reading) -> None:
    """As a filter of the engine, else as a condition that the console applies itself."""
    before = _copied(reading.fields)
    if token.operator is None and token.variable is None and token.name not in (*subject.names, *subject.cannot):
        token = _searched(token, text, subject)
    word = subject.by_name.get(token.name)
    local = subject.local_by_name.get(token.name)
    if word is not None and (token.variable is None or word.name == "var"):
        try:
            word.read(token, reading)
            _sayable(word, token, subject)
            _heeded(word, subject, before, reading)
            return
        except Beyond:
            if local is None or token.variable is not None:
                raise
            reading.fields = _copied(before)
    if local is not None and token.variable is None:
        absent = subject.absent_of_tasks if local.of_task else subject.absent
        if missing := absent & set(local.looks_at):
            things = "tasks" if local.of_task else subject.name
            raise Wrong(f"This engine's {things} do not show their {_spaced(min(missing))}: {local.name} cannot "
                        "be applied.")  # fmt: skip
        reading.conditions.append(local.read(token))
        return
    if token.name in subject.cannot:
        raise Wrong(f"The engine cannot filter {subject.name} {subject.cannot[token.name]}.")
    raise Wrong(_unknown(token, text, subject))


def _heeded(word: Word, subject: Subject[Q], before: Mapping[str, object], reading: Reading) -> None:
    """Nothing may be left to this engine that it would ignore: it would answer as if the word were not there."""
    for name, value in reading.fields.items():
        if before.get(name) == value:
            continue
        held = {name} | {inner for one in _entries(value) if isinstance(one, Query) for inner in one.chosen()}
        if held & subject.unreliable:
            raise Beyond(f"This engine cannot filter {subject.name} by {word.name}: it would ignore the word.")
        if refused := {one.sort_by for one in _entries(value) if isinstance(one, Sorting)} & subject.unsortable:
            raise Wrong(f"This engine cannot sort {subject.name} by {min(key or '' for key in refused)}.")


def _entries(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _copied(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, list) else value for name, value in fields.items()}


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _searched(token: Token, text: str, subject: Subject[Q]) -> Token:
    """A word without an operator as the word that searches for it.

    Raises:
        Wrong: this subject has no text to search, or nothing is searched for.
    """
    said = text[token.start : token.end]
    if not token.plain:
        raise Wrong("A minus goes right before the word that it negates, as in -locked." if said == "-" else
                    "The text to search for goes between the quotes.")  # fmt: skip
    if said.lower() in _JOINTS:
        example = f"{'process' if 'process' in subject.names else 'tenant'}:a,b"
        raise Wrong(f"{said} joins nothing: every word must match. Several values of one word take commas, as in "
                    f"{example}; to search for it, quote it.")  # fmt: skip
    if said.lower() in _OPPOSITES:
        raise Wrong(f"{said} negates nothing: a minus before a word does, as in -tenant:a; to search for it, quote "
                    "it.")  # fmt: skip
    if subject.searched is None:
        raise Wrong(_unknown(token, text, subject))
    value = Value(token.plain, True, token.start, token.end)
    return replace(token, name=subject.searched, operator="~", values=(value,))


_JOINTS = frozenset({"or", "and", "|", "||", "&", "&&"})
_OPPOSITES = frozenset({"not", "!"})


def _unknown(token: Token, text: str, subject: Subject[Q]) -> str:
    """That there is no such word, and what to write instead."""
    near = nearest(token.name, subject.names) if token.name else None
    if near is not None:
        form = (subject.by_name.get(near) or subject.local_by_name[near]).forms()[0]
        return f"{_short(token.name)} is not a filter for {subject.name}; did you mean {form.strip('-')}?"
    said = text[token.start : token.end].removeprefix("-")
    if token.operator is not None:
        meant = f"; to search for the text write {quoted(_short(said))}" if subject.searched is not None else ""
        return f"{_short(token.name)} is not a filter for {subject.name}{meant}."
    if subject.plain is None:
        return (f"{_short(said)} is not a filter for {subject.name}; each word is one like "
                f"{subject.words[0].forms()[0]}value.")  # fmt: skip
    meant = f"{subject.plain}{quote(_short(token.plain))}"
    meant = f"to leave out what holds it write -{meant}" if token.negated else f"to search for it write {meant}"
    return f"{_short(said)} is not a filter for {subject.name}; {meant}."


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _keep_apart(subject: Subject[Q], before: dict[str, object], after: dict[str, object]) -> None:
    new = after.keys() - before.keys()
    for apart in subject.apart:
        old = apart.fields & before.keys()
        if old and apart.fields & new:
            names = " and ".join(_named(subject, name) for name in (min(old), min(apart.fields & new)))
            raise Wrong(f"{names} cannot stand together: {apart.reason}.")


def _named(subject: Subject[Q], name: str) -> str:
    """A field as the line says it."""
    for word in subject.words:
        if name in word.fields():
            value = ["…"] if name.endswith(("_in", "_ids")) else "…" if isinstance(word, Text) else True
            flags = word.fields() if not isinstance(word, Text) or name == word.absent else ()
            held: dict[str, Any] = {name: True if name in flags else value}
            said = next(iter(word.write(subject.query.model_construct(None, **held))), word.name)
            return said.rstrip(",")
    return name


def _sayable(word: Word, token: Token, subject: Subject[Q]) -> None:
    """Where the engine is asked by query string, a list has no way to say a comma or an empty value."""
    if not subject.by_get or not isinstance(word, Text) or word.many is None or token.operator not in (":", "="):
        return
    for value in token.values:
        if "," in value.text or not value.text:
            said = "holds a comma" if value.text else "is empty"
            raise Wrong(f"The engine cannot be asked for a {word.name} that {said}.", value.start, value.end)
