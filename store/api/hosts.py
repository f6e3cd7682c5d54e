"""Which requests come from where they should: no web page of somebody else may give orders to a server at hand.

A browser lets every page send simple requests to any address, ``127.0.0.1`` too, and a name that its owner points at
that address (DNS rebinding) makes such a page one of the server's own origin. The first is told by ``Origin`` and
``Sec-Fetch-Site``, which pages cannot set, the second by the name in ``Host``.
"""

import ipaddress
import logging
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from retriage.store.api.errors import refuse
from retriage.store.contract.errors import ContractError

log = logging.getLogger(__name__)

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

_SHOWN = 200
"""Letters of a foreign header that the log keeps."""

_PORTS = {"http": 80, "https": 443}


class AllowedHosts:
    """Refuses requests to a name that is not this server's, and orders from pages of other origins, by 403.

    Args:
        app: what is asked for the rest.
        names: names by which this server may be called beside those of the loopback and the address at which the
            connection came in, without a port.
        proxied: names that a proxy has: a page of theirs may give orders at whatever port it was served.
    """

    def __init__(self, app: ASGIApp, names: Collection[str], proxied: Collection[str] = ()) -> None:
        self._app = app
        self._proxied = {_plain(name) for name in proxied}
        self._names = {*LOOPBACK_NAMES, *map(_plain, names), *self._proxied}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and (refusal := self._refusal(scope, Headers(scope=scope))):
            address = (scope.get("client") or ("nowhere",))[0]
            log.warning("refused a request from %s: %s", address, refusal)
            await refuse(ContractError(403, "InvalidRequestException", refusal))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Why the request is refused, none if it is not. No browser leaves ``Host`` out."""
        host = headers.get("host")
        if host is not None and not self._is_here(host, scope):
            return f"This server does not answer to the name {_shown(host)}; --allow-host makes it do so."
        if scope["method"] in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin, host, scope["scheme"]):
            return f"This server takes no orders from a page of {_shown(origin)}."
        if headers.get("sec-fetch-site", "").strip().lower() == "cross-site":
            return "This server takes no orders from a page of another site."
        return None

    def _is_here(self, host: str, scope: Scope) -> bool:
        name, _ = _split(f"//{host}")
        local = scope.get("server")
        return name in self._names or (local is not None and name == _plain(local[0]))

    def _is_own(self, origin: str, host: str | None, scheme: str) -> bool:
        name, port = _split(origin)
        if name in self._proxied:
            return True
        default = _PORTS.get(origin.partition(":")[0].lower())
        own_name, own_port = _split(f"//{host}")
        return bool(name) and (name, port or default) == (own_name, own_port or _PORTS.get(scheme))


def _split(address: str) -> tuple[str, int | None]:
    """Name and port of an address; of one that is none, an empty name."""
    try:
        parts = urlsplit(address)
        return _plain(parts.hostname or ""), parts.port
    except ValueError:
        return "", None


def _plain(name: str) -> str:
    """A name as it is compared: an IP address in its shortest form, a DNS name in small letters without a last dot."""
    bare = name.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare.partition("%")[0]))
    except ValueError:
        return bare.lower().removesuffix(".")


def _shown(text: str) -> str:
    """A header as log and answer may show it: short, and nothing in it acts on a terminal."""
    return ascii(text[:_SHOWN])
