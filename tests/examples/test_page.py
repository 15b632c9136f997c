"""The page that uploads: a real browser, on a site of its own that the stack admits."""

import functools
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect, sync_playwright

from tests.conftest import DATA
from tests.examples.conftest import EXAMPLES
from tests.machine import Machine

PATIENCE_MS = 60_000
ISSUER = "http://127.0.0.1:8081"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the output is the tests' own."""


@pytest.fixture
def address(machine: Machine, site: int, tmp_path: Path) -> Iterator[str]:
    """The page with the address of this stack's issuer, as a web server of files gives it."""
    text = (EXAMPLES / "uploads" / "page.html").read_text()
    assert text.count(ISSUER) == 1
    (tmp_path / "page.html").write_text(text.replace(ISSUER, machine.url("issuer")))
    handler = functools.partial(_Quiet, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", site), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{site}/page.html"
        server.shutdown()
        thread.join()


@pytest.fixture
def page(program: Callable[[str], str], address: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        yield page
        browser.close()
    assert errors == []


def test_a_page_shows_what_became_of_each_file(page: Page) -> None:
    page.set_input_files("#file", DATA / "photo.jpg")
    expect(page.locator("#state")).to_have_text("succeeded", timeout=PATIENCE_MS)
    picture = page.locator("#result img")
    expect(picture).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function("document.querySelector('#result img').complete", timeout=PATIENCE_MS)

    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [256, 200]
    assert page.locator("#progress").evaluate("bar => bar.value") == 1

    damaged = FilePayload(name="scan.jpg", mimeType="image/jpeg", buffer=b"\xff\xd8\xff damaged")
    page.set_input_files("#file", damaged)
    expect(page.locator("#state")).to_have_text("partial", timeout=PATIENCE_MS)
    expect(page.locator("#result")).to_contain_text("thumbnails: failed the picture is truncated")

    page.set_input_files("#file", FilePayload(name="empty.txt", mimeType="text/plain", buffer=b""))
    expect(page.locator("#state")).to_contain_text("not sent: ", timeout=PATIENCE_MS)
