"""Reading what an engine holds to its end: one stable pager, selections, their tasks and counts.

No widget, no order. Stands on :mod:`console.language`, :mod:`console.engine` and the contract.
"""
