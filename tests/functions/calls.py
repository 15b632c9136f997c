"""Requests to functions, as functions-framework loads them, and the form of every refusal."""

import base64
import json
from collections.abc import Callable
from typing import Any

from werkzeug.test import Client, TestResponse

from shared.model import File

Load = Callable[[str], Client]
#: A random key, as callers without an identity send it.
KEY = "3b9df1f2-6f8e-4f0a-9a2b-0c6c1d9d7e55"
PUSH_PATH = "/projects/local-project/topics/uploads"


def push(file: File) -> dict[str, Any]:
    payload = json.dumps({"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c})
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": file.bucket,
        "objectId": file.name,
        "objectGeneration": str(file.generation),
        "payloadFormat": "JSON_API_V1",
    }
    message = {"data": base64.b64encode(payload.encode()).decode(), "attributes": attributes, "messageId": "1"}
    message |= {"message_id": "1", "publishTime": "2026-01-01T00:00:00Z", "publish_time": "2026-01-01T00:00:00Z"}
    return {"message": message, "subscription": "projects/local-project/subscriptions/dispatcher"}


def refused(answer: TestResponse, status: int, code: str) -> str:
    """Every refusal is JSON with a code and a sentence."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.text
    assert answer.json is not None
    assert answer.json["error"] == code
    return str(answer.json["message"])
