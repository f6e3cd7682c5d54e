"""Screens: one folder per subject. They ask the engine, hand rows to widgets and carry out what widgets say.

They may import every room; no room imports them. Subjects do not import one another:
:mod:`retriage.console.screens.nouns` does.
"""
