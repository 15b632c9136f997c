"""The issuer: refusals name the field, a signed URL is for one upload, and the command line survives any name."""

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared import signed_upload
from shared.errors import BadRequest, PipelineError, TooLarge, UnsupportedType
from shared.model import file_id
from shared.routes import Routes, parse
from shared.testing import FakeCloud
from tests.conftest import PIPELINE

PHOTO = {"name": "photo.jpg", "content_type": "image/jpeg"}

#: A shell in which curl prints its arguments and answers as Cloud Storage does.
SHELL = """
curl() { { printf 'curl'; for argument in "$@"; do printf '|%s' "$argument"; done; printf '\\n'; } >&2
printf 'HTTP/1.1 201 Created\\r\\nLocation: https://session.test/?upload_id=1&a=b\\r\\n\\r\\n'; }
"""


def run(command: str) -> list[list[str]]:
    """The arguments of each call of curl in the command line, in order."""
    done = subprocess.run(["sh", "-c", SHELL + command], capture_output=True, check=True, text=True, timeout=60)
    return [line.split("|")[1:] for line in done.stderr.splitlines()]


@pytest.fixture
def only_pictures() -> Routes:
    text = PIPELINE.read_text()
    return parse(text.replace('content_type = "*/*"', 'content_type = "image/*"'))


