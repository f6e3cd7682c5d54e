"""Measurements: ``python -m tests.bench``. Ratios of things measured in one run; no test asserts a time."""
