"""Which contract this is."""

VERSION = "7.24.0"
"""Version of the contract that is served; clients look at it to know what they may ask."""
