"""Large JSON texts are read in pieces, and read as the parser itself reads them."""

import json
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from retriage.store.api import large_json
from retriage.store.api.large_json import TooDeep, TooMany, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=4), inner, max_size=5),
    max_leaves=60,
)
PIECES = ["{", "}", "[", "]", ",", ":", '"', '"a"', '"\\"', "\\", "1", "null", " ", '"x":', '{"x":[', "é", "-", "NaN"]


def read(text: bytes) -> Any:
    return read_json(text, depth=90, elements=100_000)


def outcome(text: bytes, reader: Any) -> tuple[str, Any]:
    """What reading a text leads to; numbers of all kinds told apart."""
    try:
        return "read", repr(reader(text))
    except (TooDeep, TooMany):
        return "out of bounds", None
    except ValueError:
        return "refused", None


def plainly(text: bytes) -> Any:
    return from_json(text, allow_inf_nan=False)


@pytest.fixture(autouse=True, scope="module", params=[1, 7, 64])
def window(request: pytest.FixtureRequest) -> Any:
    """Pieces so small that a short text has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_json, "WINDOW", request.param)
        yield request.param


@given(
    value=st.dictionaries(st.text(max_size=3), JSON, max_size=6),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
@settings(max_examples=150, deadline=None)
def test_what_is_json_is_read_as_it_is(value: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")
    assert outcome(text, read) == outcome(text, plainly)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=40))
@settings(max_examples=400, deadline=None)
@example(pieces=['{"x":[', ",", "]", "}"])
@example(pieces=['{"x":[', "1", ",", "]", "}"])
@example(pieces=['{"x":[', "1", ",", ",", "1", "]", "}"])
@example(pieces=['{"x":[', "1", ",", "2", "}", "]"])
@example(pieces=['{"x":[', "1", ",", "2", "]", ",", '"x":', "[", "1", ",", "NaN", "]", "}"])
@example(pieces=['{"x":[', "1", ",", "2", "]", ",", '"x":', "1", "}"])
def test_what_is_none_is_refused_as_by_the_parser(pieces: list[str]) -> None:
    text = "".join(pieces).encode()
    assert outcome(text, read) == outcome(text, plainly)


def test_long_lists_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    sizes = []

    def counting(text: bytes, **how: Any) -> Any:
        sizes.append(len(text))
        return from_json(text, **how)

    monkeypatch.setattr(large_json, "from_json", counting)
    monkeypatch.setattr(large_json, "WINDOW", 1000)
    ids = ["".join(random.choices('ab,"\\[]{}é', k=20)) for _ in range(5000)]
    value = {"retries": 3, "externalTaskIds": ids, "deep": [{"x": ids[:9]}], "other": list(range(5000))}
    assert read(json.dumps(value, ensure_ascii=False).encode()) == value
    assert max(sizes) < 5000
    assert sum(sizes) > 100_000


@pytest.mark.parametrize("opening", [b"[", b'{"x":'])
def test_depth(opening: bytes) -> None:
    closing = {b"[": b"]", b'{"x":': b"}"}[opening]
    nested = b'{"y":' + opening * 89 + b"1" + closing * 89 + b"}"
    assert outcome(nested, read) == outcome(nested, plainly)
    for deeper in (b'{"y":' + opening * 90 + b"1" + closing * 90 + b"}", opening * 1_000_000):
        with pytest.raises(TooDeep):
            read(deeper)


def test_elements() -> None:
    def text(number: int) -> bytes:
        return b'{"x":[' + b"1," * (number - 3) + b'1],"y":"' + b"," * 200_000 + b'"}'

    assert len(read_json(text(1000), depth=9, elements=1001)["x"]) == 998
    with pytest.raises(TooMany):
        read_json(text(1001), depth=9, elements=1000)


@pytest.mark.parametrize("inside", [rb"\"", rb"\\", "é".encode(), b"]", b","])
def test_a_string_longer_than_a_piece(inside: bytes) -> None:
    text = b'{"x":[1,"' + inside * 10_000 + b'",2],"y":"' + inside * 9999 + b'"}'
    assert read(text) == plainly(text)
    for broken in (text[:-2], text[:20], b'{"x":"' + inside * 10_000 + b"\\"):
        assert outcome(broken, read)[0] == "refused"
