"""The query builder: text, form and JSON are three faces of one query."""
