"""How often what is in sight is read again."""

PACES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds between two readings that can be chosen."""
USUAL_PACE = 2.0
