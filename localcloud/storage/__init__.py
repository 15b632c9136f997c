"""Cloud Storage, emulated for its real clients: the JSON API and the XML API over one store.

`service.py` builds the parts · `http.py` takes a request through `routes.py` to its handler in `json/` or `xml/` ·
`media/` moves bytes in and out · `rules/` checks and formats without I/O · `data/` keeps what is durable ·
`outbox.py` publishes notifications · `upkeep.py` applies lifecycle rules.
"""

from localcloud.storage.routes import operations
from localcloud.storage.service import Storage

__all__ = ["Storage", "operations"]
