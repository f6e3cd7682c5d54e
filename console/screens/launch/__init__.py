"""The dialog that launches a batch."""
