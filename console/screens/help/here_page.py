"""What this terminal can do, and what is known about this engine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retriage.console.language import SUBJECTS
from retriage.console.screens.clipboard import MOST, copied_file
from retriage.console.terminal.textual_private import heeds_mouse
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert
from retriage.console.text.words import count, span
from retriage.console.widgets.line import Span

if TYPE_CHECKING:
    from textual.app import App

    from retriage.console.session.session import Session

LABEL = 18
COLOURS = {"truecolor": "16 million", "256": "256", "standard": "16", "windows": "16"}


def terminal_page(app: App[Any], width: int, environment: Mapping[str, str] = os.environ) -> list[list[Span]]:
    """What the terminal is, as far as it can be known."""
    tmux = "TMUX" in environment
    remote = "SSH_CONNECTION" in environment or "SSH_TTY" in environment
    no_colour = bool(environment.get("NO_COLOR"))
    mouse = heeds_mouse(app)
    facts = [
        ("size", f"{app.size.width}x{app.size.height}   80x24 is the smallest"),
        ("terminal", environment.get("TERM", "unknown")),
        ("tmux", "yes" if tmux else "screen" if "STY" in environment else "no"),
        ("ssh", "yes" if remote else "no"),
        ("colours", "none (NO_COLOR)" if no_colour else COLOURS.get(app.console.color_system or "", "none")),
        ("theme", f"{app.theme}   t takes the next one"),
        ("mouse", "on" if mouse else f"off{' over SSH' if remote else ''}; --mouse turns it on"),
        ("copy", f"OSC 52, up to {count(MOST)} bytes{'; tmux needs set -g set-clipboard on' if tmux else ''}"),
        ("", f"and every time into {copied_file()}"),
        ("animations", "none; a screen at rest sends nothing but the clock"),
    ]
    return _page("This terminal", facts, width)


def engine_page(session: Session, width: int) -> list[list[Span]]:
    """What is known about the engine and what the console does in its place."""
    connection, memory = session.connection, session.memory
    identity, safety = connection.identity, connection.safety
    trip = connection.round_trip
    state = "read-only" if safety.readonly else "ARMED" if safety.armed else "SAFE" if safety.guarded else "no safety"
    here = [(f"{name} by", " ".join(word.name for word in subject.local if word.name not in subject.by_name))
            for name, subject in SUBJECTS.items()]  # fmt: skip
    facts = [
        ("environment", f"{identity.environment}   {state}"),
        ("name", identity.called),
        ("engine", f"{identity.engine} {identity.kind}".strip() or "not answered yet"),
        ("address", identity.url or "in this process"),
        ("user", identity.user or "nobody"),
        ("answers", f"in {max(round(trip * 1000), 1)} ms, {span(connection.state.age)} ago" if trip else "not yet"),
        ("journal", f"kept under {memory.engine_name}" if memory.journal else "none: nothing is remembered"),
        *((view, f"{count(number)}{f', {count(session.watch.failed_jobs)} without retries' if view == 'jobs' else ''}")
          for view, number in session.watch.counts.items()),
    ]  # fmt: skip
    facts += [
        ("history", connection.history_level),
        ("login", connection.rights.login),
        *connection.rights.lines(),
    ]
    limits = connection.capabilities.limits
    lacks = [(subject, ", ".join(words)) for subject, words in limits.items()] or [
        ("nothing", "that is known" if connection.capabilities.asked else "is known yet: it has not answered")
    ]
    cannot = [(label, words) for label, words in here if words]
    return [*_page("This engine", facts, width), [],
            *_page("What it lacks, and the console does itself or refuses", lacks, width), [],
            *_page("What it cannot filter, and the console does itself", cannot, width)]  # fmt: skip


def _page(title: str, facts: Iterable[tuple[str, str]], width: int) -> list[list[Span]]:
    lines: list[list[Span]] = [[(title, "strong")]]
    for label, text in facts:
        for at, part in enumerate(wrap(inert(text), max(width - LABEL - 2, 20), 4) or [""]):
            lines.append([("  ", ""), (f"{label if at == 0 else '':<{LABEL}}", "muted"), (part, "")])
    return lines
