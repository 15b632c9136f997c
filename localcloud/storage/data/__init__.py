"""Durable state: SQLite rows and content files. All SQL of the service is here."""
