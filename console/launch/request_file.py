"""A request, or the ids of its tasks, kept as a file among the operator's things."""

from collections.abc import Iterable
from datetime import datetime

from retriage.console.folders import home
from retriage.store.private_files import make_folder, open_file


def save_request(text: str, at: datetime) -> str:
    """Write a request to a new file; answers its path.

    Args:
        text: the JSON.
        at: when its tasks were counted: names the file.

    Raises:
        OSError: it cannot be written.
    """
    return _save(f"retries-{at:%Y%m%d-%H%M%S}.json", text)


def save_ids(ids: Iterable[str], at: datetime) -> str:
    """Write ids to a new file, one a line; answers its path.

    Args:
        ids: of the tasks.
        at: when they were counted: names the file.

    Raises:
        OSError: it cannot be written.
    """
    return _save(f"ids-{at:%Y%m%d-%H%M%S}.txt", "\n".join(ids))


def _save(name: str, text: str) -> str:
    folder = home() / "launches"
    make_folder(folder)
    file = folder / name
    with open_file(file, "w") as opened:
        opened.write(text + "\n")
    return str(file)
