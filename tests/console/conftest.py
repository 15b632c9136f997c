"""A real browser on the running stack: Debian's chromium, driven by playwright."""

import random
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console.uploader import LARGE_BYTES
from tests.machine import Machine, running

#: Longest wait of one expectation, in milliseconds.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def site() -> Iterator[int]:
    """The port of another web site, whose pages are empty."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>app</title>")

    def log_message(self, *_: object) -> None:
        """Nothing: the output is the tests' own."""


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str], site: int) -> Iterator[Machine]:
    """The whole stack, which pages of the site at `localhost` may use. Without a browser it is not started."""
    program("chromium")
    with running(Machine(tmp_path_factory.mktemp("console"), origins=f"http://localhost:{site}")) as machine:
        yield machine


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    # Not for the whole session: until playwright ends, its event loop runs in this thread, and no other test can run one.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of several chunks."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    path.write_bytes(random.Random(7).randbytes(LARGE_BYTES))
    return path


@pytest.fixture
def page(browser: Browser, machine: Machine, tmp_path: Path) -> Iterator[Page]:
    """A new window on the console. An error in the page's own scripts fails the test."""
    context = browser.new_context(base_url=machine.url("console"), accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    context.close()
    assert errors == []
