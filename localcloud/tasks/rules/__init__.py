"""Checks and defaults: pure, without the store."""
