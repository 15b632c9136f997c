"""Handlers of the JSON API."""
