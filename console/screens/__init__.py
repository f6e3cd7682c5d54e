"""Screens: one folder per subject. They ask the engine, hand rows to widgets and carry out what widgets say."""
