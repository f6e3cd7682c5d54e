"""The last line while a dialog asks."""

from retriage.console.screens.dialogs.choice import Choice
from retriage.console.widgets.line import Line, Span


class KeyLine(Line):
    """The keys of the choices of its dialog, instead of those of the screen behind, which do nothing now."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; background: $line-ground; }
    """

    def on_mount(self) -> None:
        """The choices are there once the dialog is."""
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        spans: list[Span] = []
        for choice in self.screen.query(Choice):
            spans += [("  " if spans else " ", ""), (choice.key, "accent"), (f" {choice.label.lower()}", "muted")]
        self.show(spans)
