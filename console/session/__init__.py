"""What the screens of one console share: the connection, news, safety, pollers, known values and saved filters.

No widget: screens are handed the session and subscribe to its news. Stands on :mod:`retriage.console.batches` and what
is below.
"""
