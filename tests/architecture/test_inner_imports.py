"""An import inside a function is there because it is dear: its milliseconds stand beside it."""

import re

from tests.bench.imports import inner_imports

MOST = 60
_MILLISECONDS = re.compile(r"# \d+ ms\b")


def test_each_import_inside_a_function_says_what_it_costs() -> None:
    bare = [f"{one.file}:{one.line}" for one in inner_imports() if not _MILLISECONDS.search(one.source)]
    assert bare == []


def test_they_are_few() -> None:
    assert len(list(inner_imports())) <= MOST
