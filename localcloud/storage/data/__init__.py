"""Durable state: SQLite rows and content files."""
