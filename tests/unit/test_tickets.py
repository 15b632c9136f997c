"""What the doors hand out: refusals name their field, and a command line survives any name."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import tickets
from shared.errors import BadRequest, PipelineError, TooLarge, UnsupportedType
from shared.model import File, file_id
from shared.routes import Routes, parse
from shared.settings import ROOT
from tests.fakes import FakeCloud

PHOTO = {"name": "photo.jpg", "content_type": "image/jpeg"}

#: A shell in which curl only tells what it was called with, one argument a line, and answers as Cloud Storage does.
SHELL = """
curl() { { printf 'curl'; for argument in "$@"; do printf '|%s' "$argument"; done; printf '\\n'; } >&2
printf 'HTTP/1.1 201 Created\\r\\nLocation: https://session.test/?upload_id=1&a=b\\r\\n\\r\\n'; }
"""


def run(command: str) -> list[list[str]]:
    """Every call of curl that the command line makes, in order."""
    done = subprocess.run(["sh", "-c", SHELL + command], capture_output=True, check=True, text=True, timeout=10)
    return [line.split("|")[1:] for line in done.stderr.splitlines()]


@pytest.fixture
def only_pictures() -> Routes:
    text = (ROOT / "pipeline.toml").read_text()
    return parse(text.replace('content_type = "*/*"', 'content_type = "image/*"'))


# ---- wishes


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["photo.jpg"]}, "name"),
        ({"content_type": None}, "content_type"),
        ({"content_type": ""}, "content_type"),
        ({"content_type": "jpeg"}, "content_type"),
        ({"content_type": "image/"}, "content_type"),
        ({"content_type": "image/*"}, "content_type"),
        ({"content_type": "image/jpeg;"}, "content_type"),
        ({"content_type": "image/jpeg\nx-goog-acl: public-read"}, "content_type"),
        ({"content_type": "image/jpeg;\r\n a=b"}, "content_type"),
        ({"content_type": "image/jpeg\n"}, "content_type"),
        ({"content_type": "image/jpég"}, "content_type"),
        ({"content_type": 7}, "content_type"),
        ({"size": 0}, "size"),
        ({"size": -1}, "size"),
        ({"size": 1.5}, "size"),
        ({"size": "7"}, "size"),
        ({"size": True}, "size"),
        ({"size": [7]}, "size"),
        ({"resumable": "yes"}, "resumable"),
        ({"resumable": 1}, "resumable"),
        ({"resumable": None}, "resumable"),
        ({"bucket": "mine"}, "bucket"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        tickets.wish(PHOTO | changed)

    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.details == {"field": field}


def test_a_wish_needs_a_name_and_a_type_and_no_more() -> None:
    wish = tickets.wish({"name": "photo.jpg", "content_type": 'text/plain; charset="utf-8"'})

    assert (wish.size, wish.resumable, wish.key) == (None, False, "")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, {}),
        ({"name": "7", "size": "7"}, {"name": "7", "size": 7}),
        ({"size": "-7"}, {"size": "-7"}),
        ({"size": "9" * 5000}, {"size": "9" * 5000}),
        ({"resumable": "true"}, {"resumable": True}),
        ({"resumable": "false"}, {"resumable": False}),
        ({"resumable": "1"}, {"resumable": "1"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_query_means_what_json_would_say(query: dict[str, str], fields: dict[str, Any]) -> None:
    assert tickets.from_query(query) == fields


# ---- tickets


def test_a_ticket_is_for_one_object_of_this_size_and_type(cloud: FakeCloud) -> None:
    ticket = tickets.issue(tickets.wish(PHOTO | {"size": 1234}), cloud)

    assert ticket["method"] == "PUT"
    assert ticket["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1234,1234",
        "x-goog-if-generation-match": "0",
    }
    assert ticket["object"].endswith("/photo.jpg")
    assert ticket["file_id"] == file_id("uploads", ticket["object"])
    assert ticket["status_url"] == f"https://status.test/objects/{ticket['object']}"


def test_a_ticket_without_a_size_is_for_any_that_is_processed(cloud: FakeCloud) -> None:
    ticket = tickets.issue(tickets.wish(PHOTO), cloud)

    assert ticket["headers"]["x-goog-content-length-range"] == "1,5000000"


def test_a_ticket_says_until_when_it_is_good(cloud: FakeCloud) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    expires = datetime.fromisoformat(tickets.issue(tickets.wish(PHOTO), cloud)["expires_at"])

    assert before <= expires - timedelta(seconds=900) <= datetime.now(UTC)


def test_the_same_key_gets_a_ticket_for_the_same_object(cloud: FakeCloud) -> None:
    first, second, other = (tickets.issue(tickets.wish(PHOTO, key), cloud)["object"] for key in ("k", "k", "l"))

    assert first == second
    assert other != first


def test_a_type_that_no_route_takes_is_refused_with_those_that_are(cloud: FakeCloud, only_pictures: Routes) -> None:
    cloud.routes = only_pictures

    with pytest.raises(UnsupportedType, match=r"^content_type: no route takes audio/mpeg; accepted: image/\*$"):
        tickets.issue(tickets.wish({"name": "song.mp3", "content_type": "audio/mpeg"}), cloud)


def test_a_file_that_would_not_be_processed_gets_no_ticket(cloud: FakeCloud) -> None:
    with pytest.raises(TooLarge, match=r"^size: 5000001 bytes; at most 5000000 are processed$"):
        tickets.issue(tickets.wish(PHOTO | {"size": 5_000_001}), cloud)


@pytest.mark.parametrize("name", ["..", "photos/", "a\nb.jpg", "a\0.jpg", "\ud800.jpg", "ä" * 200])
def test_a_name_nobody_could_read_back_gets_no_ticket(cloud: FakeCloud, name: str) -> None:
    with pytest.raises(PipelineError, match="name") as refused:
        tickets.issue(tickets.wish(PHOTO | {"name": name}), cloud)

    assert refused.value.code == "bad_name"


# ---- command lines

HOSTILE = [
    "photo.jpg",
    "two words.jpg",
    "it's.jpg",
    '"; reboot; ".jpg',
    "$(reboot).jpg",
    "`reboot`.jpg",
    "${HOME}.jpg",
    "a&b;c.jpg",
    "!history.jpg",
    "*.jpg",
    "~",
    "#1.jpg",
    "-rf",
    "-",
    "--upload-file",
    "[1-9].jpg",
    "{a,b}.jpg",
    "%5C.jpg",
    "Käthe 😀 \u202e.jpg",
    "'",
    "''\"''",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_the_command_line_sends_that_file_and_runs_nothing_else(cloud: FakeCloud, name: str) -> None:
    ticket = tickets.issue(tickets.wish(PHOTO | {"name": name}), cloud)

    (call,) = run(ticket["curl"])

    sent = [f"{header}: {value}" for header, value in ticket["headers"].items()]
    assert call[call.index("-T") + 1].removeprefix("./") == name
    assert [call[place + 1] for place, word in enumerate(call) if word == "-H"] == sent
    assert call[call.index("-X") + 1] == "PUT"
    assert call[-1] == ticket["url"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_resumable_command_line_opens_a_session_and_sends_that_file_into_it(cloud: FakeCloud, name: str) -> None:
    ticket = tickets.issue(tickets.wish(PHOTO | {"name": name, "resumable": True}), cloud)

    start, send = run(ticket["curl"])

    assert ticket["method"] == "POST"
    assert "x-goog-resumable: start" in start
    assert start[start.index("-X") + 1] == "POST"
    assert start[-1] == ticket["url"]
    assert send[send.index("-T") + 1].removeprefix("./") == name
    assert send[-1] == "https://session.test/?upload_id=1&a=b"


@pytest.mark.parametrize("name", ["-", "-rf", "--config"])
def test_curl_takes_no_name_for_standard_input_or_an_option(cloud: FakeCloud, name: str) -> None:
    (call,) = run(tickets.issue(tickets.wish(PHOTO | {"name": name}), cloud)["curl"])

    assert call[call.index("-T") + 1] == f"./{name}"


@pytest.mark.parametrize("resumable", [False, True])
def test_curl_does_not_take_brackets_for_a_list_of_files(cloud: FakeCloud, resumable: bool) -> None:
    wish = tickets.wish(PHOTO | {"name": "photo[1-9].jpg", "resumable": resumable})

    assert "--globoff" in run(tickets.issue(wish, cloud)["curl"])[-1]


def test_a_content_type_cannot_leave_its_quotes(cloud: FakeCloud) -> None:
    wish = tickets.wish({"name": "a.txt", "content_type": 'text/plain; charset="utf-8"'})

    (call,) = run(tickets.issue(wish, cloud)["curl"])

    assert 'content-type: text/plain; charset="utf-8"' in call


# ---- receipts


def test_a_receipt_has_all_it_takes_to_follow_the_file(cloud: FakeCloud) -> None:
    file = File("uploads", "abc/Käthe #1?.jpg", 7, 1234, "image/jpeg", "AAAAAA==")

    assert json.loads(json.dumps(tickets.receipt(file, cloud))) == {
        "object": file.name,
        "file_id": file.file_id,
        "job_id": file.job_id,
        "generation": "7",
        "size": 1234,
        "content_type": "image/jpeg",
        "crc32c": "AAAAAA==",
        "status_url": "https://status.test/objects/abc/K%C3%A4the%20%231%3F.jpg",
    }
