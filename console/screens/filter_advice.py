"""What the filter language says about a text while it is typed, for a line that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retriage.console.language import complete, parse, spoken
from retriage.console.widgets.filter_line import Advice

if TYPE_CHECKING:
    from retriage.console.language import Subject


def advised(text: str, cursor: int, subject: Subject[Any], values: Mapping[str, Sequence[str]] | None = None) -> Advice:
    """The first mistake, words that could follow, and what the console would have to look for itself.

    Args:
        text: the line.
        cursor: place of the cursor.
        subject: the words of what it filters, on this engine.
        values: name of a word -> values that are known to exist.
    """
    parsed = parse(text, subject)
    here = spoken(parsed.conditions, subject)
    if not parsed.mistakes:
        return Advice(words=tuple(complete(text, cursor, subject, values)), here=here)
    mistake = parsed.mistakes[0]
    at_end = mistake.end >= len(text.rstrip()) == cursor
    words = tuple(complete(text, cursor, subject, values)) if at_end else ()
    return Advice(mistake.sentence, (mistake.start, mistake.end), words, here)
