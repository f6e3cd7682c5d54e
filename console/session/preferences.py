"""What the operator likes: the theme, and for each list its order, its columns and its zoom. Remembered in one file.

The file is the program's own: it is written whenever something is chosen. One that cannot be read is passed over, for
nothing in it is worth a message at night.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from retriage.store.private_files import make_folder, open_file


@dataclass
class ListPreferences:
    """Of one list.

    Attributes:
        sort: the sort key of the contract; empty for the list's own.
        descending: its direction.
        hidden: titles of the columns that are left out.
        zoom: 0 shows everything, 1 the rows alone, 2 the detail alone.
    """

    sort: str = ""
    descending: bool = False
    hidden: list[str] = field(default_factory=list)
    zoom: int = 0


@dataclass
class Preferences:
    """What was chosen before.

    Attributes:
        path: the file; none remembers nothing beyond this console.
        theme: name of a theme; empty for the first one.
        lists: by the name of the view.
    """

    path: Path | None = None
    theme: str = ""
    lists: dict[str, ListPreferences] = field(default_factory=dict)

    def of(self, view: str) -> ListPreferences:
        """What was chosen in this list."""
        return self.lists.setdefault(view, ListPreferences())

    def write(self) -> None:
        """Write the file, readable for its owner only. What cannot be written is not remembered."""
        if self.path is None:
            return
        text = json.dumps({"theme": self.theme, "lists": {name: asdict(one) for name, one in self.lists.items()}})
        with suppress(OSError):
            make_folder(self.path.parent)
            beside = self.path.with_suffix(".new")
            with open_file(beside, "w") as file:
                file.write(text)
            beside.replace(self.path)


def read_preferences(path: Path) -> Preferences:
    """The preferences of a file; what is missing in it, or is not what it should be, is as it was never chosen."""
    found = Preferences(path)
    try:
        told = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return found
    if not isinstance(told, dict):
        return found
    theme, lists = told.get("theme"), told.get("lists")
    found.theme = theme if isinstance(theme, str) else ""
    for name, one in lists.items() if isinstance(lists, dict) else ():
        if isinstance(one, dict):
            found.lists[name] = _list_of(one)
    return found


def _list_of(told: dict[str, Any]) -> ListPreferences:
    sort, hidden, zoom = told.get("sort"), told.get("hidden"), told.get("zoom")
    return ListPreferences(
        sort=sort if isinstance(sort, str) else "",
        descending=told.get("descending") is True,
        hidden=[title for title in hidden if isinstance(title, str)] if isinstance(hidden, list) else [],
        zoom=zoom if isinstance(zoom, int) and 0 <= zoom <= 2 else 0,
    )
