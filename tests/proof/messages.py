"""The notification that Cloud Storage sends for an upload."""

import base64
import json
from typing import Any

from shared.model import File


def message(file: File) -> dict[str, Any]:
    """The Pub/Sub message about this file."""
    payload = {"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c, "metadata": dict(file.metadata)}
    attributes = {"eventType": "OBJECT_FINALIZE", "bucketId": file.bucket, "objectId": file.name}
    numbered = {"objectGeneration": str(file.generation)}
    return {"attributes": attributes | numbered, "data": base64.b64encode(json.dumps(payload).encode()).decode()}
