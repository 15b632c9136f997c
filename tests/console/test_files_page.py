"""The list of files in a browser."""

import requests
from playwright.sync_api import Page, expect

from tests.machine import ROOT, Machine

PHOTO = ROOT / "tests" / "data" / "photo.jpg"


def send(machine: Machine, name: str, data: bytes) -> str:
    """Post a file; returns its object name."""
    answer = requests.post(machine.url("upload"), files={"file": (name, data)}, timeout=30)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["object"])


def test_a_file_appears_in_an_open_page_and_comes_to_its_verdict(page: Page, machine: Machine) -> None:
    page.goto("/")
    name = send(machine, "live.jpg", PHOTO.read_bytes())
    row = page.get_by_role("row").filter(has_text=name)

    expect(row.locator(".chip")).to_have_text("done")


def test_a_name_is_never_markup(page: Page, machine: Machine) -> None:
    name = send(machine, "<img src=x onerror=alert(1)>.png", b"\x89PNG")
    page.goto("/")

    expect(page.get_by_role("link", name=name)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
