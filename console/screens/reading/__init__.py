"""Long texts in full."""
