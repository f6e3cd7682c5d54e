"""Addresses are taken apart as httpx does it, which sends the requests: most of them without it."""

import string
import subprocess
import sys

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriage.console.engine.address import Address, parse_address

PLAIN = [
    "http://host", "https://host:443/", "http://host:80/x", "https://host:80", "http://a-b.c1.example:8080/engine-rest",
    "http://127.0.0.1:9/engine-rest/engine/other/", "https://h/a.b/~c_d-e", "host:8080", "h",
]  # fmt: skip
OTHERS = [
    "HTTP://Host/X", "http://ann:se%20cret@host/x", "http://[::1]:8080/", "http://host/a%20b", "http://host/a/../b",
    "http://h/x?y=1#z", "http://bücher.example/", "http://xn--bcher-kva.example/", "http://host//x", "http://host/.x",
]  # fmt: skip
NONE = [
    "", "http://", "ftp://host/x", "http://host:99999", "http://host:0x", "http://[::1", "http://256.1.1.1",
    "http://h\tost", "http://host:70000/x", "http://",
]  # fmt: skip


def by_httpx(text: str) -> Address | None:
    """What httpx makes of an address; nothing where it is none of an engine."""
    try:
        url = httpx.URL(text if "://" in text else f"http://{text}")
    except httpx.InvalidURL:
        return None
    if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 80) < 65536:
        return None
    return Address(url.scheme, url.host, url.port, url.path, url.username, url.password)


def by_us(text: str) -> Address | None:
    """The same by the console."""
    try:
        return parse_address(text)
    except ValueError:
        return None


@pytest.mark.parametrize("text", [*PLAIN, *OTHERS])
def test_the_parts_of_an_address(text: str) -> None:
    assert by_us(text) == by_httpx(text) is not None


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address(text: str) -> None:
    assert by_us(text) is by_httpx(text) is None


@settings(deadline=None, max_examples=300)
@given(
    st.builds(
        "{}://{}{}{}".format,
        st.sampled_from(["http", "https", "Http"]),
        st.text(string.ascii_letters + string.digits + "..--:[]@é%_", max_size=14),
        st.sampled_from(["", ":", ":80", ":443", ":08", ":65535", ":65536", ":0"]),
        st.text("ab/..%20 ~-_?#é\\", max_size=8).map("/".__add__),
    )
)
def test_any_address_is_read_as_httpx_reads_it(text: str) -> None:
    assert by_us(text) == by_httpx(text)


def test_a_plain_address_is_read_without_httpx() -> None:
    program = (
        "import sys; from retriage.console.engine.address import parse_address; "
        f"[parse_address(one) for one in {PLAIN!r}]; sys.exit('httpx' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
