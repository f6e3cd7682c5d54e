"""A filter that is narrowed by what stands in a cell."""

from console.language.tokens import tokens


def narrowed(text: str, word: str, *, without: bool) -> str:
    """The filter with one more word, in place of those about the same thing that it had.

    Args:
        text: the filter.
        word: what the cell says, such as ``topic:charge-card`` or ``-locked``.
        without: leave the rows out that it fits, instead of all others.
    """
    wanted = (word.removeprefix("-") if word.startswith("-") else f"-{word}") if without else word
    about = tokens(wanted)[0]
    kept = [
        text[token.start : token.end]
        for token in tokens(text)
        if not _replaced(token.name, token.variable, token.negated, about.name, about.variable, about.negated)
    ]
    return " ".join([*kept, wanted] if wanted not in kept else kept)


def _replaced(
    name: str, variable: str | None, negated: bool, new_name: str, new_variable: str | None, new_negated: bool
) -> bool:
    """A word is about the same as the new one. What is left out adds up: ``-topic:a -topic:b``."""
    return (name, variable) == (new_name, new_variable) and not (negated and new_negated)
