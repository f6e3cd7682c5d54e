"""What is written to the terminal: only the cells that differ, in as few bytes as may be."""
