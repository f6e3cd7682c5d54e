"""Kills and cuts."""
