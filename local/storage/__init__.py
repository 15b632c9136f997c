"""Cloud Storage, emulated for its real clients: `Storage` serves the JSON and the XML API."""

from local.storage.operations import operations
from local.storage.service import Storage

__all__ = ["Storage", "operations"]
