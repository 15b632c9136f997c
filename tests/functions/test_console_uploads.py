"""Uploads of the console's page over HTTP: signed sessions, and the states of the files that a page follows."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from shared import routes as routing
from shared.routes import Routes
from shared.testing import FakeCloud
from tests.conftest import PIPELINE
from tests.functions.calls import Load, refused

HERE = "http://127.0.0.1:8088"
#: A step on request with an option per file, beside the tests' own pipeline.
MORE = """
[steps.print]
processor = "image.renditions"
queue = "images"
options = { sizes = [2048], formats = ["webp"], quality = 60 }
per_file = ["quality", "sizes"]

[[routes]]
content_type = ["image/png", "image/jpeg"]
name = "**"
steps = ["print"]
on_request = true
"""
PHOTO = {"name": "photo.jpg", "content_type": "image/jpeg", "size": 1000}
Send = Callable[..., TestResponse]


@pytest.fixture
def routes() -> Routes:
    return routing.parse(PIPELINE.read_text() + MORE)


@pytest.fixture
def console(client: Load) -> Client:
    return client("console")


@pytest.fixture
def send(console: Client) -> Send:
    """Ask for a session, as the page does."""
    token = console.get("/", base_url=HERE).text.partition('action-token" content="')[2].partition('"')[0]

    def post(asked: dict[str, Any], **headers: str) -> TestResponse:
        given = {"x-action-token": token, "accept": "application/json"} | headers
        return console.post("/uploads", base_url=HERE, json=asked, headers=given)

    return post


def key(number: int) -> str:
    """The first characters of an uploaded object's name."""
    return f"{number:026d}".translate(str.maketrans("0189", "abcd"))


def entry(cloud: FakeCloud, number: int, verdict: str = "succeeded", reason: str = "", step: str = "thumbnails") -> str:
    """Write the index entry of the upload of this number; the higher numbers are the newer ones."""
    generation = 1_700_000_000_000_000 + number * 1000
    job = f"{'a' * 26}-{generation}"
    described = {"name": f"{key(number)}/photo.jpg", "size": "1", "type": "image/jpeg", "reason": reason}
    described["recipes"] = f"{step}-01234567"
    cloud.results.create(f"index/{verdict}/{10**16 - generation:016d}-{job}", "application/octet-stream", b"", described)
    return job


def test_a_session_is_signed_for_exactly_this_file(send: Send) -> None:
    answer = send(PHOTO).json or {}

    assert set(answer) == {"url", "headers", "object"}
    assert answer["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1000,1000",
        "x-goog-if-generation-match": "0",
        "x-goog-resumable": "start",
    }
    assert answer["object"].endswith("/photo.jpg")
    assert answer["object"] in answer["url"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("table.csv", "text/csv"), ("Photo.PNG", "image/png"), ("README", "application/octet-stream")],
)
def test_a_file_without_a_type_gets_that_of_its_name(send: Send, name: str, content_type: str) -> None:
    answer = send({"name": name, "size": 1}).json or {}

    assert answer["headers"]["content-type"] == content_type


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.png", "../../a.png", "a\"b' &amp;.png", "\u202egnp.a.png"])
def test_hostile_names_are_names(send: Send, name: str) -> None:
    answer = send(PHOTO | {"name": name}).json or {}

    assert answer["object"].partition("/")[2] == name.rpartition("/")[2]


@pytest.mark.parametrize(
    ("asked", "status", "code", "said"),
    [
        ({"size": 5_000_001}, 413, "too_large", "limit is 5000000"),
        ({"size": 0}, 400, "bad_request", "size"),
        ({"name": "a\nb.png"}, 400, "bad_name", "control characters"),
        ({"metadata": {"sluice-steps": "print", "sluice-print-quality": "1000"}}, 400, "bad_request", "sluice-print-quality"),
        ({"metadata": {"sluice-parent": "a"}}, 400, "reserved_metadata", "only the pipeline"),
        ({"resumable": False, "secret": 1}, 400, "bad_request", "secret"),
    ],
)
def test_a_refusal_is_a_sentence_in_json(send: Send, asked: dict[str, Any], status: int, code: str, said: str) -> None:
    assert said in refused(send(PHOTO | asked), status, code)


