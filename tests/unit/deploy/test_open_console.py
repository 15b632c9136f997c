"""`verify` opens the console: whoever may not open it is no fault, a console that does not answer is."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from deploy.errors import Failed
from deploy.verify import System, open_console
from shared import routes
from tests.unit.deploy.example import PIPELINE


@contextmanager
def answering(status: int) -> Iterator[str]:
    """The URL of a server that answers with this status; 0: none is there."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.headers["authorization"] == "Bearer t" else 418)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        if status:
            threading.Thread(target=server.handle_request, daemon=True).start()
        else:
            server.server_close()
        yield url


@pytest.mark.parametrize(
    ("status", "failure", "note"),
    [
        (200, "", ""),
        (403, "", "note: 403: the console opens for its viewers only"),
        (401, "", "note: 401: "),
        (503, "the console answers 503", ""),
        (0, "the console does not answer", ""),
    ],
)
def test_the_console_opens_or_names_who_may_open_it(
    status: int, failure: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(status) as url, pytest.raises(Failed, match=failure) if failure else nullcontext():
        open_console(System({"console": url}, routes.parse(PIPELINE), token="t"))

    assert capsys.readouterr().err.startswith(note)


def test_behind_identity_aware_proxy_a_browser_has_to_open_it(capsys: pytest.CaptureFixture[str]) -> None:
    open_console(System({}, routes.parse(PIPELINE)))

    assert capsys.readouterr().err.startswith("note: open the console in a browser yourself")
