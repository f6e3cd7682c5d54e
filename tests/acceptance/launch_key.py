"""The key of the order in the launch dialog, pressed by somebody who looks."""

from retriage.console.screens.dialogs.order_dialog import TOO_EARLY
from tests.support.terminal import Terminal


def press_launch(terminal: Terminal) -> None:
    """Press ``L`` as soon as it counts, until the dialog has closed.

    What comes to be read in the moment before it, as a batch of somebody else over the same tasks, makes the dialog
    refuse it and say so: then it is looked at, and pressed again.
    """

    def closed() -> bool:
        return "Launch L" not in terminal.text

    for _ in range(5):
        terminal.wait(lambda: terminal.bold("Launch L"), "the key of the order never counts")
        terminal.press("L")
        terminal.wait(lambda: closed() or TOO_EARLY in terminal.text, "the key of the order was not answered")
        for _ in range(20):  # the sentence may still be that about the key before
            if closed():
                return
            terminal.read(0.1)
    raise AssertionError(f"refused again and again\n{terminal.text}")
