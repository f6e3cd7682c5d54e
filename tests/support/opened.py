"""Opens an installed console on the demo in a pseudo terminal: ``python -m tests.support.opened PROGRAM [WORD...]``."""

import sys
import tempfile

from tests.support.terminal import Terminal


def main(*program: str) -> None:
    """Open the demo with a program (its path, and words before its own), wait for its tasks, and leave.

    Raises:
        AssertionError: it shows no tasks, or ends with another status than 0.
    """
    with (
        tempfile.TemporaryDirectory() as home,
        Terminal([*program, "demo", "--tasks", "300"], 100, 30, {"RETRIAGE_HOME": home}) as terminal,
    ):
        terminal.wait_for("charge-card")
        terminal.press("q")
        status = terminal.wait_for_end()
        assert status == 0, f"{program[-1]} ended with status {status}"
    print(f"{program[-1]} shows the demo")


if __name__ == "__main__":
    main(*sys.argv[1:])
