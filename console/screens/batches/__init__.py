"""Batches, running and ended in this session."""
