"""Statements that are kept in compiled form."""

from typing import Any

from sqlalchemy.util import LRUCache

KEPT = 500
"""Statements that are kept; the least recently used ones are compiled again when they are needed."""

LARGEST = 4000
"""Characters of the longest statement that is kept: the screens and workers ask by at most half of them. One that names
dozens of things hardly comes twice, and takes a hundred times its length."""


class SmallStatements(LRUCache[Any, Any]):
    """The compiled statements of one engine, without the large ones."""

    def __init__(self) -> None:
        super().__init__(KEPT)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(compiled.string) <= LARGEST:
            super().__setitem__(key, compiled)
