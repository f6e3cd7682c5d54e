"""The gate in front of every action that changes the engine, whether a key, the list of actions or a click asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retriage.console.actions import ACTIONS
from retriage.console.screens.attached import places_of

if TYPE_CHECKING:
    from retriage.console.session.connection import Connection
    from retriage.console.session.freshness import Freshness


def why_not(connection: Connection, node: object, method: str, view: Freshness | None = None) -> str:
    """One sentence if this action must not begin now, empty if it may.

    An action that opens a preview may begin while the safety is on, since looking changes nothing; the order given from
    the preview is an action of its own and comes through this gate too.

    Args:
        connection: to the engine that would change.
        node: the widget, screen or application that would carry it out.
        method: the action's method, without ``action_``.
        view: what became of the last question of the screen in front, if that asks any.
    """
    places = places_of(node)
    for action in ACTIONS:
        if action.changes_engine and action.method == method and action.place in places:
            unheard = connection.why_unheard(view)
            return unheard if action.previews else unheard or connection.why_no_orders()
    return ""
