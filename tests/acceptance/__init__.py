"""The real program in a pseudo terminal, as an operator drives it."""
