"""The address of an engine, taken apart."""

from __future__ import annotations

import re
from typing import NamedTuple

NO_ADDRESS = "This is not the address of an engine: write it like https://host/engine-rest."
_PLAIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*|(?:\d{1,3}\.){3}\d{1,3})"
    r"(?::(?P<port>\d{1,5}))?(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)"
)
"""Addresses that hold nothing which must be decoded, as nearly all do."""
_USUAL_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """The parts of an address.

    Attributes:
        scheme: ``http`` or ``https``.
        host: without brackets.
        port: nothing where it is the usual one.
        path: what follows, decoded.
        username: who logs in; may be empty.
        password: theirs; may be empty.
    """

    scheme: str
    host: str
    port: int | None
    path: str
    username: str = ""
    password: str = ""


def parse_address(text: str) -> Address:
    """Take an address apart; without a scheme ``http`` is meant.

    Raises:
        ValueError: this is no http(s) address; the sentence says so.
    """
    text = text if "://" in text else f"http://{text}"
    address = _plain(text) or _by_httpx(text)
    if address.scheme not in ("http", "https") or not address.host or not 0 < (address.port or 80) < 65536:
        raise ValueError(NO_ADDRESS)
    return address


def _plain(text: str) -> Address | None:
    """The parts of a plain address; httpx, which reads the others, takes 100 ms to import before the first frame."""
    found = _PLAIN.fullmatch(text)
    if found is None or "xn--" in text:
        return None
    scheme, host, port = found["scheme"], found["host"], found["port"]
    if host[0].isdigit() and any(int(part) > 255 or str(int(part)) != part for part in host.split(".")):
        return None
    number = int(port) if port is not None else None
    return Address(scheme, host, None if number == _USUAL_PORTS[scheme] else number, found["path"] or "/")


def _by_httpx(text: str) -> Address:
    import httpx  # 100 ms

    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as problem:
        raise ValueError(NO_ADDRESS) from problem
    return Address(url.scheme, url.host, url.port, url.path, url.username, url.password)
