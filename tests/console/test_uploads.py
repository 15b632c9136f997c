"""The page's uploader in a browser: sessions that outlive pauses, lost connections, busy servers and reloads."""

import shutil
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.console.uploader import CHUNKS, LARGE_BYTES, choose, frozen, hand_over, ranges, row, stored, sum_line
from tests.eventually import eventually
from tests.machine import ROOT, Machine

PHOTO = ROOT / "tests" / "data" / "photo.jpg"
HOSTILE = '"><img src=x onerror=alert(1)>&amp;.png'


@pytest.fixture
def files(page: Page) -> Page:
    page.on("dialog", lambda dialog: dialog.accept())  # a page with uploads asks before it is left
    page.goto("/")
    return page


def test_a_file_is_sent_in_chunks_and_followed_to_its_verdict(files: Page, machine: Machine, large: Path) -> None:
    sent = ranges(files)
    choose(files, large, PHOTO)

    assert stored(machine, files, "large.bin").content == large.read_bytes()
    assert [each for each in sent if each.endswith(f"/{LARGE_BYTES}")] == [
        "bytes 0-8388607/20000000",
        "bytes 8388608-16777215/20000000",
        "bytes 16777216-19999999/20000000",
    ]
    expect(row(files, "photo.jpg").locator(".chip")).to_have_text("done")
    expect(sum_line(files)).to_have_text("2 uploaded · 2 done")


def test_a_file_that_was_replaced_is_not_called_done(files: Page) -> None:
    def answer(route: Route) -> None:
        keys = parse_qs(urlsplit(route.request.url).query)["keys"][0].split(",")
        state = {"word": "replaced", "colour": "none", "reason": "superseded", "preview": "", "ended": True}
        route.fulfill(json=dict.fromkeys(keys, state))

    files.route("**/follow?*", answer)
    choose(files, PHOTO)

    expect(sum_line(files)).to_have_text("1 uploaded · 1 not processed")


def test_a_chunk_cut_in_the_middle_goes_on_where_it_ended(files: Page, machine: Machine, large: Path) -> None:
    # Chromium itself repeats a request whose connection ends without an answer, once.
    machine.fault("cut", "storage", "--after-bytes", "3000000", "--match", CHUNKS, "--next", "2")
    sent = ranges(files)
    choose(files, large)

    assert stored(machine, files, "large.bin").content == large.read_bytes()
    assert f"bytes */{LARGE_BYTES}" in sent
    assert sent.count("bytes 0-8388607/20000000") == 1, "bytes that arrived are not sent again"


def test_a_busy_server_is_asked_again(files: Page, machine: Machine) -> None:
    machine.fault("answer", "storage", "--status", "503", "--match", "POST /uploads/", "--next", "2")
    machine.fault("answer", "storage", "--status", "503", "--match", CHUNKS)
    choose(files, PHOTO)

    expect(row(files, "photo.jpg").locator(".note")).to_contain_text("No answer. Next try in")
    assert stored(machine, files, "photo.jpg").content == PHOTO.read_bytes()


def test_a_busy_console_is_asked_again(files: Page, machine: Machine) -> None:
    files.route("**/uploads", lambda route: route.fulfill(status=503), times=2)
    choose(files, PHOTO)

    assert stored(machine, files, "photo.jpg").ok


@pytest.mark.long
def test_an_expired_session_begins_again(files: Page, machine: Machine, large: Path) -> None:
    with files.expect_request(lambda request: request.method == "PUT") as chunk:
        shown = frozen(files, machine, large)
    shown.get_by_role("button", name="Pause large.bin").click()
    machine.fault("thaw", "storage")
    assert requests.delete(chunk.value.url, timeout=30).status_code == 499
    shown.get_by_role("button", name="Resume large.bin").click()

    assert stored(machine, files, "large.bin").content == large.read_bytes()


def test_a_file_that_changes_meanwhile_is_not_mixed(files: Page, machine: Machine, large: Path, tmp_path: Path) -> None:
    path = tmp_path / "changing.bin"
    shutil.copy(large, path)
    shown = frozen(files, machine, path)
    shown.get_by_role("button", name="Pause changing.bin").click()
    path.write_bytes(b"other")
    machine.fault("thaw", "storage")
    shown.get_by_role("button", name="Resume changing.bin").click()

    expect(shown.locator(".note")).to_have_text("This file has changed or was moved: choose it again.")


