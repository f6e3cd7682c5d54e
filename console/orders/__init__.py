"""Orders to the engine as values: what each one reads, what it asks, what it sends, and what is said then.

No widget. A screen carries any of them out in one place (:func:`retriage.console.screens.verbs.carry_out`): the safety
is asked, the order is planned from what the engine tells, the operator is asked, the order is sent once, its report is
told. Launches of retries are not here: they have a room of their own, :mod:`retriage.console.launch`.
"""
