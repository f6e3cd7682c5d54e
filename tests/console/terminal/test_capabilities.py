"""What terminfo tells of the terminal; each name is asked in a process of its own, which can ask for one only."""

import os
import subprocess
import sys
from shutil import which

import pytest

ASK = (
    "import sys; from retriage.console.terminal.capabilities import erases_on_ground; sys.exit(not erases_on_ground(1))"
)


def known(name: str) -> bool:
    return which("infocmp") is not None and not subprocess.run(["infocmp", name], capture_output=True).returncode


@pytest.mark.parametrize(("name", "erases"), [("xterm-256color", True), ("screen", False), ("nothing-like-it", False)])
def test_cells_are_erased_only_where_their_ground_stays(name: str, erases: bool) -> None:
    if erases and not known(name):
        pytest.skip(f"terminfo does not know {name} here")
    asked = subprocess.run([sys.executable, "-c", ASK], env={**os.environ, "TERM": name}, stdout=subprocess.PIPE)
    assert (asked.returncode == 0) is erases
