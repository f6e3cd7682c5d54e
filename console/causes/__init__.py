"""Why tasks failed: messages folded to causes, incidents grouped by them, and what is known of each group.

No widget. Stands on :mod:`retriage.console.reading`.
"""
