"""The uploader of the Files page, as tests use it."""

from pathlib import Path

import requests
from playwright.sync_api import Locator, Page, expect

from tests.machine import Machine

#: Three chunks of 8 MiB, the last one shorter.
LARGE_BYTES = 20_000_000
#: Requests to a session, but not its start.
CHUNKS = "PUT /uploads/"


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files(".pick-files", list(paths))


def row(page: Page, name: str) -> Locator:
    return page.locator(".upload li").filter(has=page.get_by_text(name, exact=True))


def sum_line(page: Page) -> Locator:
    return page.locator(".upload .line")


def stored(machine: Machine, page: Page, name: str) -> requests.Response:
    """The object of an upload that the page shows as sent."""
    link = row(page, name).get_by_role("link")
    expect(link).to_be_visible()
    path = (link.get_attribute("href") or "").removeprefix("/files/")
    return requests.get(f"{machine.environment['STORAGE_EMULATOR_HOST']}/uploads/{path}", timeout=30)


def ranges(page: Page) -> list[str]:
    """The Content-Range of every request from now on."""
    sent: list[str] = []
    page.on("request", lambda request: sent.extend(filter(None, [request.headers.get("content-range")])))
    return sent


def frozen(page: Page, machine: Machine, path: Path) -> Locator:
    """The row of an upload whose chunks get no answer until `fault thaw storage`."""
    machine.fault("freeze", "storage", "--match", CHUNKS)
    with page.expect_request(lambda request: request.method == "PUT"):
        choose(page, path)
    return row(page, path.name)


def hand_over(page: Page, event: str, name: str) -> None:
    """Drop or paste a file of this name, with the bytes `hello`."""
    page.evaluate(
        """([event, name]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["hello"], name, { type: "text/plain" }));
            const fields = { bubbles: true, cancelable: true };
            const made = { drop: () => new DragEvent("drop", { dataTransfer: transfer, ...fields }),
                           paste: () => new ClipboardEvent("paste", { clipboardData: transfer, ...fields }) };
            document.body.dispatchEvent(made[event]());
        }""",
        [event, name],
    )
