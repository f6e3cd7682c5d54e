"""What logs in to an engine: headers that are good for a while, and where new ones come from.

A source is a function that is run in a thread, never on the event loop. It asks nobody anything.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from retriage.console.engine.errors import one_line
from retriage.console.engine.packed_body import ACCEPTED, NotUnpacked, PackedBody, TooMuch

if TYPE_CHECKING:
    import ssl

    import httpx

MARGIN = 30.0
"""Seconds before its end at which a token is not used any more: a question takes its time."""
TOKEN_SERVICE_SECONDS = 20.0
"""How long the service that gives tokens may take for one."""
TOKEN_SERVICE_BYTES = 1_000_000
"""Bytes of its answer at most."""


class CredentialsProblem(ValueError):
    """Nothing that logs in can be had; the text is one sentence."""


class CredentialsRefused(CredentialsProblem):
    """Who gives tokens does not accept what it was told. Trying on would lock the account."""


@dataclass(frozen=True)
class Credentials:
    """Headers that log in.

    Attributes:
        headers: name -> value.
        seconds: for how long they are good; ``None`` where nothing tells.
    """

    headers: Mapping[str, str] = field(repr=False)
    seconds: float | None = None

    @property
    def use_for(self) -> float | None:
        """Seconds after which others should be got; ``None`` where nothing tells."""
        return None if self.seconds is None else max(self.seconds - min(MARGIN, self.seconds / 5), 0.0)


Source = Callable[[], Credentials]
"""Gets credentials. What it raises is a CredentialsProblem or an OSError."""


def bearer(told: str, now: Callable[[], float] = time.time) -> Credentials:
    """A bearer token as a command prints it.

    Args:
        told: the token alone, or a JSON object with ``access_token`` (or ``token``) and perhaps ``expires_in`` in
            seconds, as token services answer (RFC 6749, section 5.1).
        now: seconds since 1970. A token that is a JSON Web Token tells its own end (RFC 7519, ``exp``).

    Raises:
        CredentialsProblem: there is no token in it.
    """
    seconds: Any = None
    token: Any = told.strip()
    if token.startswith("{"):
        try:
            fields = json.loads(token)
        except (ValueError, RecursionError):
            raise CredentialsProblem("The token is broken JSON.") from None
        token, seconds = fields.get("access_token") or fields.get("token"), fields.get("expires_in")
    else:
        token = token.partition("\n")[0].rstrip("\r")
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise CredentialsProblem("There is no token in the answer.")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        seconds = _told_by_itself(token, now)
    return Credentials({"Authorization": f"Bearer {token}"}, seconds)


def _told_by_itself(token: str, now: Callable[[], float]) -> float | None:
    """Seconds until the end that a JSON Web Token names."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return None
    end = claims.get("exp") if isinstance(claims, dict) else None
    return max(end - now(), 0.0) if isinstance(end, int | float) and not isinstance(end, bool) else None


@dataclass(frozen=True)
class ClientCredentials:
    """OAuth 2: a token for a program that logs in by itself (RFC 6749, section 4.4).

    Attributes:
        token_url: where the service gives tokens.
        client_id: name of the client.
        client_secret: its secret.
        scope: what the token is for; empty leaves that to the service.
        audience: whom the token is for, where the service asks for that.
        in_body: the client names itself in the body; else by HTTP Basic, which every service has to know.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""
    in_body: bool = False

    def token(self, verify: ssl.SSLContext | bool = True, proxy: httpx.Proxy | None = None) -> Credentials:
        """Ask the service for a token.

        Args:
            verify: which certificates are trusted.
            proxy: on the way to the service.

        Raises:
            CredentialsRefused: it does not accept the client.
            CredentialsProblem: it gave no token.
        """
        import httpx  # 40 ms

        form = {"grant_type": "client_credentials", "scope": self.scope, "audience": self.audience}
        auth = httpx.Auth()
        if self.in_body:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        else:
            # The two are form-encoded before they are put together (RFC 6749, section 2.3.1).
            auth = httpx.BasicAuth(quote(self.client_id, safe=""), quote(self.client_secret, safe=""))
        form = {name: value for name, value in form.items() if value}
        headers = {"Accept": "application/json", "Accept-Encoding": ACCEPTED}
        host = httpx.URL(self.token_url).host
        try:
            with (
                httpx.Client(verify=verify, proxy=proxy, timeout=TOKEN_SERVICE_SECONDS) as http,
                http.stream("POST", self.token_url, data=form, auth=auth, headers=headers) as answer,
            ):
                body = PackedBody(answer.headers.get("content-encoding", ""), TOKEN_SERVICE_BYTES)
                for piece in answer.iter_raw():
                    body.add(piece)
        except (NotUnpacked, TooMuch):
            raise CredentialsProblem(f"{host} gave no token: its answer is too large, or cannot be read.") from None
        except httpx.HTTPError as problem:
            said = one_line(str(problem) or type(problem).__name__, 120)
            raise CredentialsProblem(f"{host} gave no token: {said}.") from None
        error = _error(body.content)
        # A page of something in between is no answer of the service: it is down, and its client may be right.
        if answer.status_code == 401 or (answer.status_code in (400, 403) and error and error not in OF_SERVICE):
            raise CredentialsRefused(f"{host} gave no token ({answer.status_code}{f': {error}' if error else ''}).")
        if not answer.is_success:
            raise CredentialsProblem(f"{host} gave no token ({answer.status_code}{f': {error}' if error else ''}).")
        try:
            return bearer(body.content.decode(errors="replace"))
        except CredentialsProblem:
            raise CredentialsProblem(f"{host} answered, but not with a token.") from None


OF_SERVICE = frozenset({"temporarily_unavailable", "server_error", "slow_down"})
"""Errors that tell of the service and nothing of the client (RFC 6749, section 4.1.2.1; RFC 8628, section 3.5)."""


def _error(answer: bytes | bytearray) -> str:
    """The error that the service names (RFC 6749, section 5.2); empty where the answer is none of its own."""
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    error = told.get("error") if isinstance(told, dict) else None
    return one_line(error, 80) if isinstance(error, str) else ""
