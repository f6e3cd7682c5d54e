"""The help page and the list of actions."""
