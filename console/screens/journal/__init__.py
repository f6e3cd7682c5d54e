"""View 6: every launch made from this console."""
