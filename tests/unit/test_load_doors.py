"""The client of `make load` before doors that answer at once."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.loads import doors


class _Doors(BaseHTTPRequestHandler):
    """Accepts everything."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"object": "a.txt", "url": f"http://{self.headers['host']}/signed", "headers": {}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def quick_doors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Doors) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        for variable in ("STORAGE_EMULATOR_HOST", "SLUICE_ISSUER_URL", "SLUICE_UPLOAD_URL", "SLUICE_STATUS_URL"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_address[1]}")
        yield
        server.shutdown()
        thread.join()


def test_each_watcher_has_looked_when_files_are_sent_faster_than_it_looks(quick_doors: None) -> None:
    sent = asyncio.run(doors.send("quick", 3, 1, 0, doors.WATCHERS))

    assert len(sent["names"]) == 3
    assert {door: len(took) for door, took in sent["took_ms"].items()} == {"bucket": 2, "issuer": 1, "upload": 1, "status": 4}
