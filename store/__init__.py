"""The embedded engine: external tasks, incidents and batches behind the public REST contract."""
