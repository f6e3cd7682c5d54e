"""A run: a frozen set of tasks retried in waves, each judged by a gate before the next one is sent.

No widget. A run is written down step by step in the journal before each step is taken, and can be driven by a screen or
by a command alike. Stands on :mod:`retriage.console.launch`, :mod:`retriage.console.batches` and
:mod:`retriage.console.reading`.
"""
