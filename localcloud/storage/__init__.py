"""Cloud Storage, emulated for its real clients: `Storage` serves the JSON and the XML API."""

from localcloud.storage.operations import operations
from localcloud.storage.service import Storage

__all__ = ["Storage", "operations"]
