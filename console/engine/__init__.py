"""The engine as the console sees it: one HTTP client of the contract, its targets, and errors as sentences.

Stands on :mod:`retriage.console.text` and the contract.
"""
