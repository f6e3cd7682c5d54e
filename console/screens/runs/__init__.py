"""A run: its waves, what its gate sees, what happens next, and the orders about it."""
