"""Values that engines had when they were last looked at, in one file: a shell completes them without a question.

The file is the program's own. One that cannot be read is passed over: nothing in it is worth a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from retriage.store.private_files import make_folder, open_file

Values = Mapping[str, Sequence[str]]
"""Word of the filter language -> its values, those seen last first."""
MOST_VALUES = 200
"""Values of one word that are kept."""
MOST_ENGINES = 20


def read_seen(path: Path) -> dict[str, Values]:
    """Name of an engine -> what was seen there, those looked at last first; empty where there is no such file."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {
        str(engine): {
            str(word): [value for value in values if isinstance(value, str)]
            for word, values in words.items()
            if isinstance(values, list)
        }
        for engine, words in (told.items() if isinstance(told, dict) else ())
        if isinstance(words, dict)
    }


def keep_seen(path: Path, engine: str, values: Values) -> None:
    """Add values of an engine to the file, readable for its owner only. What cannot be written is not kept."""
    seen = read_seen(path)
    before = seen.pop(engine, {})
    merged = {word: [*dict.fromkeys((*fresh, *before.get(word, ())))][:MOST_VALUES] for word, fresh in values.items()}
    if not any(merged.values()):
        return
    newest = {engine: merged, **seen}
    with suppress(OSError, UnicodeEncodeError):
        make_folder(path.parent)
        beside = path.with_suffix(".new")
        with open_file(beside, "w") as file:
            json.dump(dict(list(newest.items())[:MOST_ENGINES]), file)
        beside.replace(path)
