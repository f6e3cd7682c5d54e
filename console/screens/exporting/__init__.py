"""Rows written to a file."""
