"""The operator's settings: a TOML file beside the connection profiles.

::

    [notify]
    held = ["notify-send", "Retriage"]    # carried out when a run is held; what happened is in RETRIAGE_* variables
    ended = ["/home/ann/bin/log-it"]      # also failed (otherwise ended) and unanswered (otherwise held)
    webhook = { env = "OPS_HOOK" }        # or command, keyring, or the address itself; gets a POST for each of them
    shape = "slack"                       # or mattermost, teams; without it the facts as JSON

    [journal]
    keep_days = 90                        # what is older and over is forgotten; without it nothing is

What cannot be used is said in one sentence each, and everything else of the file works.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from retriage.console.secret_sources import KINDS, source_of
from retriage.console.text.nearest import nearest
from retriage.console.text.toml import parse_toml

Occasion = Literal["held", "unanswered", "ended", "failed"]
"""What happens to a run: it waits for the operator, or does so because a launch was not answered; it is over, or is so
with waves beyond their limit or with nothing sent."""
OCCASIONS: tuple[Occasion, ...] = get_args(Occasion)
OTHERWISE: Mapping[str, Occasion] = {"unanswered": "held", "failed": "ended"}
"""An occasion without a command of its own -> that whose command is carried out."""
SHAPES = ("json", "slack", "mattermost", "teams")
KNOWN: dict[str, tuple[str, ...]] = {
    "notify": (*OCCASIONS, "webhook", "shape"), "journal": ("keep_days",), "runs": ("call",),
}  # fmt: skip
"""The tables and their entries; ``call`` of ``runs`` is the older name of ``held`` of ``notify``."""
FEWEST_DAYS = 1


@dataclass(frozen=True)
class Webhook:
    """An address that gets a POST.

    Attributes:
        kind: ``url``, or where the address comes from, one of :data:`~retriage.console.secret_sources.KINDS`.
        value: of that kind.
        shape: of what is sent, one of :data:`SHAPES`.
    """

    kind: str
    value: str | list[str]
    shape: str = "json"


@dataclass
class Notify:
    """What tells of a run that is held or over.

    Attributes:
        commands: occasion -> program and arguments.
        webhook: gets all occasions.
    """

    commands: dict[str, tuple[str, ...]] = field(default_factory=dict)
    webhook: Webhook | None = None

    def command(self, occasion: Occasion) -> tuple[str, ...]:
        """What is carried out then; empty where nothing is."""
        return self.commands.get(occasion) or self.commands.get(OTHERWISE.get(occasion, ""), ())


@dataclass
class Settings:
    """What the operator has set, and sentences about what was not taken.

    Attributes:
        notify: what tells of a run that is held or over, beside the bell, which rings when it is held.
        keep_days: days for which the journal keeps what is over; none keeps it for ever.
        problems: what cannot be used.
    """

    notify: Notify = field(default_factory=Notify)
    keep_days: int | None = None
    problems: list[str] = field(default_factory=list)


def read_settings(path: Path) -> Settings:
    """The operator's settings; the usual ones if there is no file."""
    try:
        told = parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as problem:
        return Settings(problems=[f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is not text'}."])
    except ValueError as problem:
        return Settings(problems=[f"{path} is not TOML: {problem}."])
    return _checked(told, path.name)


def _checked(told: dict[str, Any], name: str) -> Settings:
    found = Settings()
    for table, entries in told.items():
        if table not in KNOWN or not isinstance(entries, dict):
            found.problems.append(f"{name}: [{table}] is not known{_near(table, KNOWN)}.")
            continue
        for entry, value in entries.items():
            if entry not in KNOWN[table]:
                found.problems.append(f"{name}: {entry} of [{table}] is not known{_near(entry, KNOWN[table])}.")
            elif table == "journal":
                _take_days(found, value, name)
            elif entry == "webhook":
                _take_webhook(found, value, entries.get("shape", "json"), name)
            elif entry != "shape":
                _take_command(found, table, entry, value, name)
        if table == "notify" and "shape" in entries and entries["shape"] not in SHAPES:
            found.problems.append(f"{name}: shape of [notify] is one of {', '.join(SHAPES)}.")
    return found


def _near(word: str, known: Any) -> str:
    near = nearest(word, known)
    return f"; {near} is" if near else ""


def _take_command(found: Settings, table: str, entry: str, value: Any, name: str) -> None:
    try:
        words = shlex.split(value) if isinstance(value, str) else value
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        found.problems.append(f'{name}: {entry} of [{table}] is a command, like ["notify-send", "Retriage"].')
    elif table == "notify":
        found.notify.commands[entry] = tuple(words)
    else:
        found.notify.commands.setdefault("held", tuple(words))


def _take_webhook(found: Settings, value: Any, shape: Any, name: str) -> None:
    is_address = isinstance(value, str) and value.startswith(("https://", "http://"))
    source = ("url", value) if is_address else source_of(value)
    if source is None:
        found.problems.append(
            f"{name}: webhook of [notify] is an address that begins with https://, or one of {', '.join(KINDS)}"
            ' that tells it, like { env = "OPS_HOOK" }.'
        )
    elif shape in SHAPES:
        found.notify.webhook = Webhook(*source, shape)


def _take_days(found: Settings, value: Any, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < FEWEST_DAYS:
        found.problems.append(f"{name}: keep_days of [journal] is a whole number of days, {FEWEST_DAYS} or more.")
    else:
        found.keep_days = value
