"""Where the operator's own things are: ``RETRIAGE_HOME``, or the platform's folder for data."""

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """The folder for data and configuration."""
    chosen = os.environ.get("RETRIAGE_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("retriage", appauthor=False))


def default_store() -> Path:
    """The operator's own store."""
    return home() / "store.db"
