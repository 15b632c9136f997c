"""What the service can do, read from the tables by which it answers."""

from localcloud.storage.json.routes import ROUTES
from localcloud.storage.json.uploads import SIMPLE
from localcloud.storage.xml.multipart import HANDLERS
from localcloud.storage.xml.routes import BUCKET_OPERATIONS, OBJECT_HANDLERS


def operations() -> list[str]:
    """Every operation, by Google's name: `objects.patch`, `XML: PUT part`."""
    names = [name for name, _ in ROUTES.values()]
    names += [f"objects.insert ({kind})" for kind in (*SIMPLE, "resumable")] + ["batch"]
    xml = [*BUCKET_OPERATIONS, *(name for name, _ in (*OBJECT_HANDLERS.values(), *HANDLERS.values()))]
    return sorted(names) + sorted(f"XML: {name}" for name in xml)
