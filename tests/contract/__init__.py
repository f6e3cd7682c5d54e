"""One suite, several engines: what the contract promises, asked over HTTP.

A test gets an ``engine`` and knows nothing but its URL space. Engines are shared, so a test works with process keys,
topics and ids of its own and never assumes that it is alone.
"""

import pytest

# Their assertions are part of the tests and must explain themselves like those of the tests.
for helper in ("answers", "batches", "engine", "querying", "world"):
    pytest.register_assert_rewrite(f"{__name__}.{helper}")
