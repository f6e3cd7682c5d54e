"""What the operator takes away: onto the clipboard of the terminal, and into a file as the second way.

Whether a terminal heeds OSC 52 cannot be known, so what was copied is always in a file too.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from retriage.console.folders import home
from retriage.console.text.cells import cut
from retriage.console.text.inert import inert
from retriage.console.text.words import things
from retriage.store.private_files import make_folder, open_file

MOST = 74_000
"""Bytes that terminals are known to take by OSC 52 (xterm and tmux stop near 100,000 in base 64)."""
_SHOWN = 60


def copied_file() -> Path:
    """Where the text that was copied last is."""
    return home() / "copied.txt"


async def keep(text: str) -> Path | None:
    """Write a text to the file of what was copied, for its owner's eyes only; none if that cannot be done."""
    path = copied_file()
    with suppress(OSError):
        await asyncio.to_thread(_write, path, text)
        return path
    return None


def _write(path: Path, text: str) -> None:
    make_folder(path.parent)
    with open_file(path, "w") as file:
        file.write(text)


def fits(text: str) -> bool:
    """The clipboard can be asked to take it."""
    return len(text.encode()) <= MOST


def said(what: str, text: str, path: Path | None) -> str:
    """One sentence about what was copied and where it is.

    Args:
        what: what it is; empty shows its beginning.
        text: what was copied.
        path: where it was written too.
    """
    named = what or cut(inert(text.partition("\n")[0]), min(_SHOWN, max(len(text), 1))).rstrip()
    where = f"in {_homely(path)}" if path is not None else ""
    if not fits(text):
        size = things(len(text), "character")
        return (
            f"{named} is {where}; {size} are too many for the clipboard." if path else f"{named} is too long to copy."
        )
    tmux = "; tmux needs set -g set-clipboard on" if "TMUX" in os.environ else ""
    return f"Copied {named} (OSC 52{tmux})" + (f"; also {where}." if path else ".")


def _homely(path: Path) -> str:
    with suppress(ValueError, RuntimeError):
        return f"~/{path.relative_to(Path.home())}"
    return str(path)
