"""How a batch is doing: progress, why it does not move, what became of its tasks, its events, how it ended.

No widget. Stands on :mod:`retriage.console.reading` and :mod:`retriage.console.causes`.
"""
