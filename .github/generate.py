"""Write the files that are made of the code: ``python .github/generate.py``. A test finds out where one is stale."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from retriage.console.cli import app
from retriage.console.cli.exit_codes import EPILOG, MEANING
from retriage.console.language import SUBJECTS

ROOT = Path(__file__).parent.parent


# -- the words of the filter language, for shells ----------------------------------------------------------------------


def filter_words() -> str:
    """JSON: subject -> word -> how it begins, and values known beforehand."""
    told: dict[str, dict[str, dict[str, list[str]]]] = {}
    for name, subject in SUBJECTS.items():
        words = told[name] = {}
        for word in (*subject.words, *subject.local):
            entry = words.setdefault(word.name, {"forms": [], "choices": []})
            entry["forms"] += [form for form in word.forms() if form not in entry["forms"]]
            entry["choices"] += [choice for choice in word.choices() if choice not in entry["choices"]]
    return json.dumps(told, indent=0) + "\n"


# -- the man page ------------------------------------------------------------------------------------------------------

VALUE = {"<str>": "TEXT", "<path>": "FILE", "<int>": "N", "<int range>": "N", "<float>": "N", "<float range>": "N"}
ENVIRONMENT = {
    "RETRIAGE_HOME": "The folder for data and configuration, in place of those of the platform.",
    "RETRIAGE_PASSWORD": "Password of the user that --user names.",
    "RETRIAGE_TOKEN": "Bearer token for the engine that --engine names.",
    "RETRIAGE_USERS": "Users that `retriage serve` lets in, NAME:PASSWORD separated by blanks.",
}
FILES = {
    "profiles.toml": "Connection profiles; `retriage profiles` says where it is.",
    "settings.toml": "What happens when a run is held, and how long the journal keeps what is over.",
    "keys.toml": "Keys of your own.",
    "journal.db": "Launches, runs, notes and saved filters.",
    "store.db": "Your own store, the embedded engine that opens when none is named.",
}
SYNOPSIS = """.B retriage
.RI [ OPTIONS ]
.br
.B retriage
.I COMMAND
.RI [ OPTIONS ]
.RI [ ARGUMENTS ]"""


def man_page() -> str:
    """The manual page, in man(7) macros."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    dated = re.search(
        rf"^## \[{re.escape(version)}\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    assert dated is not None, f"CHANGELOG.md has no date for {version}"
    program: Any = get_command(app)
    common = {name: text for name, text in _options(program) if not name.startswith("--version")}
    lines = [
        '.\\" Made by .github/generate.py.',
        f'.TH RETRIAGE 1 {dated[1]} "retriage {version}"',
        ".SH NAME",
        r"retriage \- terminal operations console for Camunda 7, Operaton and CIB seven",
        ".SH SYNOPSIS",
        SYNOPSIS,
        ".SH DESCRIPTION",
        _text(program.callback.__doc__),
        _text(program.help),
        ".SH OPTIONS",
        "Those that name the engine may stand behind a command as well.",
        *_tagged(_options(program)),
        ".SH COMMANDS",
    ]
    for name, command in sorted(program.commands.items()):
        arguments = "".join(f" {record}" for record, _ in _arguments(command))
        lines += [f'.SS "retriage {_text(name + arguments)}"', *_paragraphs((command.help or "").replace(EPILOG, ""))]
        lines += [*_tagged(_arguments(command))]
        own = [(option, text) for option, text in _options(command) if common.get(option) != text]
        lines += _tagged(own)
        if len(own) < len(list(_options(command))):
            shared = [
                re.findall(r"--?[a-z-]+", option)[-1 if "/" not in option else 0]
                for option, text in _options(command)
                if common.get(option) == text
            ]
            lines += [".PP", _text(f"Also, as above: {', '.join(shared)}.")]
    lines += [".SH EXIT STATUS", *_tagged((str(code.value), text) for code, text in MEANING.items())]
    lines += [".SH ENVIRONMENT", *_tagged(ENVIRONMENT.items()), ".SH FILES", *_tagged(FILES.items())]
    return "\n".join(lines) + "\n"


def _options(command: Any) -> Iterator[tuple[str, str]]:
    yield from _records(command, "option")


def _arguments(command: Any) -> Iterator[tuple[str, str]]:
    yield from _records(command, "argument")


def _records(command: Any, kind: str) -> Iterator[tuple[str, str]]:
    with command.make_context("retriage", [], resilient_parsing=True) as context:
        for param in command.get_params(context):
            record = param.get_help_record(context)
            if param.param_type_name == kind and record is not None and "--help" not in param.opts:
                name, text = record
                name = re.sub(r"<[a-z ]+>", lambda found: VALUE[found[0]], name).removesuffix("  [required]")
                yield name, re.sub(r"\s*\[(?:x|env var|required)[^\]]*\]|(\[default: )\((.*?)\)", r"\1\2", text).strip()


def _tagged(entries: Any) -> list[str]:
    return [line for name, text in entries for line in (".TP", _bold(name), _text(text))]


def _bold(name: str) -> str:
    """Options in bold, what stands for a value in italics."""
    words = [rf"\fI{_text(word)}\fR" if word.isupper() or "|" in word or "=" in word else rf"\fB{_text(word)}\fR"
             for word in name.split(" ")]  # fmt: skip
    return " ".join(words)


def _paragraphs(text: str) -> list[str]:
    return [line for part in re.split(r"\n\s*\n", text.strip()) for line in (".PP", _text(part))][1:]


def _text(text: str) -> str:
    """A text as roff has it on one line: nothing in it is a request or an escape."""
    plain = " ".join(text.split()).replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")
    return f"\\&{plain}" if plain.startswith(".") else plain


MADE = {ROOT / "console/cli/filter_words.json": filter_words, ROOT / "console/retriage.1": man_page}
"""File -> what makes its text."""


def main() -> None:
    """Write all of them, or those that are named."""
    for file, make in MADE.items():
        if len(sys.argv) == 1 or file.name in sys.argv[1:]:
            file.write_text(make(), encoding="utf-8")
            print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
