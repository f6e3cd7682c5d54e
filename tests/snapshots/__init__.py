"""Pictures of the screens: what only eyes can judge, looked at once and compared ever after.

``python -m pytest tests/snapshots --snapshot-update`` takes them anew. Look at every picture that differs before it is
committed.
"""
