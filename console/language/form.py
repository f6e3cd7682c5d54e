"""A query as a form: one row per field of the contract, and one per word that the console applies itself.

Kinds and descriptions come from the declarations. A row's value is edited as text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from retriage.console.language.conditions import Condition, ConsoleWord, said
from retriage.console.language.console_words import Is, Number, Since, TextWord
from retriage.console.language.moments import date, duration, shifted, written
from retriage.console.language.parse import read
from retriage.console.language.subject import Subject
from retriage.console.language.tokens import quote, tokens
from retriage.console.language.value_words import whole
from retriage.console.language.words import Wrong
from retriage.store.contract.model import Shape
from retriage.store.contract.queries import Query, Sorting, TimeFilter, VariableFilter

Kind = Literal[
    "text", "list", "flag", "switch", "number", "moment", "variables", "times", "sort", "nested", "words", "is"
]
"""What a row holds: a text, a list of texts, a flag, a switch that also means something when it is off, a whole number,
a moment, comparisons with variables or times, sort keys, queries in the query; words of the console, or a flag of it.
"""

SWITCHES = frozenset({("BatchStatisticsQuery", "suspended")})
"""Flags that mean something when they are false."""
_PREFIXES = {"variables": "var.", "nested": "any:"}
"""What stands before every value of such a row in the line; other rows repeat their word."""
PLAIN_SORT = frozenset({"sort_by", "sort_order"})


@dataclass(frozen=True)
class FormField:
    """A row of the form.

    Attributes:
        name: field of the query, or word of the console.
        label: name on the wire, or word of the console.
        kind: what it holds.
        description: what it matches.
        here: the console applies it, not the engine.
        ahead: a duration counts into the future.
    """

    name: str
    label: str
    kind: Kind
    description: str
    here: bool = False
    ahead: bool = False


def fields_of(subject: Subject[Any]) -> list[FormField]:
    """The rows of a subject's form: those of the engine in the order of its words, then those of the console."""
    order = {name: at for at, name in enumerate(name for word in subject.words for name in word.fields())}
    ahead = {name for word in subject.words if getattr(word, "ahead", False) for name in word.fields()}
    rows = [
        FormField(
            name, info.alias or name, _kind(subject.query, name), info.description or "", ahead=name in ahead
        )
        for name, info in subject.query.model_fields.items()
        if name not in PLAIN_SORT and name not in subject.left_out
    ]  # fmt: skip
    local = [
        FormField(word.name, word.name, "is" if isinstance(word, Is) else "words", word.help, True)
        for word in subject.local
    ]
    rows.sort(key=lambda row: order.get(row.name, len(order)))
    return [row for row in rows if row.kind != "sort"] + local + [row for row in rows if row.kind == "sort"]


def shown(field: FormField, query: Query, conditions: Sequence[Condition], subject: Subject[Any]) -> str:
    """The value of a row as text; empty when it is not set. A flag that is set is ``yes``."""
    if field.here:
        mine = [condition for condition in conditions if condition.word == field.name]
        if field.kind == "is":
            return "" if not mine else "no" if mine[0].negated else "yes"
        return " ".join(said(mine, subject.local))
    if field.kind == "sort":
        word = next(word for word in subject.words if word.name == "sort")
        return "".join(word.write(query)).removeprefix("sort:")
    value = getattr(query, field.name)
    if value is None or (value is False and field.kind == "flag"):
        return ""
    if field.kind in ("flag", "switch"):
        return "yes" if value else "no"
    if field.kind == "list":
        return ",".join(quote(text or "") for text in value)
    if field.kind == "moment":
        return written(value)
    if field.kind in ("variables", "times", "nested"):
        word = next(word for word in subject.words if field.name in word.fields())
        prefix = _PREFIXES.get(field.kind, word.name)
        return " ".join(text.removeprefix(prefix) for text in word.write(query))
    return str(value)


def entered(field: FormField, text: str, subject: Subject[Any], now: datetime | None = None) -> Any:
    """The value that a text means in a row of the engine; nothing for an empty text.

    Raises:
        Wrong: the row cannot hold it.
    """
    at = now or datetime.now(UTC)
    if not text.strip():
        return None
    if field.kind == "text":
        return text
    if field.kind == "list":
        return _listed(text)
    if field.kind in ("flag", "switch"):
        return {"yes": True, "no": False if field.kind == "switch" else None}[text]
    if field.kind == "number":
        return whole(text.strip(), field.label)
    if field.kind == "moment":
        return _moment(field, text.strip(), at)
    if field.kind == "sort":
        return _read(f"sort:{text.strip()}", "sorting", subject, at)
    word = next(word for word in subject.words if field.name in word.fields())
    prefix = _PREFIXES.get(field.kind, word.name)
    words = [part if part.startswith(prefix) else f"{prefix}{part}" for part in _parts(text)]
    return _read(" ".join(words), field.name, subject, at)


