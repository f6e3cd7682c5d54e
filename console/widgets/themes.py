"""Themes: dark, light, and the terminal's own sixteen colours.

The ground is quiet and the one warm colour is for what has failed, so that it is what the eye finds first. Text stands
out from every ground that it is written on by 4.5:1 at least, marks by 3:1 (WCAG 2.2, 1.4.3 and 1.4.11).
"""

from dataclasses import replace

from textual.theme import Theme

DARK = Theme(
    name="retriage-dark",
    primary="#7aa7d9",
    secondary="#8d9bb0",
    accent="#e5b567",
    warning="#e5b567",
    error="#f0876a",
    success="#93c48b",
    foreground="#d0d0d0",
    background="#0f1319",
    surface="#151b23",
    panel="#1c2430",
    dark=True,
    variables={
        "ink-strong": "#eeeeee",
        "ink-muted": "#a8a8a8",
        "ink-faint": "#949494",
        "ink-accent": "#87afd7",
        "ink-failed": "#ff875f",
        "ink-warning": "#d7af00",
        "ink-good": "#87d787",
        "ink-locked": "#5fd7d7",
        "ink-suspended": "#af87d7",
        "ink-chip": "#ffaf00",
        "ink-chip-text": "#14181f",
        "ink-chip-style": "bold",
        "row-cursor": "#1c2e44",
        "row-cursor-style": "none",
        "row-cursor-blurred": "#18212c",
        "row-marked": "#2a2620",
        "frame": "#2b3646",
        "frame-focus": "#5f86b3",
        "line-ground": "#161d27",
        "input-cursor-background": "#e5b567",
        "input-cursor-foreground": "#14181f",
        "input-selection-background": "#34506f",
    },
)

LIGHT = Theme(
    name="retriage-light",
    primary="#2f6299",
    secondary="#5c6878",
    accent="#9a6400",
    warning="#9a6400",
    error="#b8452a",
    success="#3d7a3a",
    foreground="#2b333f",
    background="#fbfaf7",
    surface="#f4f2ec",
    panel="#e9e6de",
    dark=False,
    variables={
        "ink-strong": "#10151c",
        "ink-muted": "#525b67",
        "ink-faint": "#606872",
        "ink-accent": "#1f5c9e",
        "ink-failed": "#a83817",
        "ink-warning": "#805300",
        "ink-good": "#2f6f33",
        "ink-locked": "#0f6d74",
        "ink-suspended": "#6747a6",
        "ink-chip": "#9a6400",
        "ink-chip-text": "#fffaf0",
        "ink-chip-style": "bold",
        "row-cursor": "#e0eaf5",
        "row-cursor-style": "none",
        "row-cursor-blurred": "#ecebe5",
        "row-marked": "#f7ecd2",
        "frame": "#d3cfc4",
        "frame-focus": "#5f8fc4",
        "line-ground": "#f0ede5",
        "input-cursor-background": "#2f6299",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#c3d8ef",
    },
)

TERMINAL = Theme(
    name="ansi",
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_yellow",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    ansi=True,
    variables={
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "ink-strong": "ansi_default",
        "ink-muted": "ansi_bright_black",
        "ink-faint": "ansi_bright_black",
        "ink-accent": "ansi_bright_cyan",
        "ink-failed": "ansi_bright_red",
        "ink-warning": "ansi_yellow",
        "ink-good": "ansi_green",
        "ink-locked": "ansi_cyan",
        "ink-suspended": "ansi_bright_magenta",
        "ink-chip": "ansi_yellow",
        "ink-chip-text": "ansi_black",
        "ink-chip-style": "bold",
        "row-cursor": "ansi_default",
        "row-cursor-style": "reverse",
        "row-cursor-blurred": "ansi_default",
        "row-marked": "ansi_default",
        "frame": "ansi_bright_black",
        "frame-focus": "ansi_bright_blue",
        "line-ground": "ansi_default",
        "input-cursor-background": "ansi_yellow",
        "input-cursor-foreground": "ansi_black",
        "input-selection-background": "ansi_blue",
    },
)

PLAIN = replace(
    TERMINAL,
    name="plain",
    variables={
        **TERMINAL.variables,
        **{name: "ansi_default" for name in TERMINAL.variables if name.startswith(("ink-", "frame"))},
        "row-cursor-style": "reverse",
        "ink-chip-style": "bold reverse",
        "input-cursor-text-style": "reverse",
    },
)
"""For a terminal that shall show no colour (``NO_COLOR``): bold, underline and reverse say what colours say."""

THEMES = (DARK, LIGHT, TERMINAL)
"""In the order in which the key for themes goes through them."""

DEFAULTS = DARK.variables
"""The variables that the widgets need, for a theme that lacks them."""
