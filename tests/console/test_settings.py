"""The operator's settings: what is right is taken, what is not is said, and the rest of the file works."""

from pathlib import Path

import pytest

from console.settings import Settings, read_settings


def settings(folder: Path, text: str) -> Settings:
    (folder / "settings.toml").write_text(text)
    return read_settings(folder / "settings.toml")


def test_without_a_file_all_is_usual(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "settings.toml") == Settings()


def test_a_command_and_days(tmp_path: Path) -> None:
    found = settings(tmp_path, '[runs]\ncall = ["notify-send", "a b"]\n[journal]\nkeep_days = 90\n')
    assert found == Settings(("notify-send", "a b"), 90)
    assert settings(tmp_path, "[runs]\ncall = \"say 'a b'\"\n").call == ("say", "a b")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[runs]\ncall = 3\n", "call of [runs] is a command"),
        ("[runs]\ncall = []\n", "call of [runs] is a command"),
        ('[runs]\ncall = "say \'a"\n', "call of [runs] is a command"),
        ("[journal]\nkeep_days = true\n", "keep_days of [journal] is a whole number"),
        ("[journal]\nkeep_days = 0\n", "keep_days of [journal] is a whole number"),
        ("[run]\ncall = []\n", "[run] is not known; runs is."),
        ("[runs]\ncal = []\n", "cal of [runs] is not known; call is."),
        ("[runs\n", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, said: str) -> None:
    found = settings(tmp_path, text)
    assert (found.call, found.keep_days) == ((), None)
    assert len(found.problems) == 1
    assert said in found.problems[0]


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe")
    assert read_settings(tmp_path / "settings.toml").problems != []
