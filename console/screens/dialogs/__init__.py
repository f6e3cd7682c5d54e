"""Questions to the operator."""
