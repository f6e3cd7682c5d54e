"""A filter that is narrowed by what stands in a cell."""

from retriage.console.language.tokens import Token, tokens


def narrowed(text: str, word: str, *, without: bool) -> str:
    """The filter with one more word, in place of those about the same thing that it makes needless.

    What the filter left out stays left out: part of a text that another word looks for is no reason to drop that one.

    Args:
        text: the filter.
        word: what the cell of a row that fits says, such as ``topic:charge-card`` or ``-locked``.
        without: leave the rows out that it fits, instead of all others.
    """
    wanted = (word.removeprefix("-") if word.startswith("-") else f"-{word}") if without else word
    about = tokens(wanted)[0]
    kept = [text[token.start : token.end] for token in tokens(text) if not _needless(token, about)]
    return " ".join([*kept, wanted] if wanted not in kept else kept)


def _needless(token: Token, new: Token) -> bool:
    """Whether a word can go where the new one comes. A text that is looked for is needless beside a longer one that
    holds it; a value is beside any other, since a row has one: but of several the rest still fits beside an exclusion,
    and exclusions add up."""
    if (token.name, token.variable) != (new.name, new.variable):
        return False
    if new.negated:
        return not token.negated and token.operator in (None, ":") and len(token.values) < 2
    if new.operator != "~":
        return True
    part = new.values[0].text.casefold()
    return not token.negated and token.operator == "~" and any(one.text.casefold() in part for one in token.values)