def sought(
    field: FormField, text: str, conditions: Sequence[Condition], subject: Subject[Any]
) -> tuple[Condition, ...]:
    """The conditions when a row of the console holds a text: ``503``, ``~503``, ``-error~card``, ``>1h``.

    Raises:
        Wrong: the row cannot hold it.
    """
    word = next(word for word in subject.local if word.name == field.name)
    fresh = [_condition(word, part) for part in _parts(text)]
    kept = [condition for condition in conditions if condition.word != field.name]
    place = next((at for at, condition in enumerate(conditions) if condition.word == field.name), len(kept))
    return (*kept[:place], *fresh, *kept[place:])


def _condition(word: ConsoleWord, part: str) -> Condition:
    if isinstance(word, Is):
        part = {"yes": word.name, "no": f"-{word.name}"}.get(part, part)
    sign = (
        "~"
        if isinstance(word, TextWord)
        else ">"
        if isinstance(word, Since)
        else ":"
        if isinstance(word, Number)
        else ""
    )
    wrong: Wrong | None = None
    minus, bare = ("-", part[1:]) if part.startswith("-") and len(part) > 1 else ("", part)
    for text in (part, f"{minus}{word.name}{bare}", f"{word.name}{sign}{part}"):
        found = tokens(text)
        names = {word.name, *word.aliases}
        if len(found) != 1 or found[0].name not in names or found[0].flaw is not None:
            continue
        try:
            return word.read(found[0])
        except Wrong as problem:
            wrong = problem
    raise wrong or Wrong(f"{word.name} cannot be {quote(part)}.")


def _kind(query: type[Query], name: str) -> Kind:
    annotation = query.model_fields[name].annotation
    inner = [kind for kind in (annotation, *get_args(annotation)) if kind is not type(None)]
    said = [argument for kind in inner for argument in (kind, *get_args(kind))]
    if Sorting in said:
        return "sort"
    if VariableFilter in said:
        return "variables"
    if TimeFilter in said:
        return "times"
    if any(isinstance(kind, type) and issubclass(kind, Shape) for kind in said):
        return "nested"
    if any(getattr(kind, "__origin__", None) is list for kind in inner):
        return "list"
    if bool in said:
        return "switch" if (query.__name__, name) in SWITCHES else "flag"
    if int in said:
        return "number"
    return "moment" if datetime in said else "text"


def _listed(text: str) -> list[str]:
    found = tokens(f"x:{text.strip()}")
    if len(found) == 1 and found[0].flaw is None:
        return [value.text for value in found[0].values]
    if any(token.flaw for token in found):
        raise Wrong(next(token.flaw for token in found if token.flaw))
    return [part.strip() for part in text.split(",") if part.strip()]


def _moment(field: FormField, text: str, now: datetime) -> datetime:
    moment = date(text)
    if moment is not None:
        return moment
    span = duration(text)
    if span is None:
        raise Wrong(f"{field.label} needs a date in UTC like 2026-03-01T09:15, or a duration like 30m.")
    there = shifted(now, span if field.ahead else -span)
    if there is None:
        raise Wrong(f"That reaches beyond the calendar; {field.label} takes less.")
    return there.replace(microsecond=there.microsecond // 1000 * 1000)


def _parts(text: str) -> list[str]:
    """The words of a text, cut at blanks outside quotes."""
    parts, quoted, escaped, start = [], False, False, 0
    for at, letter in enumerate(text):
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = text[at + 1 : at + 2] in ('"', "\\")
        elif letter == '"':
            quoted = not quoted
        elif letter.isspace() and not quoted:
            parts.append(text[start:at])
            start = at + 1
    return [part for part in (*parts, text[start:]) if part]


def _read(line: str, name: str, subject: Subject[Any], now: datetime) -> Any:
    parsed = read(line, subject, now)
    if parsed.mistakes:
        raise Wrong(parsed.mistakes[0].sentence)
    return getattr(parsed.query, name)
