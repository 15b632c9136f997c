"""Checks and defaults of requests and resources: pure functions, without store and I/O."""