def test_a_type_without_a_route_is_refused(send: Send, cloud: FakeCloud) -> None:
    cloud.routes = routing.parse((PIPELINE.read_text() + MORE).replace('"*/*"', '"image/*"'))

    assert "image/*" in refused(send({"name": "notes.txt", "content_type": "text/plain", "size": 1}), 415, "unsupported_type")


def test_options_go_with_the_files_that_take_them(send: Send) -> None:
    """One choice is for all files of a folder."""
    metadata = {"sluice-steps": "print", "sluice-print-quality": "80", "order": "4711"}
    photo, notes = send(PHOTO | {"metadata": metadata}).json, send({"name": "a.txt", "size": 1, "metadata": metadata}).json

    assert photo is not None
    assert notes is not None
    sent = {name: value for name, value in photo["headers"].items() if "meta" in name}
    assert sent == {f"x-goog-meta-{name}": value for name, value in metadata.items()}
    assert {name for name in notes["headers"] if "meta" in name} == {"x-goog-meta-order"}


def test_the_page_offers_what_pipeline_toml_offers(console: Client) -> None:
    page = console.get("/", base_url=HERE).text

    assert '<input type="checkbox" name="sluice-steps" value="print"> print' in page
    assert "for image/jpeg, image/png" in page
    assert '<input name="sluice-print-quality" placeholder="60"' in page
    assert 'placeholder="[2048]"' in page


def test_a_session_needs_the_token_of_the_page(send: Send) -> None:
    assert "open it again" in refused(send(PHOTO, **{"x-action-token": "other"}), 403, "forbidden")


def test_followed_files_come_with_word_reason_and_preview(console: Client, cloud: FakeCloud) -> None:
    job = entry(cloud, 1)
    entry(cloud, 2, "failed", "not_a_picture,too_large")
    entry(cloud, 4, step="digest")
    found = console.get(f"/follow?since=0&keys={key(1)},{key(2)},{key(3)},{key(4)}", base_url=HERE).json

    assert found == {
        key(1): {"word": "done", "colour": "good", "reason": "", "preview": f"/preview/{job}", "ended": True},
        key(2): {"word": "failed", "colour": "bad", "reason": "Not a picture, Too large", "preview": "", "ended": True},
        key(4): {"word": "done", "colour": "good", "reason": "", "preview": "", "ended": True},
    }


def test_the_list_reaches_back_to_the_oldest_followed_upload(console: Client, cloud: FakeCloud) -> None:
    for number in range(1, 120):
        entry(cloud, number)
    asked = f"/follow?keys={key(1)}&since="

    assert console.get(f"{asked}1700000000000", base_url=HERE).json != {}
    assert console.get(f"{asked}1700000000100", base_url=HERE).json == {}


def test_all_followed_files_are_read_from_one_list(console: Client, cloud: FakeCloud) -> None:
    """Rows of the page and its followed files share it, whoever asks."""
    for number in range(1, 4):
        entry(cloud, number)
    calls: list[str] = []
    page = cloud.results.page

    def counted(prefix: str, start: str, limit: int) -> Mapping[str, Mapping[str, str]]:
        calls.append(prefix)
        return page(prefix, start, limit)

    cloud.results.page = counted  # type: ignore[method-assign]
    for _ in range(3):
        console.get("/rows", base_url=HERE)
        console.get(f"/follow?since=0&keys={key(1)},{key(2)},{key(3)}", base_url=HERE)

    assert len(calls) == len(set(calls)) > 0


def test_states_that_a_page_shows_already_are_not_sent_again(console: Client, cloud: FakeCloud) -> None:
    entry(cloud, 1)
    asked = f"/follow?since=0&keys={key(1)}"
    first = console.get(asked, base_url=HERE)
    again = console.get(asked, base_url=HERE, headers={"if-none-match": first.headers["etag"]})

    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "since=0",
        f"keys={'a' * 26}",
        f"since=x&keys={'a' * 26}",
        "since=0&keys=a",
        f"since=0&keys={','.join(['a' * 26] * 101)}",
    ],
)
def test_a_wrong_question_about_states_is_refused(console: Client, query: str) -> None:
    refused(console.get(f"/follow?{query}", base_url=HERE, headers={"accept": "application/json"}), 400, "bad_request")