def test_an_upload_waits_for_a_lost_connection(files: Page, machine: Machine, large: Path) -> None:
    files.context.set_offline(True)
    choose(files, large)
    expect(row(files, "large.bin").locator(".note")).to_have_text("No connection. It goes on when it is back.")
    files.context.set_offline(False)

    assert stored(machine, files, "large.bin").content == large.read_bytes()


def test_an_upload_is_paused_and_resumed(files: Page, machine: Machine, large: Path) -> None:
    shown = frozen(files, machine, large)
    shown.get_by_role("button", name="Pause large.bin").click()
    expect(shown.locator(".note")).to_contain_text("paused")
    machine.fault("thaw", "storage")
    sent = ranges(files)
    shown.get_by_role("button", name="Resume large.bin").click()

    assert stored(machine, files, "large.bin").content == large.read_bytes()
    assert sent[0] == f"bytes */{LARGE_BYTES}"


@pytest.mark.long
def test_all_uploads_are_paused_and_resumed(files: Page, machine: Machine, large: Path) -> None:
    frozen(files, machine, large)
    files.get_by_role("button", name="Pause all").click()
    expect(sum_line(files)).to_have_text("0 of 1 uploaded · paused")
    expect(row(files, "large.bin")).to_have_attribute("data-phase", "waiting")
    machine.fault("thaw", "storage")
    files.get_by_role("button", name="Resume all").click()

    assert stored(machine, files, "large.bin").ok


@pytest.mark.long
def test_a_file_that_is_added_after_all_were_cancelled_is_not_paused(files: Page, machine: Machine, large: Path) -> None:
    frozen(files, machine, large)
    files.get_by_role("button", name="Pause all").click()
    files.get_by_role("button", name="Cancel the rest").click()
    machine.fault("thaw", "storage")
    choose(files, PHOTO)

    assert stored(machine, files, "photo.jpg").ok


def test_an_upload_goes_on_after_a_reload(files: Page, machine: Machine, large: Path) -> None:
    """The browser gives the file to a new page only when it is chosen again."""
    frozen(files, machine, large)
    files.reload()
    shown = row(files, "large.bin")
    expect(shown.locator(".note")).to_have_text("Choose the file again to go on.")
    expect(files.locator(".upload .lost")).to_contain_text("The page was reloaded. Choose the same files or folder")
    expect(files.get_by_role("button", name="Pause all")).to_be_hidden()
    machine.fault("thaw", "storage")
    asked: list[str] = []
    files.on("request", lambda request: asked.append(f"{request.method} {request.url.split('?')[0].rsplit('/')[-1]}"))
    with files.expect_file_chooser() as chooser:
        shown.get_by_role("button", name="Choose file large.bin").click()
    chooser.value.set_files([large, PHOTO])

    assert stored(machine, files, "large.bin").content == large.read_bytes()
    assert asked.count("POST uploads") == 1, "only the photo needs a session"


@pytest.mark.long
def test_after_a_reload_the_same_folder_is_not_sent_twice(files: Page, machine: Machine, large: Path) -> None:
    choose(files, PHOTO)
    expect(row(files, "photo.jpg").get_by_role("link")).to_be_visible()
    frozen(files, machine, large)
    files.reload()
    expect(row(files, "large.bin").get_by_role("button", name="Choose file")).to_be_visible()
    machine.fault("thaw", "storage")
    choose(files, PHOTO, large)

    expect(sum_line(files)).to_contain_text("2 uploaded")
    assert files.locator(".upload li").count() == 2


@pytest.mark.long
def test_a_second_window_leaves_the_uploads_of_the_first_alone(files: Page, machine: Machine, large: Path) -> None:
    shown = frozen(files, machine, large)
    second = files.context.new_page()
    second.goto("/")
    choose(second, PHOTO)
    expect(row(second, "photo.jpg")).to_be_visible()
    second.wait_for_function("navigator.locks.query().then((locks) => locks.pending.length === 0)")
    assert second.locator(".upload li").count() == 1
    machine.fault("thaw", "storage")

    expect(shown.get_by_role("link")).to_be_visible()


