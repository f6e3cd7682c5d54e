"""The JSON of the public contract: records, queries, orders and errors. Stands on pydantic alone."""
