"""The operator's settings: what is right is taken, what is not is said, and the rest of the file works."""

from pathlib import Path

import pytest

from retriage.console.settings import Notify, Settings, read_settings


def settings(folder: Path, text: str) -> Settings:
    (folder / "settings.toml").write_text(text)
    return read_settings(folder / "settings.toml")


def test_without_a_file_all_is_usual(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "settings.toml") == Settings()


def test_a_command_and_days(tmp_path: Path) -> None:
    found = settings(tmp_path, '[notify]\nheld = ["notify-send", "a b"]\n[journal]\nkeep_days = 90\n')
    assert found == Settings(Notify({"held": ("notify-send", "a b")}), 90)
    assert settings(tmp_path, "[notify]\nended = \"say 'a b'\"\n").notify.command("failed") == ("say", "a b")


@pytest.mark.parametrize("first", ["[notify]\nheld = 'new'\n[runs]\ncall = 'old'\n", "[runs]\ncall = 'old'\n"])
def test_the_older_name_of_the_command_is_still_read(tmp_path: Path, first: str) -> None:
    found = settings(tmp_path, first)
    assert found.problems == []
    assert found.notify.command("unanswered") == (("new",) if "new" in first else ("old",))
    assert found.notify.command("ended") == ()


@pytest.mark.parametrize("told", ['"https://h/x"', '{ env = "HOOK" }', '{ command = ["pass", "hook"] }'])
def test_a_webhook_and_where_its_address_comes_from(tmp_path: Path, told: str) -> None:
    found = settings(tmp_path, f'[notify]\nwebhook = {told}\nshape = "slack"\n')
    assert found.problems == []
    kinds = {"https://h/x": "url", "HOOK": "env", ("pass", "hook"): "command"}
    hook = found.notify.webhook
    assert hook is not None
    assert hook.shape == "slack"
    assert hook.kind == kinds[tuple(hook.value) if isinstance(hook.value, list) else hook.value]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[runs]\ncall = 3\n", "call of [runs] is a command"),
        ("[runs]\ncall = []\n", "call of [runs] is a command"),
        ('[runs]\ncall = "say \'a"\n', "call of [runs] is a command"),
        ("[notify]\nheld = 3\n", "held of [notify] is a command"),
        ("[notify]\nwebhook = 3\n", "webhook of [notify] is an address"),
        ('[notify]\nwebhook = "ftp://h"\n', "webhook of [notify] is an address"),
        ("[notify]\nwebhook = { file = '/x' }\n", "webhook of [notify] is an address"),
        ("[notify]\nwebhook = {}\n", "webhook of [notify] is an address"),
        ('[notify]\nwebhook = "https://h"\nshape = "irc"\n', "shape of [notify] is one of json, slack"),
        ("[notify]\nhold = 'x'\n", "hold of [notify] is not known; held is."),
        ("[journal]\nkeep_days = true\n", "keep_days of [journal] is a whole number"),
        ("[journal]\nkeep_days = 0\n", "keep_days of [journal] is a whole number"),
        ("[run]\ncall = []\n", "[run] is not known; runs is."),
        ("[runs]\ncal = []\n", "cal of [runs] is not known; call is."),
        ("[runs\n", "is not TOML"),
        pytest.param(f"deep = {'[' * 5000}", "is not TOML: it is nested too deeply.", id="deep"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, said: str) -> None:
    found = settings(tmp_path, text)
    assert (found.notify, found.keep_days) == (Notify(), None)
    assert len(found.problems) == 1
    assert said in found.problems[0]


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"\xff\xfe")
    assert read_settings(tmp_path / "settings.toml").problems != []
