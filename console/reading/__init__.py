"""Reading what an engine holds to its end: one stable pager, what is selected, and the tasks that a selection names.

No widget, no order. Stands on :mod:`console.engine` and the contract alone.
"""
