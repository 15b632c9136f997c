"""Two hundred files from a folder to their verdicts, by nothing but the page."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.machine import Machine, running

FILES = 200
PICTURES = 97
BROKEN = ("broken-1.png", "broken-2.png", "<img src=x onerror=alert(1)>.png")
#: Processing of them all on a slow machine, in milliseconds.
LONG_MS = 300_000
#: The lines of the uploader in the middle of the uploads, and once all files have ended.
MIDDLE = re.compile(rf"^([2-9]\d|1\d\d) of {FILES} uploaded")
ENDED = f"{FILES} uploaded · {FILES - len(BROKEN)} done · {len(BROKEN)} with failures"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, program: Callable[[str], str]) -> Iterator[Machine]:
    """A stack of its own: this test counts failed files and pauses a queue."""
    program("chromium")
    with running(Machine(tmp_path_factory.mktemp("console"))) as machine:
        yield machine


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures and texts in two folders, and broken pictures."""
    folder = tmp_path / "mixed"
    (folder / "pictures").mkdir(parents=True)
    (folder / "texts").mkdir()
    for number in range(FILES - PICTURES - len(BROKEN)):
        (folder / "texts" / f"{number}.{('txt', 'csv', 'json')[number % 3]}").write_text(f"[{number}]\n" * 40)
    for number in range(PICTURES):
        picture = Image.new("RGB", (80 + number, 60), (number, 200 - number, 90))
        picture.save(folder / "pictures" / f"{number}.{('png', 'jpg', 'webp')[number % 3]}")
    whole = (folder / "pictures" / "0.png").read_bytes()
    for number, name in enumerate(BROKEN):
        (folder / "pictures" / name).write_bytes(whole[: 60 + number])
    return folder


@pytest.mark.long
def test_two_hundred_files_are_uploaded_followed_and_three_run_again(page: Page, folder: Path) -> None:
    page.goto("/")
    upload_with_a_lost_connection(page, folder)
    find_the_broken_ones(page)
    run_them_again(page)
    pause_and_resume_a_queue(page, folder)


def upload_with_a_lost_connection(page: Page, folder: Path) -> None:
    line = page.locator(".upload .line")
    page.set_input_files(".pick-folder", folder)
    expect(line).to_have_text(MIDDLE, timeout=LONG_MS)
    page.context.set_offline(True)
    expect(page.get_by_text("No connection. It goes on when it is back.")).to_have_count(4)  # those in flight
    page.context.set_offline(False)
    expect(line).to_have_text(ENDED, timeout=LONG_MS)
    expect(page.locator(".upload li[data-phase=ended] img")).to_have_count(PICTURES)


def find_the_broken_ones(page: Page) -> None:
    """The uploader shows only them, and so does the filter."""
    for name in BROKEN:
        expect(page.locator(".upload li").filter(visible=True).filter(has_text=name)).to_have_count(1)
    page.get_by_label("State").select_option(label="partly done")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#rows tr")).to_have_count(len(BROKEN))
    for name in BROKEN:
        expect(page.locator("#rows").get_by_role("link", name=name)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def run_them_again(page: Page) -> None:
    page.get_by_role("link", name="Failed").click()
    for name in BROKEN:
        expect(page.get_by_role("link", name=name)).to_be_visible()
    page.get_by_role("link", name=re.compile("^Run again")).click()
    expect(page.get_by_text("3 can run again")).to_be_visible()
    page.get_by_role("button", name="As it was").click()
    expect(page.get_by_text("3 of 3 files: 3 begun")).to_be_visible()
    page.goto("/?state=partial")
    expect(page.locator("#rows").get_by_text("run 1", exact=True)).to_have_count(len(BROKEN), timeout=LONG_MS)


def pause_and_resume_a_queue(page: Page, folder: Path) -> None:
    page.get_by_role("link", name="Queues").click()
    page.get_by_role("button", name="Pause images").click()
    expect(page.locator("#queue-images .chip")).to_have_text("paused")
    page.goto("/")
    last = folder / "after-the-pause.jpg"
    last.write_bytes((folder / "pictures" / "1.jpg").read_bytes())
    page.set_input_files(".pick-files", last)
    expect(page.locator(".upload li .chip")).to_have_text("in work")
    page.goto("/queues")
    expect(page.locator("#queue-images .figures")).to_have_text(re.compile(r"^1 waiting\s+0 running$"))
    page.get_by_role("button", name="Resume images").click()
    page.goto("/?state=succeeded")
    expect(page.locator("#rows tr").filter(has_text=last.name)).to_be_visible(timeout=LONG_MS)
    page.goto("/queues")
    expect(page.locator("#queue-images .figures")).to_have_text(re.compile(r"^0 waiting\s+0 running$"), timeout=LONG_MS)
