"""The reference of the filter language, drawn from its tables of words and from the contract's descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from retriage.console.language import SUBJECTS
from retriage.console.language.value_words import FlagWord
from retriage.console.language.words import Text
from retriage.console.text.cells import wrap
from retriage.console.text.ink import Ink
from retriage.console.widgets.line import Span

if TYPE_CHECKING:
    from retriage.console.language import Subject

FORMS = 31
"""Cells for how a word is written."""
RULES: tuple[tuple[str, str], ...] = (
    ("topic:a retries:0", "all words must match"),
    ("process:a,b", "one of several values"),
    ("-suspended  -error~x", "a minus in front means not"),
    ('error~"503 from psp"', "quotes hold spaces and commas together"),
    ("key:ord-*", "a star stands for any characters; not in quotes"),
    ("key:Ord-7   error~psp", "whole text, as written;  a part, case ignored if only the console looks"),
    ("error~x   error~~%x_", "contains;  an SQL pattern"),
    ("age>1h30m  raised>2026-03-01", "a length of time (ms s m h d w), or a date in UTC"),
    ('var.amount>100  var.zip="0123"', "a variable; a number in quotes is text"),
    ("sort:created-desc,priority", "the order"),
)


def words_page(name: str, width: int) -> list[list[Span]]:
    """All words of a subject.

    Args:
        name: a subject of the filter language; of any other name the words of tasks are shown.
        width: cells of the page.
    """
    subject = SUBJECTS.get(name) or SUBJECTS["tasks"]
    lines: list[list[Span]] = [[(f"How a filter of {subject.name} is written", "strong")]]
    lines += _entries(((example, meaning) for example, meaning in RULES), width, "accent")
    lines += [[], [("Words that the engine filters by", "strong")]]
    lines += _entries((way for word in subject.words for way in _ways(subject, word)), width, "accent")
    if subject.local:
        lines += [[], [("Words that the console applies: it reads all rows, and launches by id", "strong")]]
        lines += _entries(((_short_forms(word), word.help) for word in subject.local), width, "warning")
    cannot = [(word, f"the engine cannot filter {subject.name} {why}") for word, why in subject.cannot.items()]
    left_out = [(_wire(subject, field), why) for field, why in subject.left_out.items()]
    if cannot or left_out:
        lines += [[], [("No words for", "strong")], *_entries([*cannot, *left_out], width, "muted")]
    return lines


def _ways(subject: Subject[Any], word: Any) -> list[tuple[str, str]]:
    """How a word is written for each of its fields, and what the contract says of that field."""
    fields = [subject.query.model_fields[name].description or "" for name in word.fields()]
    forms = list(word.forms())
    if isinstance(word, FlagWord):
        forms = [f"{word.name}:{said}" for said in word.choices()]
    if isinstance(word, Text):
        n = word.name
        ways = {word.one: f"{n}:value", word.many: f"{n}:a,b", word.like: f"{n}~part", word.none_of: f"-{n}:a",
                word.absent: f"-{n}"}  # fmt: skip
        forms = [ways[name] for name in word.fields()]
    if len(forms) != len(fields):
        choices = f"  ({', '.join(word.choices())})" if word.choices() else ""
        return [(" ".join(forms), f"{subject.help(word)}{choices}")]
    also = f"  Also {', '.join(word.aliases)}." if word.aliases else ""
    return [(form, f"{said}{also}") for form, said in zip(forms, fields, strict=True)]


def _short_forms(word: Any) -> str:
    """The forms without those that only put a minus in front of another."""
    return " ".join(form for form in word.forms() if not form.startswith("-") or form[1:] not in word.forms())


def _wire(subject: Subject[Any], field: str) -> str:
    return subject.query.model_fields[field].alias or field


def _entries(entries: Iterable[tuple[str, str]], width: int, ink: Ink) -> list[list[Span]]:
    """A word and what it means, over as many lines as that needs; a long word has a line of its own."""
    lines: list[list[Span]] = []
    for head, meaning in entries:
        texts = wrap(meaning, max(width - FORMS - 3, 20), 6) or [""]
        if len(head) > FORMS:
            lines.append([("  ", ""), (head, ink)])
            head = ""
        for at, text in enumerate(texts):
            lines.append([("  ", ""), (f"{head if at == 0 else '':<{FORMS}} ", ink), (text, "")])
    return lines
