"""What was typed for a launch that was not sent, so that it need not be typed again."""

from dataclasses import dataclass

from console.reading.selection import Marked, Selection


@dataclass(frozen=True)
class UnsentLaunch:
    """The fields of a launch that was not sent, or refused.

    Attributes:
        selection: what it was for.
        retries: the number that it would have set.
        reason: why it was meant.
    """

    selection: Selection
    retries: int
    reason: str

    def meant_for(self, selection: Selection) -> bool:
        """Whether it was for the same, or at least for some of the same tasks: groups change meanwhile."""
        mine = self.selection
        if isinstance(mine, Marked) and isinstance(selection, Marked):
            return not mine.ids.isdisjoint(selection.ids)
        return mine == selection
