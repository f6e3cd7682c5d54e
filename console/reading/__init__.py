"""Reading what an engine holds to its end: one stable pager, selections, their tasks and counts.

No widget, no order. Stands on :mod:`retriage.console.language`, :mod:`retriage.console.engine` and the contract.
"""
