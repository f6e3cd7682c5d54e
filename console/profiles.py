"""Connection profiles: engines by name, in a TOML file of the operator. No secret is ever in it, only where it is had.

::

    [bpm-prod]
    url = "https://bpm.example/engine-rest"
    environment = "prod"                           # demo, dev, test or prod
    user = "ann"
    password_command = ["pass", "show", "bpm"]     # or password_env = "BPM_PASSWORD", password_keyring = "bpm/ann"
    readonly = false
    ca = "company-ca.pem"                          # relative to the file; or verify = false
    client_cert = "ann.pem"                        # with client_key = "ann.key", client_key_password_env = "…"
    proxy = "http://proxy.example:3128"            # or "direct"; with proxy_user, proxy_password_env
    connect_timeout = 4                            # seconds; read_timeout = 20, launch_timeout = 180
    token_command = ["gcloud", "auth", "…"]        # instead of a user; run again on 401, and when it is at its end
    oauth_token_url = "https://login.example/token"  # or so: with oauth_client_id, oauth_client_secret_env,
                                                   # oauth_scope, oauth_audience, oauth_in_body = true
    headers.X-Tenant = "blue"
    headers.X-Api-Key.env = "BPM_KEY"              # or .command = ["…"], run again as a token's is; or .keyring = "…"
    cookies.session.command = ["get-session"]
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from retriage.console.engine.credentials import ClientCredentials, Credentials, CredentialsProblem, bearer
from retriage.console.engine.target import Remote
from retriage.console.profile_keys import TABLES, ProfileProblem, check, fits_header
from retriage.console.secret_sources import KINDS, READ_VARIABLES, SecretProblem, output_of, read_secret
from retriage.console.text.toml import parse_toml
from retriage.store.private_files import others_may_write

__all__ = ["Profile", "ProfileLine", "ProfileProblem", "known_profiles", "list_profiles", "profile_named", "remote_of"]


@dataclass(frozen=True)
class Profile:
    """An engine by name.

    Attributes:
        name: its name.
        target: how it is reached, with its password.
        environment: the word for the first line in capitals; empty when the profile does not say.
        readonly: nothing may be changed through it.
    """

    name: str
    target: Remote
    environment: str
    readonly: bool


def profile_named(
    name: str, file: Path, environ: Mapping[str, str] = os.environ, options: Mapping[str, Any] | None = None
) -> Profile:
    """The profile of that name. Secrets come from the environment, a keyring, or from commands, which are run here.

    Args:
        name: of the profile.
        file: with the profiles.
        environ: variables.
        options: keys that take the place of the profile's own, as they were typed.

    Raises:
        ProfileProblem: there is no such file or profile, it says something wrong, or a secret cannot be had.
    """
    told = {**_told(name, file), **(options or {})}
    target = remote_of(f"The profile {name}", told, file.parent, environ)
    return Profile(name, target, told.get("environment", "").upper(), told.get("readonly", False))


def remote_of(whose: str, told: Mapping[str, Any], folder: Path, environ: Mapping[str, str] = os.environ) -> Remote:
    """The engine that these keys describe, with its secrets.

    Args:
        whose: for the sentence, "The profile bpm".
        told: key -> value, see :mod:`retriage.console.profile_keys`.
        folder: that files are relative to.
        environ: variables.

    Raises:
        ProfileProblem: something is wrong, or a secret cannot be had; the text is one sentence.
    """
    check(whose, told)
    if not told.get("url"):
        raise ProfileProblem(f"{whose} has no url.")

    def file(key: str) -> Path | None:
        return folder / Path(told[key]).expanduser() if told.get(key) else None

    try:
        target = Remote(
            told["url"],
            user=told.get("user"),
            password=_secret(whose, "password", told, environ),
            headers=_fixed(whose, told, environ),
            ca=file("ca"),
            insecure=told.get("verify") is False,
            client_cert=file("client_cert"),
            client_key=file("client_key"),
            client_key_password=_secret(whose, "client_key_password", told, environ),
            proxy=told.get("proxy", ""),
            proxy_login=_proxy_login(whose, told, environ),
            connect_timeout=told.get("connect_timeout"),
            read_timeout=told.get("read_timeout"),
            launch_timeout=told.get("launch_timeout"),
        )
        target.root()
        return _logged_in(whose, target, told, environ)
    except ProfileProblem:
        raise
    except SecretProblem as problem:
        raise ProfileProblem(str(problem)) from None
    except ValueError as problem:
        raise ProfileProblem(f"{whose}: {problem}") from None


def _logged_in(whose: str, target: Remote, told: Mapping[str, Any], environ: Mapping[str, str]) -> Remote:
    """The target with what logs in, and with the source of it where it does not last."""
    token = _secret(whose, "token", told, environ) if "token_command" not in told else None
    if token is not None and not fits_header(token):
        raise ProfileProblem(f"{whose}: its token holds characters that no header may hold.")
    target = replace(target, token=token)
    if "oauth_token_url" in told:
        from retriage.console.engine.connect import proxy_of, trust  # 20 ms

        client = ClientCredentials(
            told["oauth_token_url"],
            told["oauth_client_id"],
            _secret(whose, "oauth_client_secret", told, environ) or "",
            told.get("oauth_scope", ""),
            told.get("oauth_audience", ""),
            told.get("oauth_in_body", False),
        )
        verify = trust(target) if client.token_url.startswith("https:") else True
        token_of = partial(client.token, verify, proxy_of(target))
        return replace(target, renew=lambda: _with_headers(token_of(), _run(whose, told, environ, False)))
    commands = "token_command" in told or any(_commands(told))
    if not commands:
        return target
    first = _from_commands(whose, told, environ, True)
    return replace(target, credentials=first, renew=lambda: _from_commands(whose, told, environ, False))


def _from_commands(whose: str, told: Mapping[str, Any], environ: Mapping[str, str], asks: bool) -> Credentials:
    """What the commands tell now: a token, headers and cookies."""
    login = Credentials({})
    if "token_command" in told:
        output = output_of(whose, "token", told["token_command"], asks)
        try:
            login = bearer(output)
        except CredentialsProblem as problem:
            raise SecretProblem(f"{whose}: the command for its token: {problem}") from None
    return _with_headers(login, _run(whose, told, environ, asks))


def _with_headers(login: Credentials, headers: Mapping[str, str]) -> Credentials:
    return replace(login, headers={**headers, **login.headers})


def _run(whose: str, told: Mapping[str, Any], environ: Mapping[str, str], asks: bool) -> dict[str, str]:
    """Headers whose values commands tell; all cookies are one header, so that one command renews it whole."""
    headers = {
        name: _of_source(whose, f"header {name}", source, environ, asks)
        for table, name, source in _commands(told)
        if table == "headers"
    }
    if any(table == "cookies" for table, _, _ in _commands(told)):
        headers["Cookie"] = _cookies(whose, told, environ, asks)
    return headers


def _commands(told: Mapping[str, Any]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Headers and cookies that come from a command: table, name, source."""
    return _from(told, "command")


