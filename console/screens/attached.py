"""Where the actions of a node are found: the node has places in the table of actions, and verbs attached to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import ClassVar, Protocol


class Attached(Protocol):
    """Actions that a screen does not inherit but has: :class:`retriage.console.screens.verbs.Verbs`."""

    PLACES: ClassVar[tuple[str, ...]]

    def places(self) -> Collection[str]:
        """Where its actions are found now."""
        ...

    def hint_labels(self) -> dict[str, str]:
        """Labels that say more than the table of actions, by the name of the action."""
        ...

    def idle(self) -> Collection[str]:
        """Names of actions that would do nothing now."""
        ...


def places_of(node: object) -> tuple[str, ...]:
    """The places of actions that a widget, a screen or the application is."""
    return tuple(getattr(node, "PLACES", ()))


def method_of(node: object, name: str) -> Callable[..., Awaitable[None] | None] | None:
    """The method of the verbs attached to a node that carries out an action; none where the node does so itself.

    Args:
        node: a screen, a widget or the application.
        name: the action, without ``action_``.
    """
    for verbs in getattr(node, "verbs", ()):
        method: Callable[..., Awaitable[None] | None] | None = getattr(verbs, f"action_{name}", None)
        if method is not None:
            return method
    return None