# ---- requests


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
        ({"content_type": "image/jpeg; a"}, "content_type"),
        ({"content_type": "image/.jpeg"}, "content_type"),
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
        ({"metadata": None}, "metadata"),
        ({"metadata": "order=1"}, "metadata"),
        ({"metadata": ["order"]}, "metadata"),
        ({"metadata": {"order": 1}}, "x-goog-meta-order"),
        ({"metadata": {"order": None}}, "x-goog-meta-order"),
        ({"metadata": {"Order": "a\r\nx-goog-acl: public-read"}}, "x-goog-meta-order"),
        ({"metadata": {"order": "x" * 9000}}, "x-goog-meta-order"),
        ({"metadata": {"two words": "1"}}, "x-goog-meta-two words"),
        ({"metadata": {"Sluice-Hops": "1"}}, "x-goog-meta-sluice-hops"),
        ({"metadata": {"sluice-parent": "1"}}, "x-goog-meta-sluice-parent"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_field_is_named(changed: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        signed_upload.parse(PHOTO | changed)

    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.details == {"field": field}


def test_a_request_needs_a_name_and_a_type_and_no_more() -> None:
    wanted = signed_upload.parse({"name": "photo.jpg", "content_type": 'text/plain; charset="utf-8"'})

    assert (wanted.size, wanted.resumable, wanted.seed, wanted.metadata) == (None, False, b"", {})


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
        ({"x-goog-meta-a": "1", "X-Goog-Meta-B": "2", "name": "n"}, {"name": "n", "metadata": {"a": "1", "B": "2"}}),
        ({"metadata": "text"}, {"metadata": "text"}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_query_has_the_fields_of_json(query: dict[str, str], fields: dict[str, Any]) -> None:
    assert signed_upload.from_query(query) == fields


# ---- signed URLs


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    size = signed_upload.parse(PHOTO | {"size": 12.0}).size

    assert (size, type(size)) == (12, int)


def test_a_signed_url_is_for_one_object_of_this_size_and_type(cloud: FakeCloud) -> None:
    signed = signed_upload.sign(signed_upload.parse(PHOTO | {"size": 1234}), cloud)

    assert signed["method"] == "PUT"
    assert signed["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1234,1234",
        "x-goog-if-generation-match": "0",
    }
    assert signed["object"].endswith("/photo.jpg")
    assert signed["file_id"] == file_id("uploads", signed["object"])
    assert signed["status_url"] == f"https://status.test/objects/{signed['object']}"


@pytest.mark.parametrize("resumable", [False, True])
def test_metadata_are_signed_as_headers(cloud: FakeCloud, resumable: bool) -> None:
    given = {"Order": "4711", "note": "it's; $(reboot)", "empty": ""}
    signed = signed_upload.sign(signed_upload.parse(PHOTO | {"metadata": given, "resumable": resumable}), cloud)

    sent = {name: value for name, value in signed["headers"].items() if name.startswith("x-goog-meta-")}
    assert sent == {"x-goog-meta-order": "4711", "x-goog-meta-note": "it's; $(reboot)"}
    assert {f"{name}: {value}" for name, value in sent.items()} <= set(run(signed["curl"])[0])


def test_without_a_size_any_processable_size_is_signed(cloud: FakeCloud) -> None:
    signed = signed_upload.sign(signed_upload.parse(PHOTO), cloud)

    assert signed["headers"]["x-goog-content-length-range"] == "1,5000000"


def test_the_answer_says_when_the_url_expires(cloud: FakeCloud) -> None:
    before = datetime.now(UTC).replace(microsecond=0)

    expires = datetime.fromisoformat(signed_upload.sign(signed_upload.parse(PHOTO), cloud)["expires_at"])

    assert before <= expires - timedelta(seconds=900) <= datetime.now(UTC)


def test_the_same_seed_gives_the_same_object(cloud: FakeCloud) -> None:
    first, second, other = (
        signed_upload.sign(signed_upload.parse(PHOTO, seed), cloud)["object"] for seed in (b"k", b"k", b"l")
    )

    assert first == second
    assert other != first


def test_a_type_without_a_route_is_refused_with_the_accepted_ones(cloud: FakeCloud, only_pictures: Routes) -> None:
    cloud.routes = only_pictures

    with pytest.raises(UnsupportedType, match=r"^content_type: no route takes audio/mpeg; accepted: image/\*$"):
        signed_upload.sign(signed_upload.parse({"name": "song.mp3", "content_type": "audio/mpeg"}), cloud)


@pytest.mark.parametrize(
    ("limit", "passing", "failing"),
    [
        ("max_bytes = 1000", {"size": 1000}, {"size": 1001}),
        ('metadata = { order = "rush" }', {"metadata": {"Order": "rush"}}, {"metadata": {"order": "slow"}}),
        ("on_request = true", {"metadata": {"sluice-steps": "digest"}}, {}),
    ],
)
def test_size_and_metadata_decide_whether_a_route_takes_the_file(
    cloud: FakeCloud, limit: str, passing: dict[str, Any], failing: dict[str, Any]
) -> None:
    cloud.routes = parse(PIPELINE.read_text().replace('content_type = "*/*"', f'content_type = "text/*"\n{limit}'))
    words = {"name": "words.txt", "content_type": "text/plain"}

    assert signed_upload.sign(signed_upload.parse(words | passing), cloud)["url"]
    with pytest.raises(UnsupportedType):
        signed_upload.sign(signed_upload.parse(words | failing), cloud)


def test_a_file_over_the_limit_is_not_signed(cloud: FakeCloud) -> None:
    with pytest.raises(TooLarge, match=r"^size: 5000001 bytes; the limit is 5000000$"):
        signed_upload.sign(signed_upload.parse(PHOTO | {"size": 5_000_001}), cloud)


def test_a_file_of_exactly_the_limit_is_signed(cloud: FakeCloud) -> None:
    assert signed_upload.sign(signed_upload.parse(PHOTO | {"size": 5_000_000}), cloud)["url"]


@pytest.mark.parametrize("name", ["..", "photos/", "a\nb.jpg", "a\0.jpg", "\ud800.jpg", "ä" * 200])
def test_an_unusable_name_is_not_signed(cloud: FakeCloud, name: str) -> None:
    with pytest.raises(PipelineError, match="name") as refused:
        signed_upload.sign(signed_upload.parse(PHOTO | {"name": name}), cloud)

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
    signed = signed_upload.sign(signed_upload.parse(PHOTO | {"name": name}), cloud)

    (call,) = run(signed["curl"])

    sent = [f"{header}: {value}" for header, value in signed["headers"].items()]
    assert call[call.index("-T") + 1].removeprefix("./") == name
    assert [call[place + 1] for place, word in enumerate(call) if word == "-H"] == sent
    assert call[call.index("-X") + 1] == "PUT"
    assert call[-1] == signed["url"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_resumable_command_line_opens_a_session_and_sends_that_file_into_it(cloud: FakeCloud, name: str) -> None:
    signed = signed_upload.sign(signed_upload.parse(PHOTO | {"name": name, "resumable": True}), cloud)

    start, send = run(signed["curl"])

    assert signed["method"] == "POST"
    assert "x-goog-resumable: start" in start
    assert start[start.index("-X") + 1] == "POST"
    assert start[-1] == signed["url"]
    assert send[send.index("-T") + 1].removeprefix("./") == name
    assert send[-1] == "https://session.test/?upload_id=1&a=b"


@pytest.mark.parametrize("name", ["-", "-rf", "--config"])
def test_curl_reads_no_name_as_standard_input_or_an_option(cloud: FakeCloud, name: str) -> None:
    (call,) = run(signed_upload.sign(signed_upload.parse(PHOTO | {"name": name}), cloud)["curl"])

    assert call[call.index("-T") + 1] == f"./{name}"


@pytest.mark.parametrize("resumable", [False, True])
def test_curl_expands_no_brackets(cloud: FakeCloud, resumable: bool) -> None:
    wanted = signed_upload.parse(PHOTO | {"name": "photo[1-9].jpg", "resumable": resumable})

    assert "--globoff" in run(signed_upload.sign(wanted, cloud)["curl"])[-1]


def test_a_content_type_cannot_leave_its_quotes(cloud: FakeCloud) -> None:
    wanted = signed_upload.parse({"name": "a.txt", "content_type": 'text/plain; charset="utf-8"'})

    (call,) = run(signed_upload.sign(wanted, cloud)["curl"])

    assert 'content-type: text/plain; charset="utf-8"' in call