def _from(told: Mapping[str, Any], kind: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Headers and cookies whose source is of a kind: table, name, source."""
    return [
        (table, name, source)
        for table in TABLES
        for name, source in told.get(table, {}).items()
        if isinstance(source, dict) and kind in source
    ]


def _fixed(whose: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    """Headers whose values stay."""
    headers = {}
    for name, source in told.get("headers", {}).items():
        if isinstance(source, str):
            headers[name] = source
        elif "command" not in source:
            headers[name] = _of_source(whose, f"header {name}", source, environ, True)
    if told.get("cookies") and not any(table == "cookies" for table, _, _ in _commands(told)):
        headers["Cookie"] = _cookies(whose, told, environ, True)
    return headers


def _cookies(whose: str, told: Mapping[str, Any], environ: Mapping[str, str], asks: bool) -> str:
    return "; ".join(
        f"{name}={_of_source(whose, f'cookie {name}', source, environ, asks)}"
        for name, source in told["cookies"].items()
    )


def _of_source(whose: str, what: str, source: Mapping[str, Any], environ: Mapping[str, str], asks: bool) -> str:
    ((kind, value),) = source.items()
    secret = read_secret(whose, what, kind, value, environ, asks)
    if not fits_header(secret):
        raise SecretProblem(f"{whose}: its {what} holds characters that no header may hold.")
    return secret


def _proxy_login(whose: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str] | None:
    secret = _secret(whose, "proxy_password", told, environ)
    return (told.get("proxy_user", ""), secret) if secret is not None else None


def _secret(whose: str, what: str, told: Mapping[str, Any], environ: Mapping[str, str]) -> str | None:
    for kind in KINDS:
        if (value := told.get(f"{what}_{kind}")) is not None:
            return read_secret(whose, what, kind, value, environ)
    return None


@dataclass(frozen=True)
class ProfileLine:
    """A profile as it is listed.

    Attributes:
        name: its name.
        environment: its word as it stands there; ``prod?`` where none does.
        address: its REST root.
        flaw: why it cannot be used, in one sentence; empty where it can, as far as that shows without asking anybody
            for a secret.
    """

    name: str
    environment: str
    address: str
    flaw: str


def list_profiles(file: Path) -> list[ProfileLine]:
    """All profiles by name. No secret is asked for.

    Raises:
        ProfileProblem: the file cannot be read.
    """
    return [
        ProfileLine(
            name,
            str(told.get("environment", "prod?")) if isinstance(told, dict) else "",
            _address(told.get("url")) if isinstance(told, dict) else "",
            _flaw(name, told, file),
        )
        for name, told in sorted(_read(file).items())
    ]


def known_profiles(file: Path) -> list[str]:
    """One line about each profile: name, environment, address, and what is wrong with it. No password is asked for.

    Raises:
        ProfileProblem: the file cannot be read.
    """
    return [
        "  ".join(filter(None, (one.name, one.environment, one.address, f"broken: {one.flaw}" if one.flaw else "")))
        for one in list_profiles(file)
    ]


def _flaw(name: str, told: object, file: Path) -> str:
    """Why a profile cannot be used, as far as that shows without asking for a secret; empty where it can."""
    try:
        if not isinstance(told, dict):
            raise ProfileProblem(f"{name} stands above the first [profile] and belongs to none.")
        check(f"The profile {name}", told)
        if not told.get("url"):
            raise ProfileProblem(f"The profile {name} has no url.")
        Remote(told["url"]).root()
        for key in ("ca", "client_cert", "client_key"):
            if told.get(key) and not (named := file.parent / Path(told[key]).expanduser()).is_file():
                raise ProfileProblem(f"The profile {name}: there is no file {named}.")
        for what, variable in _variables(told):
            read_secret(f"The profile {name}", what, "env", variable, os.environ)
    except ValueError as problem:
        return str(problem)
    return ""


def _variables(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is in the environment, and under which name; secrets elsewhere may cost a question to be had."""
    for key, value in told.items():
        if key.endswith("_env"):
            yield key.removesuffix("_env"), value
    for table, name, source in _from(told, "env"):
        yield f"{table.removesuffix('s')} {name}", source["env"]


def _address(url: Any) -> str:
    """An address as it may be shown: a password that stands in it is not."""
    try:
        return Remote(url).root() if isinstance(url, str) else ""
    except ValueError:
        return "(no address)"


def _read(file: Path) -> dict[str, Any]:
    try:
        told = parse_toml(file.read_text(encoding="utf-8"))
        if others_may_write(file):
            # It names commands that are run.
            raise ProfileProblem(f"Others may write the profiles in {file}; `chmod go-w {file}` fixes that.")
    except FileNotFoundError:
        return {}
    except ProfileProblem:
        raise
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or str(problem)
        raise ProfileProblem(f"The profiles in {file} cannot be read: {said}.") from None
    READ_VARIABLES.update(_secret_variables(told))
    return told


def _secret_variables(told: Mapping[str, Any]) -> Iterator[str]:
    """Names of the variables that profiles have their secrets in, whatever else is wrong with them."""
    profiles = [profile for profile in told.values() if isinstance(profile, dict)]
    tables = [profile[name] for profile in profiles for name in TABLES if isinstance(profile.get(name), dict)]
    sources = [source for table in tables for source in table.values() if isinstance(source, dict)]
    for keys in (*profiles, *sources):
        yield from (str(value) for key, value in keys.items() if key == "env" or key.endswith("_env"))


def _told(name: str, file: Path) -> dict[str, Any]:
    profiles = _read(file)
    told = profiles.get(name)
    if not isinstance(told, dict):
        known = f"; it has {', '.join(sorted(profiles))}" if profiles else ""
        raise ProfileProblem(f"There is no profile {name} in {file}{known}.")
    return told
