"""What a shell completes after TAB: commands and options by Typer, their values from here.

A shell waits for it with each TAB: no engine is asked, nothing of Textual and of the contract is imported. Words of the
filter language come from a file made of its tables (``.github/generate.py``), their values from what the console has
seen (``console/session/seen_values.py``), runs from the file of the journal.

Values come from engines and end up in a command line. Only those of harmless characters are offered: none acts in a
shell, quoted or not.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer._click.shell_completion import CompletionItem, add_completion_class, split_arg_string
from typer._completion_classes import BashComplete, ZshComplete, completion_init

from retriage.console.cli.program import PlainFlags
from retriage.console.cli.runs import DOES, INCLUDED, SKIPPED
from retriage.console.engine.target import Remote
from retriage.console.folders import default_journal, default_store, profiles_file, seen_file
from retriage.console.profiles import ProfileProblem, list_profiles
from retriage.console.session.seen_values import Values, read_seen
from retriage.store.store_name import name_of

if TYPE_CHECKING:
    from typer._click.core import Command, Context

Offers = Iterable[str | CompletionItem]
LINE = "line"
"""Type of an item that is a beginning of a filter line and may go on."""
RUNS = 100
"""Runs that are offered, the newest ones."""
SUBJECT = {"causes": "incidents", "run": "tasks", "snapshot": "tasks"}
"""Command -> what its query filters, where that is not its name."""
BORROWED = {"at": "activity", "passed": "activity", "failedactivity": "activity"}
_HARMLESS = re.compile(r"[\w.:/@%+][\w.:/@%+=-]*")
_WORD = re.compile(r"(?P<name>-?[A-Za-z_]+)(?P<operator>:|=|!~|~~?|[<>]=?)(?P<values>.*)", re.DOTALL)
_GLUED = re.compile(r"[:=]+")
"""What bash takes for a word of its own and nobody means so."""


def complete_values(program: PlainFlags) -> None:
    """Let the options of all commands complete their values, in this process, which a shell has started."""
    completion_init()
    add_completion_class(_Bash, "bash")
    add_completion_class(_Zsh, "zsh")
    commands: list[Command] = [program, *program.commands.values()]
    for command in commands:
        for param in command.params:
            # What was typed is taken as it is: to validate it would import pydantic.
            param.process_value = _as_typed  # type: ignore[method-assign, assignment]
            if param.name in VALUES:
                param.shell_complete = partial(_offered, VALUES[param.name])  # type: ignore[method-assign]


def _as_typed(context: Context, value: Any) -> Any:
    return value


def _offered(values: Callable[[Context, str], Offers], context: Context, begun: str) -> list[CompletionItem]:
    items = [one if isinstance(one, CompletionItem) else CompletionItem(one) for one in values(context, begun)]
    return [item for item in items if item.value.startswith(begun)]


# -- values -----------------------------------------------------------------------------------------------------------


def _profiles(context: Context, begun: str) -> Offers:
    with suppress(ProfileProblem):
        for one in list_profiles(profiles_file()):
            if _HARMLESS.fullmatch(one.name):
                yield CompletionItem(one.name, help=_plain(f"{one.environment} {one.address}"))


def _engines(context: Context, begun: str) -> Offers:
    return [
        name for name in read_seen(seen_file()) if name.startswith(("http:", "https:")) and _HARMLESS.fullmatch(name)
    ]


def _runs(context: Context, begun: str) -> Offers:
    """The newest runs of the journal, read without opening it as one: nothing is migrated, nothing is waited for."""
    file = default_journal()
    if not file.exists():
        return
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)) as journal,
    ):
        rows = journal.execute("SELECT id, state, title FROM run ORDER BY id DESC LIMIT ?", (RUNS,))
        for number, state, title in rows.fetchall():
            yield CompletionItem(str(number), help=_plain(f"{state}, {title}"))


def _subjects_query(context: Context, begun: str) -> Iterator[CompletionItem]:
    name = context.info_name or ""
    return _line(SUBJECT.get(name, name), context, begun)


def _line(subject: str, context: Context, begun: str) -> Iterator[CompletionItem]:
    """The lines that a filter line may become by its last word."""
    words = _words().get(subject, {})
    cut = re.search(r'(?:[^\s"]|"[^"]*"?)*\Z', begun)
    start = cut.start() if cut is not None else len(begun)
    before, typed = begun[:start], begun[start:]
    match = _WORD.fullmatch(typed)
    if match is None:
        offers = [form for word in words.values() for form in word["forms"] if form.startswith(typed.lower())]
    else:
        name = match["name"].lstrip("-").lower()
        head, comma, last = match["values"].rpartition(",")
        known = words.get(name, {}).get("choices", [])
        seen = _seen(context).get(BORROWED.get(name, name), ()) if name in words else ()
        offers = [
            f"{match['name']}{match['operator']}{head}{comma}{value}"
            for value in (*known, *filter(_HARMLESS.fullmatch, seen))
            if value.startswith(last) and value not in head.split(",")
        ]
    for offer in dict.fromkeys(offers):
        yield CompletionItem(before + offer, type=LINE)


def _words() -> dict[str, dict[str, dict[str, list[str]]]]:
    file = Path(__file__).with_name("filter_words.json")
    told: dict[str, dict[str, dict[str, list[str]]]] = json.loads(file.read_text(encoding="utf-8"))
    return told


def _seen(context: Context) -> Values:
    """What the named engine had when it was last looked at."""
    typed: dict[str, Any] = {}
    for one in (context.parent, context):
        typed |= {key: value for key, value in (one.params if one is not None else {}).items() if value}
    if typed.get("profile"):
        name = str(typed["profile"])
    elif typed.get("engine"):
        try:
            name = Remote(str(typed["engine"])).root()
        except ValueError:
            return {}
    else:
        store = str(typed.get("store") or default_store())
        name = name_of(store if "://" in store else str(Path(store).expanduser().resolve()))
    return read_seen(seen_file()).get(name, {})


def _several(words: Sequence[str]) -> Callable[[Context, str], Offers]:
    """Some of these words, separated by commas."""

    def values(context: Context, begun: str) -> Offers:
        head, comma, _ = begun.rpartition(",")
        return [f"{head}{comma}{word}" for word in words if word not in head.split(",")]

    return values


VALUES: dict[str, Callable[[Context, str], Offers]] = {
    "profile": _profiles,
    "engine": _engines,
    "run": _runs,
    "query": _subjects_query,
    "instances": lambda context, begun: _line("instances", context, begun),
    "jobs": lambda context, begun: _line("jobs", context, begun),
    "do": lambda context, begun: DOES,
    "include": _several(INCLUDED),
    "skip": _several(SKIPPED),
    "batch": lambda context, begun: ("goes-on", "suspend", "delete"),
    "env": lambda context, begun: ("DEV", "TEST", "PROD", "LOCAL"),
}
"""Name of a parameter -> what it may be. Every other value is a file, or nothing that can be known."""


def _plain(text: str) -> str:
    """A text beside a value, without what a shell may act on."""
    return " ".join(re.sub(r"[^\w .,:/@%+=<>~*-]", "", text).split())[:60]


# -- shells -----------------------------------------------------------------------------------------------------------


class _Bash(BashComplete):
    """Bash cuts words at ``:`` and ``=`` and replaces only the last piece; it also quotes nothing that it inserts."""

    def get_completion_args(self) -> tuple[list[str], str]:
        at = int(os.environ["COMP_CWORD"])
        words: list[str] = []
        pieces = os.environ["COMP_WORDS"].split("\n")[: at + 1]
        pieces += [""] * (at + 1 - len(pieces))
        for number, piece in enumerate(pieces):
            glued = words and (_GLUED.fullmatch(piece) or (_GLUED.fullmatch(pieces[number - 1]) and number > 1))
            if glued:
                words[-1] += piece
            else:
                words.append(piece)
        self._raw = words[-1]
        return [_unquoted(word) for word in words[1:-1]], _unquoted(self._raw)

    def complete(self) -> str:
        args, begun = self.get_completion_args()
        items = [item for item in self.get_completions(args, begun) if item.type not in ("file", "dir")]
        values = [str(item.value) for item in items]
        if len(values) == 1 and items[0].type == LINE and not values[0][-1].isalnum():
            values.append(values[0] + "...")  # the only one would end the word, and this one goes on
        if self._raw[:1] in ("'", '"'):
            return "\n".join(values)
        replaced = max((self._raw.rfind(sign) + 1 for sign in ":="), default=0)
        return "\n".join(_bare(value)[replaced:] for value in values)


class _Zsh(ZshComplete):
    """Zsh quotes what it inserts."""

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = os.environ.get("_TYPER_COMPLETE_ARGS", "")
        words = _shell_words(typed)
        return [_unquoted(word) for word in words[1:-1]], _unquoted(words[-1])

    def complete(self) -> str:
        args, begun = self.get_completion_args()
        items = self.get_completions(args, begun)
        if not items or any(item.type in ("file", "dir") for item in items):
            return "_files"
        if all(item.type == LINE for item in items):
            return f"compadd -S '' -- {shlex.join(str(item.value) for item in items)}"
        said = [f"{str(item.value).replace(':', chr(92) + ':')}:{_plain(item.help)}" if item.help
                else str(item.value).replace(":", chr(92) + ":") for item in items]  # fmt: skip
        return f"local -a retriage_offers; retriage_offers=({shlex.join(said)}); _describe retriage retriage_offers"


def _bare(value: str) -> str:
    """A value as it is typed without quotes."""
    return re.sub(r"([^\w.:/@%+=,~-])", r"\\\1", value)


def _unquoted(word: str) -> str:
    """A word as a program gets it; its closing quote may be missing."""
    parts = split_arg_string(word)
    open_quote = word[:1] if word[:1] in ("'", '"') else ""
    if open_quote:
        return word[1:].removesuffix(open_quote)
    return parts[0] if parts else ""


def _shell_words(line: str) -> list[str]:
    """The words of a line as they are typed; the last one is empty behind a blank."""
    words, open_quote, escaped = [""], "", False
    for letter in line:
        if escaped:
            escaped = False
        elif letter == "\\" and open_quote != "'":
            escaped = True
        elif open_quote:
            open_quote = "" if letter == open_quote else open_quote
        elif letter in "'\"":
            open_quote = letter
        elif letter.isspace():
            if words[-1]:
                words.append("")
            continue
        words[-1] += letter
    return words
