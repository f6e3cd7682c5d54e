"""Twins: the store and the reference engine live the same small lives, and every answer of one is held against the
other's.

A world is built on both by the same requests; whatever an engine makes up itself (ids, times) is given a common name
while it is built. Then both are asked the same random questions. ``python -m tests.twins --help`` runs as long as one
likes; the test beside it is a short run of the same.
"""
