"""The Upload Service over HTTP, on the fake cloud."""

import io
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared.routes import parse
from shared.testing import FakeCloud
from tests.conftest import PIPELINE
from tests.functions.calls import KEY, Load, refused


def test_a_posted_form_is_accepted_with_a_receipt(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    answer = client("upload").post("/", data={"file": (io.BytesIO(photo), "my photo.jpg")})

    assert answer.status_code == 202
    receipt = answer.json
    assert receipt is not None
    assert receipt["object"].endswith("/my photo.jpg")
    assert receipt["job_id"] == f"{receipt['file_id']}-{receipt['generation']}"
    assert receipt["status_url"] == f"https://status.test/objects/{receipt['object'].replace(' ', '%20')}"
    assert cloud.uploads.read(receipt["object"]) == photo


def test_a_file_with_one_first_task_is_queued_before_its_notification(client: Load, cloud: FakeCloud) -> None:
    receipt = client("upload").put("/notes.txt", data=b"a few words").json or {}

    (task,) = cloud.queue.added.values()
    assert (task.file.name, [step.name for step in task.steps]) == (receipt["object"], ["digest"])


def test_several_files_in_one_form_are_several_files(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    form = {"a": (io.BytesIO(photo), "a.jpg"), "note": "not a file", "b": (io.BytesIO(b"words"), "b.txt")}
    answer = client("upload").post("/", data=form)

    assert answer.json is not None
    assert [file["content_type"] for file in answer.json["files"]] == ["image/jpeg", "text/plain"]
    assert len(cloud.uploads.versions) == 2


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_raw_body_is_accepted_under_the_name_in_the_path(client: Load, method: str, photo: bytes) -> None:
    answer = client("upload").open("/photo.jpg", method=method, data=photo)

    assert answer.status_code == 202
    assert answer.json is not None
    assert answer.json["content_type"] == "image/jpeg"


def test_a_refusal_lists_the_files_accepted_before(client: Load, photo: bytes) -> None:
    form = {"a": (io.BytesIO(photo), "a.jpg"), "b": (io.BytesIO(b""), "b.jpg")}
    answer = client("upload").post("/", data=form)

    refused(answer, 400, "empty_file")
    assert answer.json is not None
    assert len(answer.json["accepted"]) == 1


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"idempotency-key": "order-4711"}, 400, "weak_key"),
        ({"idempotency-key": ""}, 400, "bad_key"),
        ({"idempotency-key": KEY, "authorization": "Bearer abc"}, 401, "unauthorized"),
    ],
)
def test_a_refusal_before_the_first_file_lists_that_none_was_accepted(
    client: Load, headers: dict[str, str], status: int, code: str
) -> None:
    answer = client("upload").put("/notes.txt", data=b"words", headers=headers)

    refused(answer, status, code)
    assert (answer.json or {})["accepted"] == []


def test_a_body_over_the_limit_is_refused_as_every_file_is(client: Load, cloud: FakeCloud) -> None:
    answer = client("upload").put("/a.jpg", data=bytes(cloud.settings.max_post_bytes + (64 << 10) + 1))

    refused(answer, 413, "too_large")
    assert (answer.json or {})["accepted"] == []


@pytest.mark.failure("T63")
def test_an_idempotency_key_gives_the_same_answer_again(client: Load, photo: bytes) -> None:
    upload = client("upload")
    answers = [upload.put("/photo.jpg", data=photo, headers={"idempotency-key": KEY}) for _ in range(2)]

    assert answers[0].json == answers[1].json


def test_headers_and_form_fields_become_metadata_of_the_object(client: Load, cloud: FakeCloud) -> None:
    upload, headers = client("upload"), {"x-goog-meta-Order": "4711"}
    form = {"x-goog-meta-place": "here", "file": (io.BytesIO(b"words"), "b.txt")}
    raw, posted = upload.put("/a.txt", data=b"words", headers=headers), upload.post("/", data=form, headers=headers)

    stored = [cloud.uploads.find((answer.json or {})["object"]) for answer in (raw, posted)]
    assert [found and found.metadata for found in stored] == [{"order": "4711"}, {"order": "4711", "place": "here"}]
    assert [task.file.metadata for task in cloud.queue.added.values()] == [found and found.metadata for found in stored]


