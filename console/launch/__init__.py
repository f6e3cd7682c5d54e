"""A launch before, while and after it is sent: counts, preview, overlapping batches, plan, request, sending, undo.

No widget: the launch dialog shows what is here. Stands on :mod:`console.reading` and :mod:`console.causes`.
"""
