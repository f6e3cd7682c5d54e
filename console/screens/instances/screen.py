"""Process instances."""

from typing import ClassVar

from console.screens.instances.detail import InstanceDetail
from console.screens.instances.subject import Instances
from console.screens.listing import ListScreen
from console.screens.session import Session
from console.widgets.rows import Row


class InstancesScreen(ListScreen):
    """Running process instances."""

    VIEW: ClassVar[str] = "instances"

    def __init__(self, session: Session) -> None:
        super().__init__(session, Instances())

    def open_row(self, row: Row) -> None:
        """The instance with its tasks and variables."""
        self.app.push_screen(InstanceDetail(self.session, row.item))
