"""The operator's console: a Textual application that speaks the engine's REST contract."""
