"""Real, unmodified external-task clients of others at work on ``retriage serve``."""

import pytest

# Their assertions are part of the tests and must explain themselves like those of the tests.
for helper in ("office", "working"):
    pytest.register_assert_rewrite(f"{__name__}.{helper}")
