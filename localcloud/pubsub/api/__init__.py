"""Handlers of the gRPC and REST methods."""
