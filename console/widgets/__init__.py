"""Widgets that know nothing of engines: they are handed rows and texts and say what the operator asks for.

They may import :mod:`retriage.console.text` and :mod:`retriage.console.terminal`.
"""
