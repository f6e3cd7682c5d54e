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


def default_journal() -> Path:
    """The operator's own memory: saved filters and launches."""
    return home() / "journal.db"


def preferences_file() -> Path:
    """The file that remembers what the operator has chosen to see."""
    return home() / "preferences.json"


def seen_file() -> Path:
    """The file with the values that engines had when they were last looked at."""
    return home() / "seen.json"


def keys_file() -> Path:
    """The file with the operator's own keys, beside the connection profiles."""
    return profiles_file().with_name("keys.toml")


def settings_file() -> Path:
    """The file with the operator's settings, beside the connection profiles."""
    return profiles_file().with_name("settings.toml")


def profiles_file() -> Path:
    """The file with the connection profiles: in ``RETRIAGE_HOME``, or in the platform's folder for configuration."""
    if os.environ.get("RETRIAGE_HOME"):
        return home() / "profiles.toml"
    return Path(platformdirs.user_config_dir("retriage", appauthor=False)) / "profiles.toml"
