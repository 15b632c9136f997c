"""Small uploads into a new bucket over a few keep-alive connections; a request adds only the object's name.

`python -m benchmarks.loads.storage PORT`
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPConnection

CONNECTIONS, WARM_UP, UPLOADS, BYTES = 4, 500, 8000, 1024
BUCKET = "uploads"


class Uploader(asyncio.Protocol):
    """One connection: sends the next upload as soon as the last is answered."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._received = b""
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if separator and len(body) >= _content_length(head):
            if not head.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(self._received.decode()))
            self._received = b""
            self._next()

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is not None:
            self._transport.write(_upload(number))
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


async def _uploaded(port: int, first: int, count: int) -> float:
    """Seconds for so many uploads."""
    numbers = itertools.islice(itertools.count(first), count)
    loop = asyncio.get_running_loop()
    begun = time.monotonic()
    made = [await loop.create_connection(lambda: Uploader(numbers), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(uploader.done for _, uploader in made))
    return time.monotonic() - begun


def _create_bucket(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port)
    body, headers = json.dumps({"name": BUCKET}), {"content-type": "application/json"}
    connection.request("POST", "/storage/v1/b?project=local-project", body, headers)
    if (status := connection.getresponse().status) != HTTPStatus.OK:
        raise RuntimeError(f"bucket {BUCKET} was not created: status {status}")
    connection.close()


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


def _upload(number: int) -> bytes:
    return _BEFORE_NAME + b"%08d" % number + _AFTER_NAME


def _request() -> tuple[bytes, bytes]:
    """An upload as google-cloud-storage sends it, cut where the number of the object goes."""
    parts = (
        b'--=5=\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n{"name": "load/########", "contentType": "text/plain"}\r\n'
        b"--=5=\r\ncontent-type: text/plain\r\n\r\n" + b"x" * BYTES + b"\r\n--=5=--"
    )
    head = (
        f"POST /upload/storage/v1/b/{BUCKET}/o?uploadType=multipart HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        f'Content-Type: multipart/related; boundary="=5="\r\nContent-Length: {len(parts)}\r\n\r\n'
    )
    before, _, after = (head.encode() + parts).partition(b"########")
    return before, after


_BEFORE_NAME, _AFTER_NAME = _request()


def main() -> None:
    """Measure and print."""
    port = int(sys.argv[1])
    _create_bucket(port)
    asyncio.run(_uploaded(port, 0, WARM_UP))
    print(json.dumps({"uploads_per_second": UPLOADS / asyncio.run(_uploaded(port, WARM_UP, UPLOADS))}))


if __name__ == "__main__":
    main()
