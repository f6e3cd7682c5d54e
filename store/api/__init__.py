"""The contract over ASGI: parse, one call, answer."""
