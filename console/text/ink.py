"""Inks: the few names under which colours are known.

A theme gives each of them a colour as the variable ``$ink-<name>``. State is never told by the ink alone.
"""

from typing import Literal

Ink = Literal["", "strong", "muted", "faint", "accent", "failed", "warning", "good", "locked", "suspended", "chip"]
INKS: tuple[Ink, ...] = (
    "strong", "muted", "faint", "accent", "failed", "warning", "good", "locked", "suspended", "chip",
)  # fmt: skip
