"""Durable state in SQLite, and the only SQL of the service."""
