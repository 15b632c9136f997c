"""One file in a browser: its page while it is in work, its pictures, running it again; a group of failed files."""

import re

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from playwright.sync_api import Page, expect

from shared.console.reruns import PIECE_FILES
from tests.machine import ROOT, Machine
from tests.unit.media import clips
from tests.unit.media.clips import needs_ffmpeg

PHOTO = ROOT / "tests" / "data" / "photo.jpg"


def send(machine: Machine, name: str, data: bytes) -> str:
    """Post a file; returns its object name."""
    answer = requests.post(machine.url("upload"), files={"file": (name, data)}, timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["object"])


def test_a_file_is_followed_to_its_pictures_and_runs_again(page: Page, machine: Machine) -> None:
    """A fold that the viewer opened stays open while the page is drawn again."""
    send(machine, "followed.jpg", PHOTO.read_bytes())
    page.goto("/")
    page.get_by_role("link", name="followed.jpg").click()

    expect(page.locator(".summary .chip")).to_have_text("done")
    expect(page.locator("#live")).to_have_count(0)
    pictures = page.get_by_role("list", name="Pictures").locator("img")
    expect(pictures).to_have_count(3)
    for picture in pictures.all():
        expect(picture).to_have_js_property("complete", True)
        assert picture.evaluate("image => image.naturalWidth") > 0

    page.locator("summary", has_text="Manifest").click()
    page.evaluate("document.getElementById('state').dataset.seen = 'yes'")
    page.evaluate("htmx.ajax('GET', '/state' + location.pathname.slice(6), {target: '#state', swap: 'outerMorph'})")
    expect(page.locator("#state[data-seen]")).to_have_count(0)  # it is drawn again
    expect(page.locator("details[open]", has_text="Manifest")).to_have_count(1)

    page.locator("summary", has_text="Run again").click()
    page.get_by_role("button", name="Everything afresh").click()
    expect(page.get_by_role("status").filter(has_text="A new run has begun.")).to_be_visible()
    assert "told" not in page.url, "a reload would say it again"
    expect(page.locator(".run-card").first.locator("summary").first).to_contain_text("Run 1")
    expect(page.locator(".summary .chip")).to_have_text("done")


@needs_ffmpeg
def test_the_preview_of_a_film_plays(page: Page, machine: Machine) -> None:
    page.goto(f"/files/{send(machine, 'film.mp4', clips.film())}")
    expect(page.locator(".summary .chip")).to_have_text("done")
    player = page.locator("video")
    expect(player).to_have_attribute("poster", re.compile("/poster/1280.webp$"))
    player.evaluate("async video => { video.muted = true; await video.play() }")

    player.evaluate("video => new Promise(ended => video.ended ? ended() : video.addEventListener('ended', ended))")
    assert player.evaluate("video => [video.videoWidth, video.videoHeight, video.error]") == [320, 180, None]
    assert player.evaluate("video => video.currentTime") > 1.5


def test_the_menu_of_runs_closes_by_escape_and_by_a_click_beside_it(page: Page, machine: Machine) -> None:
    page.goto(f"/files/{send(machine, 'menu.txt', b'words')}")
    menu = page.locator("summary", has_text="Run again")
    menu.click()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="As it was")).to_be_hidden()
    expect(menu).to_be_focused()
    menu.click()
    page.get_by_role("heading", level=1).click()

    expect(page.get_by_role("button", name="As it was")).to_be_hidden()


def test_a_line_is_copied(page: Page, machine: Machine) -> None:
    name = send(machine, "copied.txt", b"words")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/files/{name}")
    page.get_by_role("button", name="Copy").first.click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"gsutil cp gs://uploads/{name} ."


def test_a_hostile_name_is_text_on_every_page(page: Page, machine: Machine) -> None:
    name = send(machine, "<img src=x onerror=alert(1)>.png", b"\x89PNG")
    page.goto("/failed")
    page.get_by_role("link", name=name).click()

    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.set_viewport_size({"width": 375, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    expect(page.locator(".summary .chip")).to_have_text("partly done")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.long
def test_a_large_group_runs_again_by_itself(page: Page, machine: Machine) -> None:
    """Names too long for outputs fail without a step, and need no processor. They fit a phone all the same."""
    page.set_viewport_size({"width": 375, "height": 800})
    client = storage.Client("local-project", AnonymousCredentials(), client_options={"api_endpoint": _storage(machine)})
    for number in range(PIECE_FILES + 2):
        client.bucket("uploads").blob(f"{number:04}{'x' * 980}.txt").upload_from_string("words")
    page.goto("/failed")
    group = page.locator("section", has=page.get_by_role("heading", name="Name too long"))
    expect(group.locator(".chip")).to_have_text(str(PIECE_FILES + 2))
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    group.get_by_role("link", name="Run again: Name too long").click()
    expect(page.get_by_role("table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.get_by_role("button", name="With today's plan").click()

    expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
    expect(page.locator("#again")).to_contain_text(f"{PIECE_FILES + 2} begun")


def _storage(machine: Machine) -> str:
    return machine.environment["STORAGE_EMULATOR_HOST"]
