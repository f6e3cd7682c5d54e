"""Asks where something is written to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from retriage.console.screens.dialogs.line_dialog import LineDialog
from retriage.console.screens.exporting.files import kind_of
from retriage.console.widgets.pane import Item, Prose


def no_rows(path: Path) -> str:
    """One sentence if rows cannot be written to a file of this name; empty if they can."""
    return "" if kind_of(path) is not None else "The name has to end in .csv or .json."


class ExportDialog(LineDialog[Path]):
    """Answers with a path in a folder that is there, or nothing.

    Args:
        path: the proposal.
        told: what would be written, in words.
        title: the same in a few.
        why_not: answers one sentence if a path cannot be taken.
    """

    LINES = 3
    FIELD = "file"
    ORDER = "Write"

    def __init__(
        self,
        path: Path,
        told: str,
        title: str = "Write rows to a file",
        why_not: Callable[[Path], str] = no_rows,
    ) -> None:
        super().__init__(title, str(path))
        self._told = told
        self._why_not = why_not

    def above(self, problem: str) -> Sequence[Item]:
        """What is written, and that nothing is lost by it."""
        safe = Prose("A file that already exists is never touched.", "muted")
        return [Prose(self._told), Prose(problem, "warning") if problem else safe]

    def answer(self, text: str) -> Path:
        """The path.

        Raises:
            ValueError: nothing can be written there.
        """
        path = Path(text.strip()).expanduser()
        if why := self._why_not(path) or ("" if text.strip() else "Say what the file is called."):
            raise ValueError(why)
        if not path.parent.is_dir():
            raise ValueError(f"There is no folder {path.parent}.")
        return path.absolute()
