"""From a draft to what the form and the JSON face show of it, and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retriage.console.language import SUBJECTS, spoken
from retriage.console.language.form import entered, fields_of, shown, sought
from retriage.console.language.words import Wrong
from retriage.console.launch.draft import Draft, Source, Unusable
from retriage.console.launch.request_text import pretty
from retriage.console.screens.builder.form import FormRow
from retriage.console.text.inert import inert
from retriage.store.contract.orders import SetExternalTaskRetries
from retriage.store.contract.values import INT_MAX

if TYPE_CHECKING:
    from retriage.console.language.form import FormField

RETRIES = "retries"
"""Name of the row for the value that a request sets."""
_ABOUT_RETRIES = "Attempts that a launch gives each task."


def form_of(draft: Draft, source: Source) -> list[FormRow]:
    """The rows for a source of the draft: what the request sets, then the fields of its query, or its list of ids."""
    rows = [FormRow(RETRIES, "number", str(draft.retries), _ABOUT_RETRIES)] if draft.request else []
    if not source.subject:
        info = SetExternalTaskRetries.model_fields[source.field]
        about = f"{info.description} Separated by spaces."
        return [*rows, FormRow(info.alias or source.field, "list", draft.text(source), about)]
    parsed, subject = draft.parsed(source), SUBJECTS[source.subject]
    return rows + [
        FormRow(
            field.label, field.kind, shown(field, parsed.query, parsed.conditions, subject), _about(field), field.here
        )
        for field in _fields(source)
    ]


def with_value(draft: Draft, source: Source, row: FormRow, text: str) -> Draft:
    """The draft with another value in a row of the form.

    Raises:
        Unusable: the row cannot hold it, or not beside the others.
    """
    if row.name == RETRIES and draft.request and row.kind == "number" and not row.here:
        return _with_retries(draft, text)
    if not source.subject:
        return draft.with_text(source, text)
    field = next(field for field in _fields(source) if field.label == row.name and field.here == row.here)
    subject = SUBJECTS[source.subject]
    try:
        if field.here:
            return draft.with_conditions(source, sought(field, text, draft.parsed(source).conditions, subject))
        return draft.with_field(source, field.name, entered(field, text, subject))
    except Wrong as wrong:
        raise Unusable(wrong.sentence) from wrong


def json_of(draft: Draft) -> str:
    """The JSON of a draft; what a terminal would act on is written as an escape."""
    return "".join(_escaped(letter) for letter in pretty(draft.body()))


def filtered_here(draft: Draft) -> list[str]:
    """The words of a draft that only the console can apply, as its texts say them."""
    return [
        word
        for source in draft.chosen
        if source.subject
        for word in spoken(draft.parsed(source).conditions, source.subject)
    ]


def saved_text(draft: Draft) -> str:
    """A draft as one text: the list's own query as it is, or a JSON object with all sources of a request.

    The object has the names of the request, and in place of each query the words that say it: people can read it, and
    it keeps what only the console applies.
    """
    own = draft.sources[0]
    if not draft.request or draft.chosen in ([], [own]):
        return draft.text(own)
    texts = {_wire_name(source): draft.text(source) for source in draft.chosen}
    return json.dumps({RETRIES: draft.retries, **texts}, ensure_ascii=False)


def from_saved(text: str, draft: Draft) -> Draft:
    """The draft of a text that was saved, with the sources of another draft.

    A JSON object is a request with each query in words, or what the engine is told. Everything else is the list's own
    query in words.
    """
    plain = replace(draft, texts={draft.sources[0].field: text})
    if not text.lstrip().startswith("{"):
        return plain
    try:
        value: Any = json.loads(text)
        if not draft.request or any(isinstance(part, dict | list) for part in value.values()):
            return replace(draft, texts={}).read_body(text)
    except (ValueError, RecursionError, Unusable):
        return plain
    names = {source.field: (_wire_name(source), source.field) for source in draft.sources}
    texts = {field: str(value[name]) for field, known in names.items() for name in known if name in value}
    retries = value.get(RETRIES)
    return replace(draft, texts=texts, retries=retries if isinstance(retries, int) and retries >= 0 else draft.retries)


def _wire_name(source: Source) -> str:
    """The field of the request that a source becomes, as the engine knows it."""
    return SetExternalTaskRetries.model_fields[source.field].alias or source.field


def _with_retries(draft: Draft, text: str) -> Draft:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 11 and int(digits) <= INT_MAX):
        raise Unusable("retries is a whole number, 0 or more.")
    return replace(draft, retries=int(digits))


def _fields(source: Source) -> list[FormField]:
    return fields_of(SUBJECTS[source.subject])


def _about(field: FormField) -> str:
    return f"{field.description}{' Filtered in the console, not by the engine.' if field.here else ''}"


def _escaped(letter: str) -> str:
    if letter == "\n" or inert(letter) == letter:
        return letter
    return json.dumps(letter)[1:-1]
