"""One file per subject; each exports ``router``."""
