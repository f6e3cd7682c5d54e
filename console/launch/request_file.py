"""A request kept as a file, among the operator's things."""

from datetime import datetime

from console.folders import home
from store.private_files import make_folder, open_file


def save_request(text: str, at: datetime) -> str:
    """Write a request to a new file; answers its path.

    Args:
        text: the JSON.
        at: when its tasks were counted: names the file.

    Raises:
        OSError: it cannot be written.
    """
    folder = home() / "launches"
    make_folder(folder)
    file = folder / f"retries-{at:%Y%m%d-%H%M%S}.json"
    with open_file(file, "w") as opened:
        opened.write(text + "\n")
    return str(file)