def test_a_route_that_asks_for_metadata_takes_only_files_with_them(client: Load, cloud: FakeCloud) -> None:
    cloud.routes = parse(PIPELINE.read_text().replace('content_type = "*/*"', 'content_type = "*/*"\non_request = true'))
    upload = client("upload")

    assert upload.put("/a.txt", data=b"words", headers={"x-goog-meta-sluice-steps": "digest"}).status_code == 202
    refused(upload.put("/a.txt", data=b"words"), 415, "unsupported_type")


def test_a_key_is_for_one_file_with_its_metadata(client: Load, photo: bytes) -> None:
    def put(**metadata: str) -> TestResponse:
        headers = {"idempotency-key": KEY, **{f"x-goog-meta-{key}": value for key, value in metadata.items()}}
        return client("upload").put("/photo.jpg", data=photo, headers=headers)

    first = put(order="1")

    assert put(order="1").json == first.json
    refused(put(order="2"), 409, "key_reused")
    refused(put(), 409, "key_reused")


@pytest.mark.parametrize(("key", "code"), [("sluice-hops", "reserved_metadata"), ("SLUICE-PARENT", "reserved_metadata")])
def test_metadata_that_no_file_may_have_store_nothing(
    client: Load, cloud: FakeCloud, key: str, code: str, photo: bytes
) -> None:
    form = {f"x-goog-meta-{key}": "1", "file": (io.BytesIO(photo), "a.jpg")}

    refused(client("upload").put("/a.jpg", data=photo, headers={f"x-goog-meta-{key}": "1"}), 400, code)
    refused(client("upload").post("/", data=form), 400, code)
    assert cloud.uploads.versions == {}


def test_two_files_of_one_name_and_key_are_two_files(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    def post() -> Any:
        form = {"a": (io.BytesIO(photo), "a.jpg"), "b": (io.BytesIO(photo + b" "), "a.jpg")}
        return client("upload").post("/", data=form, headers={"idempotency-key": KEY}).json

    first = post()
    assert post() == first
    assert len(cloud.uploads.versions) == len(first["files"]) == 2


def test_a_file_of_just_the_limit_is_accepted_in_a_form_too(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    limit = cloud.settings.max_post_bytes
    whole = photo + bytes(limit - len(photo))

    def post(data: bytes) -> TestResponse:
        body = b'--x\r\nContent-Disposition: form-data; name=f; filename="a.jpg"\r\n\r\n' + data + b"\r\n--x--\r\n"
        return client("upload").post("/", data=body, content_type="multipart/form-data; boundary=x")

    assert post(whole).status_code == 202
    refused(post(whole + b"x"), 413, "too_large")
    message = refused(client("upload").put("/a.jpg", data=bytes(limit + (64 << 10) + 1)), 413, "too_large")
    assert str(limit + (64 << 10)) in message


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/..", "bad_name"),
        ("/a%00b", "bad_name"),
        ("/" + "n" * 1025, "bad_name"),
        ("/%FF%FE.jpg", "bad_name"),
        ("/x/", "bad_name"),
    ],
)
def test_a_hostile_name_is_refused(client: Load, cloud: FakeCloud, path: str, code: str, photo: bytes) -> None:
    refused(client("upload").put(path, data=photo), 400, code)

    assert cloud.uploads.versions == {}


