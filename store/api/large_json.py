"""JSON texts of many megabytes, read in pieces.

The parser reads a text in one call, in which no other thread runs: a million ids stop the event loop for half a second
even if another thread reads them. So the long lists of an order (values of its outermost object) are cut at commas and
read piece by piece; the parser itself decides what is JSON and what is not, here as elsewhere.
"""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

Text = bytes | bytearray

WINDOW = 131_072
"""Bytes that are looked at in one go: a millisecond or two."""

_OUTSIDE = re.compile(rb'(?:[^"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
"""From outside a string to the last place outside a string."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BRACKET = re.compile(_STRING.pattern + rb"|([\[\]{}])", re.DOTALL)
"""A bracket outside strings: strings match too, without the group."""

_BRACKETS = (b"[", b"]", b"{", b"}")
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))


class TooDeep(ValueError):
    """A text is nested deeper than it may be."""


class TooMany(ValueError):
    """A text has more elements than it may have."""


@dataclass(slots=True)
class _List:
    """A list that is a value of the outermost object: where its content begins and ends, and commas of its own."""

    start: int
    end: int = 0
    commas: list[int] = field(default_factory=list)


def read_json(text: Text, *, depth: int, elements: int) -> Any:
    """Read a JSON text in UTF-8, for a thread: whatever its size, other threads run within milliseconds.

    Args:
        text: what is read.
        depth: how deep lists and objects may be nested.
        elements: how many elements they may have together.

    Raises:
        TooDeep: they are nested deeper.
        TooMany: they have more.
        ValueError: it is no JSON.
    """
    long_lists = [found for found in _scan(text, depth, elements) if found.commas]
    if not long_lists:
        return from_json(text, allow_inf_nan=False)
    skeleton, begun, mark = bytearray(), 0, secrets.token_hex()
    for number, found in enumerate(long_lists):
        skeleton += text[begun : found.start] + f'"{mark}{number}"'.encode()
        begun = found.end
    value = from_json(bytes(skeleton + text[begun:]), allow_inf_nan=False)
    contents = {f"{mark}{number}": found for number, found in enumerate(long_lists)}
    for name, content in value.items():
        if isinstance(content, list) and len(content) == 1 and isinstance(content[0], str) and content[0] in contents:
            value[name] = _read_list(text, contents.pop(content[0]))
    for found in contents.values():  # of a name that came again: it must be JSON all the same
        _read_list(text, found)
    return value


def _read_list(text: Text, found: _List) -> list[Any]:
    read: list[Any] = []
    for start, end in zip(
        [found.start, *(comma + 1 for comma in found.commas)], [*found.commas, found.end], strict=True
    ):
        if not (piece := from_json(b"[" + text[start:end] + b"]", allow_inf_nan=False)):
            raise ValueError("nothing between two commas")
        read += piece
    return read


def _scan(text: Text, most_depth: int, most_elements: int) -> Iterator[_List]:
    """Lists of the outermost object, with some of their commas. What it finds in what is no JSON does not matter."""
    depth, elements = 0, 0
    current: _List | None = None
    for start, window, bare in _windows(text):
        elements += bare.count(b",") + bare.count(b"[") + bare.count(b"{")
        if elements > most_elements:
            raise TooMany
        closing, opening, inner = _nesting(bare, most_depth)
        if max(depth - closing, 0) + opening + inner > most_depth or depth + inner > most_depth:
            raise TooDeep
        if (closing or opening or inner) and depth - closing < 2:
            for found in _BRACKET.finditer(window):
                if (bracket := found[1]) is None:
                    continue
                if bracket in b"[{":
                    depth += 1
                    if depth == 2 and bracket == b"[":
                        current = _List(start + found.end())
                else:
                    depth -= 1
                    if depth == 1 and current is not None:
                        current.end = start + found.start()
                        yield current
                        current = None
        else:
            depth += opening - closing
        comma = window.rfind(b",")
        if current is not None and depth == 2 and comma > max(map(window.rfind, (b'"', *_BRACKETS))):
            current.commas.append(start + comma)


def _nesting(bare: bytes, most: int) -> tuple[int, int, int]:
    """Of a text without strings: brackets that close what it does not open, that it leaves open, and its own depth.

    More than ``most`` is not counted exactly.
    """
    left, inner = bare.translate(_ONE_KIND, _NO_BRACKET), 0
    while inner <= most and (peeled := left.replace(b"[]", b"")) != left:
        left, inner = peeled, inner + 1
    closing = left.count(b"]")
    return closing, len(left) - closing, inner


def _windows(text: Text) -> Iterator[tuple[int, Text, bytes]]:
    """Pieces of a text that begin and end outside of strings: where, what, and that without its strings.

    A string that is longer than a window is left out.
    """
    start = 0
    while start < len(text):
        window = text[start : start + WINDOW]
        if b"\\" in window:
            found = _OUTSIDE.match(window)
            window = window[: found.end()] if found else b""
            bare = _STRING.sub(b"", window)
        else:
            if window.count(b'"') % 2:
                window = window[: window.rfind(b'"')]
            bare = b"".join(window.split(b'"')[::2])
        if window:
            yield start, window, bare
            start += len(window)
        else:
            start = _end_of_string(text, start)


def _end_of_string(text: Text, start: int) -> int:
    """Behind the string that begins here, or behind the text if it does not end."""
    place = start + 1
    while place < len(text) and text[place] != _QUOTE:
        found = _INSIDE.match(text, place, place + WINDOW)
        if found is None or found.end() == place:
            return len(text)
        place = found.end()
    return place + 1


_QUOTE = ord('"')
