"""Handlers of the XML API."""
