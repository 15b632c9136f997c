"""Handlers of the gRPC and REST methods, one module per resource: request message in, reply message out."""
