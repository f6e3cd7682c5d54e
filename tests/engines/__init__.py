"""Engines for the tests to talk to: one assembled from published artifacts, one of our own, or any by URL."""
