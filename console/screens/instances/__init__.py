"""Process instances."""
