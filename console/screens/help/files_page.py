"""The operator's own files: which there are, where, and what stands in them."""

from __future__ import annotations

from retriage.console.folders import default_journal, keys_file, preferences_file, profiles_file, settings_file
from retriage.console.text.cells import wrap
from retriage.console.text.inert import inert
from retriage.console.widgets.line import Span

KEYS = (
    "One line for each action: its name (  :  lists them) and its keys, separated by spaces:",
    '  "tasks.retry" = "R"',
    '  "list.filter" = "slash f"',
    "What changes the engine keeps a capital letter. A key that is taken, or unknown, is named at the start.",
)
PROFILES = (
    "One table for each engine; retriage --profile NAME opens it:",
    "  [bpm-prod]",
    '  url = "https://bpm.example/engine-rest"',
    '  environment = "PROD"',
    '  user = "ann"',
    '  password_command = "pass bpm-prod"',
    "Also password_env, token_env, token_command, readonly, verify, ca. The password itself is never in it.",
    "retriage profiles lists them, and says what is wrong with them.",
)

SETTINGS = (
    "What tells you of a run that is held or over, and how many days the journal keeps what is over:",
    "  [notify]",
    '  held = ["notify-send", "Retriage"]',
    '  webhook = { env = "OPS_HOOK" }',
    '  shape = "slack"',
    "  [journal]",
    "  keep_days = 90",
    "Commands also for ended, failed, unanswered; shapes are json, slack, mattermost, teams.",
)


def files_page(width: int) -> list[list[Span]]:
    """All of them, in so many cells."""
    lines: list[list[Span]] = []
    for title, path, told in (
        ("Your keys", keys_file(), KEYS),
        ("Your engines", profiles_file(), PROFILES),
        ("Your settings", settings_file(), SETTINGS),
        ("What you have chosen to see", preferences_file(), ("Theme, order, columns, zoom. The console writes it.",)),
        ("Your journal", default_journal(), ("Launches, and filters that have a name or were used.",)),
    ):
        lines += [[(title, "strong")], [("  ", ""), (inert(str(path)), "accent")]]
        lines += [[("  ", ""), (part, "" if text.startswith("  ") else "muted")]
                  for text in told for part in _fitting(text, width - 2)]  # fmt: skip
        lines.append([])
    return lines[:-1]


def _fitting(text: str, width: int) -> list[str]:
    """A line that is typed is left as it is; a sentence goes on below."""
    return [text] if text.startswith("  ") else wrap(text, max(width, 20), 4)
