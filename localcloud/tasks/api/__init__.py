"""Handlers of the REST methods."""
