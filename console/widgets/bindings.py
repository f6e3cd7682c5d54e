"""Key bindings made from the table of actions."""

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from retriage.console.actions import Action


def bindings(actions: Iterable[Action]) -> list[BindingType]:
    """One binding per action, with its name as the binding's id so that keys can be set by name."""
    return [
        Binding(",".join(action.keys), action.method, action.label, show=False, id=action.name) for action in actions
    ]
