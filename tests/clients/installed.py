"""The clients, each installed once per version into the user's cache folder by its own registry's tool."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

PYTHON_CLIENT = "camunda-external-task-client-python3"
PYTHON_VERSION = "4.5.0"
JS_CLIENT = "camunda-external-task-client-js"
JS_VERSION = "3.1.0"
_PATIENCE = 240.0


class CannotInstall(Exception):
    """Why this machine has not the client and cannot get it, in one line."""


def python_client() -> Path:
    """Folder to put on the path of a Python that is to find the client.

    Raises:
        CannotInstall: no pip, or no registry.
    """

    def install(folder: Path) -> None:
        wanted = f"{PYTHON_CLIENT}=={PYTHON_VERSION}"
        _run([sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), wanted], folder)

    return _once(f"python-{PYTHON_VERSION}-{sys.version_info[0]}.{sys.version_info[1]}", install)


def js_client() -> Path:
    """The module of the client, for a dynamic import.

    Raises:
        CannotInstall: no node, no npm, or no registry.
    """
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise CannotInstall(f"needs {tool} on the PATH")

    def install(folder: Path) -> None:
        (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
        _run(["npm", "install", "--no-audit", "--no-fund", f"{JS_CLIENT}@{JS_VERSION}"], folder)

    package = _once(f"js-{JS_VERSION}", install) / "node_modules" / JS_CLIENT
    return package / str(json.loads((package / "package.json").read_text())["exports"])


def _once(name: str, install: Callable[[Path], None]) -> Path:
    """A folder of the cache, filled if it is not there yet."""
    place = platformdirs.user_cache_path("retriage-tests") / "clients" / name
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as workshop:
        made = Path(workshop) / "made"
        made.mkdir()
        install(made)
        try:
            # A rename: of two installations at the same time, both leave a whole folder.
            made.rename(place)
        except OSError:
            if not place.exists():
                raise
    return place


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"{command[0]} gave no answer for {_PATIENCE:.0f} s") from None
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["without a word"]
        raise CannotInstall(f"{Path(command[0]).name} could not install it: {last[0][:300]}")
