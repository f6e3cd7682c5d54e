"""What could come next: names of words, and values that are known."""

from collections.abc import Mapping, Sequence
from typing import Any

from retriage.console.language.conditions import ConsoleWord
from retriage.console.language.subject import Subject
from retriage.console.language.tokens import VARIABLE, Token, quote, quoted, tokens
from retriage.console.language.value_words import FlagWord
from retriage.console.language.words import EQUAL, Word

MOST = 200


def offers(
    text: str, cursor: int, subject: Subject[Any], values: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Words that the one under the cursor could become, the nearest to what is typed first.

    Args:
        text: the line.
        cursor: place of the cursor; what stands left of it in the same word is the beginning to complete.
        subject: what the line filters.
        values: name of a word -> values that the caller knows of, such as topics that were seen.

    Returns:
        Whole words (``topic:charge-card``), at most 200; put in place by :func:`completed`.
    """
    start = beginning(text, cursor)
    typed = text[start:cursor]
    token = next(iter(tokens(typed)), None)
    tables = (subject.by_name, subject.local_by_name)
    words = [] if token is None else [table[token.name] for table in tables if token.name in table]
    if token is None or token.operator is None or not words:
        return _names(typed, subject, (values or {}).get("var", ()))[:MOST]
    # What the engine cannot be told of a word the console can.
    exact = [choice for word in words for choice in word.choices()]
    return _values(typed, token, words[0], exact, (values or {}).get(words[0].name, ()))[:MOST]


def completed(text: str, cursor: int, choice: str) -> tuple[str, int]:
    """The line with the word under the cursor replaced by one of the offers, and the new place of the cursor."""
    start = beginning(text, cursor)
    end = next((token.end for token in tokens(text) if token.start == start), cursor)
    done = f"{text[:start]}{choice}{text[max(end, cursor) :]}"
    return done, start + len(choice)


def beginning(text: str, cursor: int) -> int:
    """Where the word under the cursor begins; the cursor itself when it stands on a blank."""
    return next((token.start for token in tokens(text) if token.start < cursor <= token.end), cursor)


def _names(typed: str, subject: Subject[Any], variables: Sequence[str]) -> list[str]:
    every: list[Word | ConsoleWord] = [*subject.words, *subject.local]
    forms = list(dict.fromkeys(form for word in every for form in word.forms()))
    if "var" in subject.by_name and typed.lower().startswith("var."):
        forms += [f"var.{name if VARIABLE.fullmatch(name) else quoted(name)}" for name in variables]
    lower = typed.lower()
    first = [form for form in forms if form.startswith(lower)]
    bare = lower.lstrip("-")
    return first + [form for form in forms if bare and bare in form and form not in first and lower == bare]


def _values(typed: str, token: Token, word: Word | ConsoleWord, exact: Sequence[str], seen: Sequence[str]) -> list[str]:
    known = [*exact, *seen]
    last = token.values[-1] if token.values and not typed.endswith(",") else None
    head = typed if last is None else typed[: last.start]
    begun = last.text if last is not None else ""
    if isinstance(word, FlagWord) and token.operator not in EQUAL:
        # The operator is the beginning of a known value, as in retries:>0.
        place = typed.find(":") + 1 or len(token.name)
        head, begun = typed[:place], typed[place:]
    taken = {value.text for value in token.values if value is not last}
    fresh = [value for value in dict.fromkeys(known) if value not in taken and value != begun]
    first = [value for value in fresh if value.startswith(begun)]
    # A value that is complete becomes a longer one at most: tab must not turn retries:0 into retries:>0.
    inside = [] if begun in known else [value for value in fresh if begun.lower() in value.lower()]
    inside = [value for value in inside if value not in first]
    return [f"{head}{value if value in exact else quote(value)}" for value in first + inside]
