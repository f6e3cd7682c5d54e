"""How a batch is doing: progress, why it does not move, what became of its tasks, its events, how it ended.

No widget. Stands on :mod:`console.reading` and :mod:`console.causes`.
"""
