"""Files that are made of the code: the words that shells complete, and the manual page."""

import re
import runpy
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from retriage.console.cli import app

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "console/retriage.1"


def test_none_is_stale() -> None:
    made = runpy.run_path(str(ROOT / ".github/generate.py"))["MADE"]
    stale = [file.name for file, make in made.items() if file.read_text(encoding="utf-8") != make()]
    assert stale == [], "python .github/generate.py"


def sections() -> dict[str, str]:
    """Name of a command -> its part of the page, without roff's signs; that of the program itself is empty."""
    plain = re.sub(r"\\f[BIR]|\\&", "", PAGE.read_text(encoding="utf-8")).replace("\\-", "-")
    parts = re.split(r'^\.SS "retriage (\S+).*"$', plain, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def test_the_page_holds_every_command_and_option() -> None:
    program, parts = get_command(app), sections()
    commands = program.commands  # type: ignore[attr-defined]
    assert set(parts) == {"", *commands}
    missing = [
        f"{name} {option}"
        for name, command in [("", program), *commands.items()]
        for param in command.params
        for option in param.opts[:1]
        if not getattr(param, "hidden", False)
        and option.startswith("-")
        and not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", parts[name])
    ]
    assert missing == []


@pytest.mark.parametrize(
    "command",
    [["mandoc", "-T", "lint", "-W", "warning"], ["groff", "-man", "-ww", "-Z", "-Tutf8"]],
    ids=lambda one: one[0],
)
def test_a_formatter_reads_the_page_without_a_warning(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run([*command, str(PAGE)], capture_output=True, text=True)
    said = done.stderr + (done.stdout if command[0] == "mandoc" else "")
    assert (done.returncode, said) == (0, "")
