"""All pages for everybody: for screen readers, by keyboard, narrow, in both schemes, and without JavaScript."""

import json
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no py.typed
from playwright.sync_api import Browser, Page, expect

from shared.index import VERDICTS
from tests.eventually import eventually
from tests.machine import ROOT, Machine

PHOTO = (ROOT / "tests" / "data" / "photo.jpg").read_bytes()
DOCUMENT = (ROOT / "tests" / "data" / "alice.pdf").read_bytes()
#: Each with its name in the tests' ids; `{photo}`, `{document}` and `{broken}` are files that ended.
PATHS = {
    "files": "/",
    "file": "/files/{photo}",
    "document": "/files/{document}",
    "failed_file": "/files/{broken}",
    "failed": "/failed",
    "queues": "/queues",
    "queue": "/queues/images",
    "pipeline": "/pipeline?name=a.jpg&steps=avif",
    "error": "/lost",
}
#: They have most of what the others are made of.
SHORT = ("files", "file", "queues")
pages = pytest.mark.parametrize(
    "path", [pytest.param(path, id=name, marks=() if name in SHORT else pytest.mark.long) for name, path in PATHS.items()]
)
#: Schemes with widths in pixels. Both widths have the same colours: all four pairs would find no more, and take twice as long.
SCREENS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 375), ("dark", 1200))
#: Elements that take the focus.
ACTIONS = "a[href], summary, button:not([disabled]), input:not([type=hidden]), select, [tabindex='0']"


@pytest.fixture(scope="module")
def files(machine: Machine) -> dict[str, str]:
    """The names of a picture, a document and a broken picture, whose jobs have ended."""
    sent = {"photo": ("photo.jpg", PHOTO), "document": ("alice.pdf", DOCUMENT), "broken": ("broken.jpg", PHOTO[:1000])}
    return {name: _ended(machine, *file) for name, file in sent.items()}


def _ended(machine: Machine, name: str, data: bytes) -> str:
    answer = requests.post(machine.url("upload"), files={"file": (name, data)}, timeout=30)
    sent = str(answer.json()["object"])
    address = f"{machine.url('status')}/objects/{quote(sent)}"
    eventually(lambda: requests.get(address, timeout=30).json().get("state") in VERDICTS, f"the end of {name}")
    return sent


@pytest.fixture
def other(page: Page) -> Page:
    """Another window of the same browser."""
    return page.context.new_page()


@pytest.fixture
def paused(other: Page) -> Iterator[str]:
    """A queue that is paused during the test."""
    other.goto("/queues")
    other.get_by_role("button", name="Pause slow").click()
    yield "slow"
    other.get_by_role("button", name="Resume slow").click()
    expect(other.get_by_role("button", name="Pause slow")).to_be_visible()


def open_page(page: Page, path: str, files: dict[str, str]) -> None:
    page.goto(path.format(**{name: quote(value) for name, value in files.items()}))


def grave_faults(page: Page) -> list[str]:
    """The serious and critical findings of axe-core, with their places."""
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {json.dumps([node['target'] for node in fault['nodes']])}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]


@pages
def test_each_page_fits_all_people_and_screens(
    page: Page, files: dict[str, str], path: str, request: pytest.FixtureRequest
) -> None:
    """Reduced motion ends animations, which would make contrasts change. Pages of queues have a paused one."""
    if path.startswith("/queues"):
        request.getfixturevalue("paused")
    page.emulate_media(reduced_motion="reduce")
    open_page(page, path, files)
    page.evaluate(Axe().axe_script)
    for scheme, width_px in SCREENS:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width_px, "height": 900})

        assert grave_faults(page) == [], f"{scheme}, {width_px} px"
        assert page.evaluate("document.documentElement.scrollWidth") <= width_px


@pages
def test_the_keyboard_reaches_every_action_and_shows_the_focus(page: Page, files: dict[str, str], path: str) -> None:
    open_page(page, path, files)
    wanted = page.locator(ACTIONS).evaluate_all("found => found.filter(one => one.checkVisibility()).length")
    page.evaluate("() => { window.reached = new Set(); window.unseen = []; return 0 }")
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        page.evaluate(
            """() => {
                const here = document.activeElement;
                if (here === document.body) return;
                window.reached.add(here);
                if (getComputedStyle(here).outlineStyle === "none") window.unseen.push(here.outerHTML);
            }"""
        )
    reached, unseen = page.evaluate("[window.reached.size, window.unseen]")

    assert unseen == []
    assert reached == wanted


def test_the_first_stop_skips_to_the_content(page: Page) -> None:
    page.goto("/queues")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    expect(page.locator(":focus")).to_have_text("Pause all")


def test_a_queue_is_paused_and_resumed_by_keyboard(page: Page) -> None:
    page.goto("/queues")
    page.get_by_role("button", name="Pause slow").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("slow: files wait there")
    expect(page.get_by_role("button", name="Resume slow")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_have_text("All queues deliver.")


def test_an_open_page_sees_a_queue_that_is_paused_elsewhere(page: Page, other: Page) -> None:
    page.goto("/queues")
    other.goto("/queues")
    other.get_by_role("button", name="Pause slow").click()
    expect(page.locator("#queue-slow")).to_contain_text("paused")
    other.get_by_role("button", name="Resume slow").click()

    expect(page.locator("#queue-slow")).not_to_contain_text("paused")


def test_a_failed_refresh_leaves_the_page_as_it_is(page: Page) -> None:
    page.goto("/queues")
    page.route("**/queue-states", lambda route: route.fulfill(status=503, body="<h1>Unavailable</h1>"))
    page.evaluate("htmx.trigger(document.body, 'refresh')")

    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#queue-slow")).to_be_visible()
    assert page.get_by_text("Unavailable").count() == 0


def test_a_field_at_fault_takes_the_focus_below_the_head_of_the_page(page: Page) -> None:
    page.goto("/pipeline")
    page.get_by_label("Name").fill("a.jpg")
    page.get_by_label("Bytes").fill("many")
    page.keyboard.press("Enter")

    expect(page.get_by_label("Bytes")).to_be_focused()
    head = page.get_by_role("banner").bounding_box()
    title = page.get_by_role("heading", name="What would happen").bounding_box()
    assert head
    assert title
    assert title["y"] >= head["height"]


def test_queues_are_paused_and_files_explained_without_javascript(browser: Browser, machine: Machine) -> None:
    context = browser.new_context(base_url=machine.url("console"), java_script_enabled=False)
    page = context.new_page()
    page.goto("/queues")
    page.get_by_role("button", name="Pause slow").click()
    expect(page.locator("#queue-slow")).to_contain_text("paused")
    page.get_by_role("button", name="Resume slow").click()
    expect(page.locator("#queue-slow")).not_to_contain_text("paused")
    page.goto("/pipeline")
    page.get_by_label("Name").fill("a.jpg")
    page.get_by_label("avif").check()
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".answer")).to_contain_text("takes these steps: digest, facts, thumbnails, avif.")
    context.close()