def test_a_cancelled_upload_leaves_nothing(files: Page, machine: Machine, large: Path) -> None:
    shown = frozen(files, machine, large)
    machine.fault("thaw", "storage")
    machine.fault("freeze", "storage", "--match", CHUNKS)
    with files.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        shown.get_by_role("button", name="Cancel large.bin").click()
    machine.fault("thaw", "storage")

    assert deleted.value.status == 499
    expect(shown).to_have_count(0)
    assert requests.put(deleted.value.url, headers={"content-range": "bytes */20000000"}, timeout=30).status_code == 410
    assert files.evaluate("localStorage.length") == 0


def test_names_are_text_and_keep_their_folder(files: Page, machine: Machine) -> None:
    hand_over(files, "drop", HOSTILE)

    answer = stored(machine, files, HOSTILE)
    assert answer.content == b"hello"
    assert unquote(answer.url).endswith(f"/{HOSTILE}")
    assert files.locator("img[src=x]").count() == 0


def test_a_folder_is_sent_with_its_subfolders(files: Page, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "a.txt").write_text("one")
    (folder / "a.txt").write_text("two")
    (folder / ".DS_Store").write_text("of no use")
    files.set_input_files(".pick-folder", folder)

    expect(row(files, "scans/2026/a.txt").get_by_role("link")).to_be_visible()
    expect(row(files, "scans/a.txt").get_by_role("link")).to_be_visible()
    assert files.locator(".upload li").count() == 2


def test_a_pasted_picture_is_sent(files: Page) -> None:
    hand_over(files, "paste", "image.png")

    expect(row(files, "image.png").get_by_role("link")).to_be_visible()


def test_files_that_cannot_be_processed_are_refused_before_they_are_sent(files: Page, tmp_path: Path) -> None:
    empty, huge = tmp_path / "empty.txt", tmp_path / "huge.bin"
    empty.touch()
    with huge.open("wb") as sparse:
        sparse.truncate(600 << 20)
    asked: list[str] = []
    files.on("request", lambda request: asked.append(request.method))
    choose(files, empty, huge)

    expect(row(files, "empty.txt").locator(".note")).to_have_text("This file is empty.")
    expect(row(files, "huge.bin").locator(".note")).to_have_text("This file has 629 MB. At most 537 MB are allowed.")
    assert "POST" not in asked


def test_chosen_steps_and_options_become_metadata(files: Page, machine: Machine) -> None:
    files.get_by_text("Options", exact=True).click()
    files.get_by_label("avif for").check()
    files.get_by_label("avif: quality").fill("1000")
    choose(files, PHOTO)
    expect(row(files, "photo.jpg").locator(".note")).to_contain_text("sluice-avif-quality")
    files.get_by_label("avif: quality").fill("40")
    files.get_by_role("button", name="Retry photo.jpg").click()

    headers = stored(machine, files, "photo.jpg").headers
    assert (headers["x-goog-meta-sluice-steps"], headers["x-goog-meta-sluice-avif-quality"]) == ("avif", "40")


@pytest.mark.long
def test_the_uploader_works_by_keyboard_and_names_its_parts(files: Page, machine: Machine, large: Path) -> None:
    shown = frozen(files, machine, large)
    expect(files.get_by_role("status").filter(has_text="Upload of large.bin begins.")).to_be_attached()
    expect(shown.get_by_role("progressbar", name="Upload of large.bin")).to_be_visible()
    shown.get_by_role("button", name="Pause large.bin").focus()
    files.keyboard.press("Enter")
    expect(shown.get_by_role("button", name="Resume large.bin")).to_be_focused()
    files.keyboard.press("Tab")
    files.keyboard.press("Enter")

    expect(files.get_by_role("button", name="Choose files")).to_be_focused()
    machine.fault("thaw", "storage")


@pytest.fixture(autouse=True)
def _no_faults(machine: Machine) -> None:
    """No fault of another test is left."""
    eventually(lambda: "no fault" in machine.fault("clear"))
