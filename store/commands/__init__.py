"""Orders: one function per order, inside the caller's transaction, answering what really changed."""