@pytest.mark.parametrize(
    "name", ["Ünï.jpg", "e\u0301.jpg", "\u00e9.jpg", "🐈.jpg", "a b+c&d.jpg", "-rf", "%2F", "a#b?c.jpg", "\u202egpj.exe"]
)
def test_an_odd_name_is_accepted(client: Load, cloud: FakeCloud, name: str, photo: bytes) -> None:
    answer = client("upload").post("/", data={"file": (io.BytesIO(photo), name)})

    assert answer.status_code == 202, answer.text
    assert answer.json is not None
    assert cloud.uploads.read(answer.json["object"]) == photo


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (
            b"--x\r\nContent-Disposition: form-data; name=f; filename=a.jpg\r\n\r\nnever ends",
            "multipart/form-data; boundary=x",
            "broken_multipart",
        ),
        (b"", "multipart/form-data; boundary=x", "no_file"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", "no_file"),
        (b"bytes", "multipart/form-data", "bad_request"),
        (b"bytes", "application/json", "bad_request"),
    ],
)
def test_a_broken_form_stores_no_file(client: Load, cloud: FakeCloud, body: bytes, kind: str, code: str) -> None:
    refused(client("upload").post("/", data=body, content_type=kind), 400, code)

    assert cloud.uploads.versions == {}


def test_a_form_field_without_a_name_is_ignored(client: Load, photo: bytes) -> None:
    field = b"--x\r\nContent-Disposition: form-data\r\n\r\nvalue\r\n"
    part = b'--x\r\nContent-Disposition: form-data; name=f; filename="a.jpg"\r\n\r\n' + photo + b"\r\n--x--\r\n"
    answer = client("upload").post("/", data=field + part, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 202, answer.text


def test_a_form_is_posted_not_put(client: Load, photo: bytes) -> None:
    answer = client("upload").put("/", data={"file": (io.BytesIO(photo), "a.jpg")})

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


def test_too_large_a_file_is_sent_to_the_issuer(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    message = refused(client("upload").put("/big.jpg", data=photo + bytes(1_000_000)), 413, "too_large")

    assert "https://issuer.test" in message
    assert cloud.uploads.versions == {}


@pytest.mark.parametrize(
    ("function", "path", "allowed"),
    [
        ("upload", "/", "POST"),
        ("upload", "/a.jpg", "POST, PUT"),
        ("issuer", "/", "GET, POST"),
        ("status", "/jobs/x", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["DELETE", "PATCH"])
def test_another_method_is_refused_with_the_right_ones(
    client: Load, function: str, path: str, allowed: str, method: str
) -> None:
    answer = client(function).open(path, method=method)

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("name", ["robots.txt", "favicon.ico"])
def test_robots_txt_and_favicon_are_ordinary_names(client: Load, cloud: FakeCloud, name: str, photo: bytes) -> None:
    assert client("upload").put(f"/{name}", data=photo).status_code == 202
    refused(client("status").get(f"/{name}"), 404, "not_found")


@pytest.mark.parametrize("kind", ["text", "text/", "text/caf\xe9", "text/\x01x", "a b/c", "text/" + "a" * 200])
def test_the_bytes_decide_where_the_content_type_is_malformed(client: Load, cloud: FakeCloud, kind: str, photo: bytes) -> None:
    part = f"--x\r\nContent-Disposition: form-data; name=f; filename=a.jpg\r\nContent-Type: {kind}\r\n\r\n".encode()
    form = part + photo + b"\r\n--x--\r\n"
    answer = client("upload").post("/", data=form, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 202
    assert answer.get_json()["content_type"] == "image/jpeg"


def test_an_empty_file_field_is_skipped(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    empty = b'--x\r\nContent-Disposition: form-data; name=a; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    full = b'--x\r\nContent-Disposition: form-data; name=b; filename="b.jpg"\r\n\r\n' + photo + b"\r\n"

    def post(body: bytes) -> TestResponse:
        return client("upload").post("/", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x")

    refused(post(empty), 400, "no_file")
    refused(post(empty.replace(b"\r\n\r\n\r\n", b"\r\n\r\nx\r\n")), 400, "bad_name")
    assert post(empty + full + empty).status_code == 202
    assert len(cloud.uploads.versions) == 1


def test_a_chunked_body_over_the_limit_is_refused(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name=f; filename="a.jpg"\r\n\r\n' + photo + bytes(600_000) + b"\r\n"
    answer = client("upload").post(
        "/",
        input_stream=io.BytesIO(part * 2 + b"--x--\r\n"),
        content_type="multipart/form-data; boundary=x",
        headers={"transfer-encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert "1065536 bytes, the limit" in refused(answer, 413, "too_large")
    assert len(cloud.uploads.versions) == 1
