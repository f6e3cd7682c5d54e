"""Which actions are meant by what was typed, and which one most likely. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from textual.fuzzy import Matcher

from retriage.console.actions import Action, matching

BEGINS = 1000.0
"""More than letters can score."""
TOPICS = ("Change (asks first)", "Look", "Choose", "Live", "Move", "Anywhere")
"""What one would do on a screen, before how one gets about on it."""


def ranked(actions: Iterable[Action], text: str, idle: Iterable[str] = ()) -> list[Action]:
    """The actions that may be meant, the likeliest first.

    With nothing typed: those of the hint line in its order, then the others, what can be done here before moving about.
    Else those that hold every word, then those whose label, name or help has the letters in this order.

    Args:
        actions: the actions in reach.
        text: what was typed.
        idle: names of actions that would do nothing now; they come last.
    """
    resting = set(idle)
    usual = sorted(actions, key=lambda action: (action.name in resting, not action.hint, _place(action)))
    if not text.strip():
        return usual
    matcher = Matcher(text.strip())
    scores = {action.name: _score(action, matcher) + _begins(action, text) for action in usual}
    exact = matching(usual, text)
    named = [action for action in exact if scores[action.name] > 0]
    said = [action for action in exact if scores[action.name] <= 0]
    known = {action.name for action in exact}
    near = [action for action in usual if action.name not in known and scores[action.name] > 0]
    return [*_best(named, scores), *said, *_best(near, scores)]


def _place(action: Action) -> int:
    return action.hint or TOPICS.index(action.topic)


def _score(action: Action, matcher: Matcher) -> float:
    """How well the letters fit the label, or the name; the help counts little, since it holds many letters."""
    return max(
        matcher.match(action.label), matcher.match(action.name.partition(".")[2]), matcher.match(action.help) / 4
    )


def _begins(action: Action, text: str) -> float:
    """What is called as it was typed is meant before what is called so among other words."""
    return BEGINS if action.label.lower().startswith(text.strip().lower()) else 0.0


def _best(actions: list[Action], scores: dict[str, float]) -> list[Action]:
    return sorted(actions, key=lambda action: -scores[action.name])
