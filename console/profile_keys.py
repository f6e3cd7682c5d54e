"""The keys of a connection profile, in the file as in the option ``--option KEY=VALUE``: which there are, and which
values they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from retriage.console.secret_sources import KINDS, is_source, source_of
from retriage.console.text.nearest import nearest
from retriage.console.text.toml import parse_toml

ENVIRONMENTS = ("demo", "dev", "test", "prod")
TEXTS = (
    "url", "environment", "user", "ca", "client_cert", "client_key", "proxy", "proxy_user",
    "oauth_token_url", "oauth_client_id", "oauth_scope", "oauth_audience",
)  # fmt: skip
SWITCHES = ("readonly", "verify", "oauth_in_body")
SECONDS = ("connect_timeout", "read_timeout", "launch_timeout")
TABLES = ("headers", "cookies")
SECRETS = ("password", "token", "client_key_password", "proxy_password", "oauth_client_secret")
SOURCES = tuple(f"{secret}_{kind}" for secret in SECRETS for kind in KINDS)
KEYS = (*TEXTS, *SWITCHES, *SECONDS, *TABLES, *SOURCES)
LOGS_IN = ("auth", "cookie", "token", "secret", "key", "passw", "session")
"""Words in the name of a header whose value is a secret: it is not written down in a profile."""


class ProfileProblem(ValueError):
    """A profile cannot be used; the text is one sentence for whoever named it."""


def fits_header(text: str) -> bool:
    """Whether a header may hold this text."""
    return text.isascii() and text.isprintable()


def check(whose: str, told: Mapping[str, Any]) -> None:
    """Whether each key is known and has a value that it may have, and no secret has two sources.

    Args:
        whose: for the sentence, "The profile bpm".
        told: key -> value.

    Raises:
        ProfileProblem: it is not so.
    """
    for key, value in told.items():
        _check_key(whose, key, value)
    for secret in SECRETS:
        if sum(f"{secret}_{kind}" in told for kind in KINDS) > 1:
            raise ProfileProblem(f"{whose} has two sources of its {secret}; one is enough.")
    logins = [word for word, given in (("a password", _has(told, "password")), ("a token", _has(told, "token")),
                                       ("OAuth", "oauth_token_url" in told)) if given]  # fmt: skip
    if len(logins) > 1:
        raise ProfileProblem(f"{whose} logs in by {' and by '.join(logins)}; one is enough.")
    for key, needs in (("client_key", "client_cert"), ("oauth_token_url", "oauth_client_id")):
        if key in told and needs not in told:
            raise ProfileProblem(f"{whose}: {key} needs {needs} too.")
    if "oauth_token_url" in told and not _has(told, "oauth_client_secret"):
        raise ProfileProblem(f"{whose}: oauth_token_url needs {_source('oauth_client_secret')} too.")


def _has(told: Mapping[str, Any], secret: str) -> bool:
    return any(f"{secret}_{kind}" in told for kind in KINDS)


def _check_key(whose: str, key: str, value: Any) -> None:
    if key in (*SECRETS, "secret"):
        raise ProfileProblem(f"{whose} holds its {key}: name its source, {_source(key)}, and take it out.")
    if key not in KEYS:
        near = nearest(key, KEYS)
        raise ProfileProblem(f"{whose}: {key} is not known{f'; {near} is' if near else ''}.")
    if key in TABLES:
        _check_table(whose, key, value)
    elif not _right(key, value):
        raise ProfileProblem(f"{whose}: {key} must be {_kind(key)}.")
    if key == "proxy" and "@" in value:
        held = "proxy holds a user or a password: name them by proxy_user and proxy_password_env"
        raise ProfileProblem(f"{whose}: {held}, and take them out.")
    if key == "environment" and value.lower() not in ENVIRONMENTS:
        raise ProfileProblem(f"{whose}: environment must be one of {', '.join(ENVIRONMENTS)}.")


def _right(key: str, value: Any) -> bool:
    if key in SWITCHES:
        return isinstance(value, bool)
    if key in SECONDS:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 3600
    if key in SOURCES:
        return is_source(key.rpartition("_")[2], value)
    return isinstance(value, str)


def _kind(key: str) -> str:
    if key in SWITCHES:
        return "true or false"
    if key in SECONDS:
        return "a number of seconds, at most 3600"
    if key.endswith("_command"):
        return "a command"
    return "SERVICE/USER" if key.endswith("_keyring") else "a string"


def _check_table(whose: str, key: str, value: Any) -> None:
    one = key.removesuffix("s")
    if not isinstance(value, Mapping):
        raise ProfileProblem(f"{whose}: {key} must be a table, NAME = value.")
    for name, source in value.items():
        if not name.isascii() or not all(letter.isalnum() or letter in "!#$%&'*+-.^_`|~" for letter in name):
            raise ProfileProblem(f"{whose}: a {one} cannot be called {name!r}.")
        if isinstance(source, Mapping):
            if source_of(source) is None:
                raise ProfileProblem(
                    f"{whose}: the {one} {name} must be a string or have one source: {', '.join(KINDS)}."
                )
        elif not isinstance(source, str) or not source.isprintable():
            raise ProfileProblem(f"{whose}: the {one} {name} must be a string or have one source: {', '.join(KINDS)}.")
        elif not fits_header(source):
            raise ProfileProblem(f"{whose}: its {one} {name} holds characters that no header may hold.")
        elif key == "cookies" or any(word in name.lower() for word in LOGS_IN):
            held = f"holds the {one} {name}: name its source, {name}.env, {name}.command or {name}.keyring"
            raise ProfileProblem(f"{whose} {held}, and take it out.")


def _source(key: str) -> str:
    secret = key if key in SECRETS else "password"
    return f"{secret}_env, {secret}_command or {secret}_keyring"


def from_options(options: Iterable[str]) -> dict[str, Any]:
    """``KEY=VALUE`` as a profile would say it: ``read_timeout=60``, ``headers.X-Tenant=a``, ``cookies.sid.env=SID``.

    A value is read as one of TOML where it is one, else as a text.

    Raises:
        ProfileProblem: one of them is no such pair.
    """
    told: dict[str, Any] = {}
    for option in options:
        path, mark, text = option.partition("=")
        names = path.strip().split(".")
        if not mark or not all(names):
            raise ProfileProblem(f"--option {option}: write it like KEY=VALUE.")
        at = told
        for name in names[:-1]:
            at = at.setdefault(name, {})
            if not isinstance(at, dict):
                raise ProfileProblem(f"--option {option}: {name} has a value already.")
        at[names[-1]] = _value(names[-1], text)
    return told


def _value(key: str, text: str) -> Any:
    if key in TEXTS:
        return text
    try:
        return parse_toml(f"value = {text}")["value"]
    except ValueError:
        return text
