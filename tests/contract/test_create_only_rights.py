"""An account that may create but not delete: Cloud Storage may answer an overwrite with 403 instead of 412."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shared.cloud.protocols import AlreadyExists
from shared.cloud.storage import StorageBucket
from shared.errors import Unavailable

OBJECT = {
    "name": "there",
    "bucket": "results",
    "generation": "7",
    "size": "5",
    "contentType": "text/plain",
    "crc32c": "AAAAAA==",
}


class _Storage(BaseHTTPRequestHandler):
    """A storage with one object, `there`, that refuses every write."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(403, {"error": {"code": 403, "message": "denied: storage.objects.delete"}})

    def do_GET(self) -> None:
        self._answer(200, OBJECT) if "/o/there" in self.path else self._answer(404, {"error": {"code": 404, "message": "no"}})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@pytest.fixture
def bucket(bucket_at: Callable[[str], StorageBucket]) -> Iterator[StorageBucket]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Storage)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield bucket_at(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.failure("T52")
def test_an_overwrite_that_is_refused_with_403_found_an_object_there(bucket: StorageBucket) -> None:
    with pytest.raises(AlreadyExists):
        bucket.create("there", "text/plain", b"words")


def test_a_403_without_an_object_is_a_missing_right(bucket: StorageBucket) -> None:
    with pytest.raises(Unavailable):
        bucket.create("free", "text/plain", b"words")
