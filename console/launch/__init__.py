"""A launch before, while and after it is sent: preview, overlapping batches, plan, request, sending, undo.

No widget: the launch dialog shows what is here. Stands on :mod:`retriage.console.session` and what is below it.
"""
