"""The tables of words, one file per subject."""
