"""The dialog of an operation on many things."""
