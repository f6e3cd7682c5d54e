"""Retriage: a terminal operations console for external tasks, and the engine that it brings along."""
