"""The guided walk of the demo, followed to the letter in a terminal: each key that it names does what it says."""

import re
import sys
from pathlib import Path

import pytest

from retriage.console.session.tour import END, FILLING, REPAIR, STEPS
from tests.support.terminal import Terminal

KEYS = {"tab": "\t", "enter": "\r", "home": "\x1b[H"}
DIALOGS = ("   reason    ", "Restore L")
"""What stands in the dialogs that the walk opens, and nowhere else."""
PATIENCE = 150.0
"""The outage lasts for two minutes."""


class Walk(Terminal):
    """A console that guides."""

    def __init__(self, home: Path, columns: int, rows: int) -> None:
        environment = {"RETRIAGE_HOME": str(home), "TMPDIR": str(home)}
        command = [sys.executable, "-m", "retriage.console", "demo", "--tour", "--tasks", "4000"]
        super().__init__(command, columns, rows, environment)

    @property
    def told(self) -> str:
        """The line of the walk."""
        return next((line for line in self.lines if line.startswith(" TOUR ")), "")

    def come_to(self, place: str, why: str) -> None:
        """Wait for a step."""
        line = re.compile(rf"^ TOUR  {re.escape(place)}  .*{re.escape(why)}$")
        self.wait(lambda: line.match(self.told), f"the walk does not come to {place} {why}", PATIENCE)

    def do(self, key: str) -> None:
        """Press a key, or type a text, as soon as it counts."""
        if key == "L":
            return self.order()
        if key == "Z":
            self.wait(lambda: "Z  ended " in self.text, "the batch does not end", PATIENCE)
        if len(key) > 1 and key not in KEYS:
            self.type(key)
            self.wait_for(key)
            return None
        self.press(KEYS.get(key, key))
        if key == "enter" and "only if" in self.text:
            self.wait_for("tasks in the run")
        shown = {
            "A": "all ",
            "R": "in the launch",
            "C": "only if",
            "W": "   n hold on",
            "Z": "Restore L",
            ";": "to that pane",
        }
        if key in shown:
            self.wait_for(shown[key])
        else:
            self.quiet(0.5)
        return None

    def order(self) -> None:
        """Press ``L`` until its dialog has closed: it counts when what is shown could be read. On small screens its
        button may have no room."""
        for _ in range(60):
            self.press("L")
            self.read_for(0.5)
            if not any(sign in self.text for sign in DIALOGS):
                return
        raise AssertionError(f"refused again and again\n{self.text}")


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (100, 30)])
def test_every_key_of_the_walk_does_what_it_says(tmp_path: Path, columns: int, rows: int) -> None:
    with Walk(tmp_path, columns, rows) as walk:
        walk.wait(lambda: walk.told and FILLING.why not in walk.told, "the night is not written", PATIENCE)
        places = [f"{number}/{len(STEPS)}" for number, _ in enumerate(STEPS, 1)]
        places += [f"+{number}/{len(REPAIR)}" for number, _ in enumerate(REPAIR, 1)]
        for place, step in zip(places, STEPS + REPAIR, strict=True):
            walk.come_to(place, step.why)
            if place == "+1/5":
                walk.wait(lambda: "Restore L" not in walk.text, "the undo is still asked")
            for key in re.split(r" {2,}", step.keys) if step.keys else ():
                walk.do(key)
            if place == "+3/5":
                walk.wait_for("Held by the gate of wave 1", PATIENCE)
                assert re.search(r"Waves  0 done  \d+ again", walk.text)
        walk.wait(lambda: END.why in walk.told, "the walk does not end", PATIENCE)
        assert re.search(r" 1 +10 +passed .* 10 +- +- +-", walk.text)
