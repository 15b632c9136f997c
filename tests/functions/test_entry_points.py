"""Each function as functions-framework loads it, spoken to over HTTP, on the fake cloud."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from local.accounts import Accounts
from shared import pipeline
from shared.model import File, canonical
from tests.fakes import FakeCloud

Load = Callable[[str], Client]
PUSH_PATH = "/projects/local-project/topics/uploads"


def push(file: File) -> dict[str, Any]:
    payload = json.dumps({"size": str(file.size), "contentType": file.content_type, "crc32c": file.crc32c})
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": file.bucket,
        "objectId": file.name,
        "objectGeneration": str(file.generation),
        "payloadFormat": "JSON_API_V1",
    }
    message = {"data": base64.b64encode(payload.encode()).decode(), "attributes": attributes, "messageId": "1"}
    message |= {"message_id": "1", "publishTime": "2026-01-01T00:00:00Z", "publish_time": "2026-01-01T00:00:00Z"}
    return {"message": message, "subscription": "projects/local-project/subscriptions/dispatcher"}


@pytest.fixture
def bearer(accounts: Accounts, cloud: FakeCloud) -> Callable[[str], dict[str, str]]:
    def sign(who: str) -> dict[str, str]:
        audience = cloud.settings.dispatcher_url if who == "push" else cloud.settings.processor_url
        return {"authorization": f"Bearer {accounts.id_token(accounts.email(who), audience)}"}

    return sign


def refused(answer: TestResponse, status: int, code: str) -> str:
    """Every refusal is JSON with a code and a sentence."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.text
    assert answer.json is not None
    assert answer.json["error"] == code
    return str(answer.json["message"])


# ---- upload


def test_a_posted_form_is_accepted_with_everything_one_needs_to_follow_it(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    answer = client("upload").post("/", data={"file": (io.BytesIO(photo), "my photo.jpg")})

    assert answer.status_code == 202
    receipt = answer.json
    assert receipt is not None
    assert receipt["object"].endswith("/my photo.jpg")
    assert receipt["job_id"] == f"{receipt['file_id']}-{receipt['generation']}"
    assert receipt["status_url"] == f"https://status.test/objects/{receipt['object'].replace(' ', '%20')}"
    assert cloud.uploads.read(receipt["object"]) == photo
    assert {task.recipe.step for task in cloud.queue.tasks.values()} == {"digest", "thumbnails"}


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


def test_what_was_accepted_before_a_refusal_is_told(client: Load, photo: bytes) -> None:
    form = {"a": (io.BytesIO(photo), "a.jpg"), "b": (io.BytesIO(b""), "b.jpg")}
    answer = client("upload").post("/", data=form)

    refused(answer, 400, "empty_file")
    assert answer.json is not None
    assert len(answer.json["accepted"]) == 1


def test_an_idempotency_key_gives_the_same_answer_again(client: Load, photo: bytes) -> None:
    upload = client("upload")
    answers = [upload.put("/photo.jpg", data=photo, headers={"idempotency-key": "k"}) for _ in range(2)]

    assert answers[0].json == answers[1].json


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
def test_a_hostile_name_gets_a_clear_answer(client: Load, cloud: FakeCloud, path: str, code: str, photo: bytes) -> None:
    refused(client("upload").put(path, data=photo), 400, code)

    assert cloud.uploads.versions == {}


@pytest.mark.parametrize(
    "name", ["Ünï.jpg", "e\u0301.jpg", "\u00e9.jpg", "🐈.jpg", "a b+c&d.jpg", "-rf", "%2F", "a#b?c.jpg", "\u202egpj.exe"]
)
def test_an_odd_name_is_a_correct_job(client: Load, cloud: FakeCloud, name: str, photo: bytes) -> None:
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
def test_a_broken_form_is_refused_and_nothing_stored(client: Load, cloud: FakeCloud, body: bytes, kind: str, code: str) -> None:
    refused(client("upload").post("/", data=body, content_type=kind), 400, code)

    assert cloud.uploads.versions == {}


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
def test_other_methods_are_told_the_right_ones(client: Load, function: str, path: str, allowed: str, method: str) -> None:
    answer = client(function).open(path, method=method)

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize("name", ["robots.txt", "favicon.ico"])
def test_names_that_browsers_ask_for_are_names_like_any_other(client: Load, cloud: FakeCloud, name: str, photo: bytes) -> None:
    assert client("upload").put(f"/{name}", data=photo).status_code == 202
    refused(client("status").get(f"/{name}"), 404, "not_found")


@pytest.mark.parametrize("kind", ["text", "text/", "text/caf\xe9", "text/\x01x", "a b/c", "text/" + "a" * 200])
def test_a_content_type_that_is_none_is_refused(client: Load, cloud: FakeCloud, kind: str, photo: bytes) -> None:
    part = f"--x\r\nContent-Disposition: form-data; name=f; filename=a.jpg\r\nContent-Type: {kind}\r\n\r\n".encode()
    form = part + photo + b"\r\n--x--\r\n"
    answer = client("upload").post("/", data=form, content_type="multipart/form-data; boundary=x")

    assert "image/jpeg" in refused(answer, 400, "bad_content_type")
    assert cloud.uploads.versions == {}


def test_a_file_field_left_empty_is_no_file(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    empty = b'--x\r\nContent-Disposition: form-data; name=a; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n\r\n'
    full = b'--x\r\nContent-Disposition: form-data; name=b; filename="b.jpg"\r\n\r\n' + photo + b"\r\n"

    def post(body: bytes) -> TestResponse:
        return client("upload").post("/", data=body + b"--x--\r\n", content_type="multipart/form-data; boundary=x")

    refused(post(empty), 400, "no_file")
    refused(post(empty.replace(b"\r\n\r\n\r\n", b"\r\n\r\nx\r\n")), 400, "bad_name")
    assert post(empty + full + empty).status_code == 202
    assert len(cloud.uploads.versions) == 1


# ---- issuer


def test_a_ticket_says_all_that_is_needed_to_use_it(client: Load, cloud: FakeCloud) -> None:
    ticket = client("issuer").post("/", json={"name": "photo.jpg", "content_type": "image/jpeg", "size": 1000}).json

    assert ticket is not None
    assert ticket["method"] == "PUT"
    assert ticket["headers"] == {
        "content-type": "image/jpeg",
        "x-goog-content-length-range": "1000,1000",
        "x-goog-if-generation-match": "0",
    }
    assert ticket["url"] in ticket["curl"]
    assert ticket["status_url"].endswith(ticket["object"])
    assert set(ticket) == {"method", "url", "headers", "object", "file_id", "status_url", "expires_at", "curl"}


def test_a_quick_get_gives_a_ticket_too(client: Load) -> None:
    ticket = client("issuer").get("/?name=photo.jpg&content_type=image/jpeg&resumable=true&size=5").json

    assert ticket is not None
    assert (ticket["method"], ticket["headers"]["x-goog-resumable"]) == ("POST", "start")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"content_type": "image/jpeg"}, "name"),
        ({"name": "a.jpg"}, "content_type"),
        ({"name": "a.jpg", "content_type": "jpeg"}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/jpeg\r\nx: y"}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/" + "j" * 250}, "content_type"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "size": -1}, "size"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "size": "1"}, "size"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "resumable": 1}, "resumable"),
        ({"name": "a.jpg", "content_type": "image/jpeg", "bucket": "mine"}, "bucket"),
        ({"name": 7, "content_type": "image/jpeg"}, "name"),
    ],
)
def test_a_wrong_wish_is_refused_by_the_name_of_its_field(client: Load, asked: dict[str, Any], field: str) -> None:
    assert refused(client("issuer").post("/", json=asked), 400, "bad_request").startswith(f"{field}:")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 5000])
def test_a_wish_that_is_no_json_object_is_refused(client: Load, body: bytes) -> None:
    refused(client("issuer").post("/", data=body), 400, "bad_json")


def test_a_wish_over_the_limits_is_refused(client: Load) -> None:
    issuer = client("issuer")
    too_large = issuer.post("/", json={"name": "a.jpg", "content_type": "image/jpeg", "size": 6_000_000})

    assert refused(too_large, 413, "too_large").startswith("size:")
    refused(issuer.post("/", data=b"x" * 20_000), 413, "too_large")
    refused(issuer.put("/", data=b"{}"), 405, "method_not_allowed")
    refused(issuer.get("/elsewhere"), 404, "not_found")


# ---- dispatcher


def test_a_push_message_becomes_tasks(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], bearer: Any, photo: bytes
) -> None:
    file = uploaded("a/cat.jpg", photo)
    dispatcher = client("dispatcher")
    answers = [dispatcher.post(PUSH_PATH, json=push(file), headers=bearer("push")) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {task.recipe.step for task in cloud.queue.tasks.values()} == {"digest", "thumbnails"}


def test_strangers_are_refused_before_anything_is_parsed(client: Load, cloud: FakeCloud, bearer: Any) -> None:
    dispatcher = client("dispatcher")

    refused(dispatcher.post(PUSH_PATH, data=b"not even json"), 401, "unauthorized")
    refused(dispatcher.post(PUSH_PATH, data=b"{}", headers={"authorization": "Bearer x.y.z"}), 401, "unauthorized")
    refused(dispatcher.post(PUSH_PATH, data=b"{}", headers=bearer("tasks")), 401, "unauthorized")
    assert cloud.dead_letters.notices == []


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b"{}", b'{"message": {}}', b'{"message": {"data": ""}, "subscription": "x"}']
)
def test_what_is_no_push_message_is_put_among_the_dead_letters(
    client: Load, cloud: FakeCloud, bearer: Any, body: bytes
) -> None:
    answer = client("dispatcher").post(PUSH_PATH, data=body, headers=bearer("push"), content_type="application/json")

    assert answer.status_code == 200
    assert [letter.data for letter in cloud.dead_letters.notices] == [body or b"(empty)"]
    assert "Bearer" not in answer.text


def test_a_message_is_refused_while_its_task_cannot_be_queued(
    client: Load, cloud: FakeCloud, uploaded: Any, bearer: Any, photo: bytes
) -> None:
    cloud.queue.broken = True
    answer = client("dispatcher").post(PUSH_PATH, json=push(uploaded("cat.jpg", photo)), headers=bearer("push"))

    refused(answer, 503, "unavailable")
    assert answer.headers["retry-after"]


def test_an_oversized_push_is_refused_before_it_is_read(client: Load, bearer: Any) -> None:
    refused(client("dispatcher").post(PUSH_PATH, data=bytes(2 << 20), headers=bearer("push")), 413, "too_large")


# ---- processor


@pytest.fixture
def task_body(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> bytes:
    pipeline.dispatch(push(uploaded("cat.jpg", photo))["message"], cloud)
    return canonical(next(task for task in cloud.queue.tasks.values() if task.recipe.step == "thumbnails").to_json())


def delivery(number: int) -> dict[str, str]:
    return {"x-cloudtasks-taskretrycount": str(number - 1), "content-type": "application/json"}


def test_a_delivered_task_is_brought_to_its_verdict(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    assert answer.json is not None
    assert (answer.status_code, answer.json["verdict"]) == (200, "succeeded")
    assert len(cloud.results.json("files/")) == 3


def test_only_cloud_tasks_may_call_the_processor(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")

    refused(processor.post("/", data=task_body, headers=delivery(1)), 401, "unauthorized")
    refused(processor.post("/", data=task_body, headers=delivery(1) | bearer("push")), 401, "unauthorized")
    assert cloud.results.versions == {}


def test_an_outage_makes_the_queue_deliver_again(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    cloud.uploads.broken = {"download"}

    refused(client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1)), 503, "unavailable")


def test_the_delivery_after_the_last_attempt_buries(client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes) -> None:
    processor = client("processor")
    cloud.uploads.broken = {"download"}
    for number in range(1, 6):
        refused(processor.post("/", data=task_body, headers=bearer("tasks") | delivery(number)), 503, "unavailable")
    answer = processor.post("/", data=task_body, headers=bearer("tasks") | delivery(6))

    assert answer.json is not None
    assert answer.json["verdict"] == "dead"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"file": {}}', b'{"file": 1, "recipe": 2}'])
def test_a_task_that_cannot_be_read_is_not_repeated_for_ever(client: Load, bearer: Any, body: bytes) -> None:
    answer = client("processor").post("/", data=body, headers=bearer("tasks") | delivery(1))

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["gave_up"] == "bad_json"


def test_an_error_nobody_foresaw_tells_a_stranger_nothing(
    client: Load, cloud: FakeCloud, bearer: Any, task_body: bytes, capsys: Any
) -> None:
    cloud.uploads.download = None  # type: ignore[method-assign, assignment]
    answer = client("processor").post("/", data=task_body, headers=bearer("tasks") | delivery(1))

    refused(answer, 500, "internal")
    assert "NoneType" not in answer.text
    assert "NoneType" in capsys.readouterr().out


# ---- status


def test_the_status_of_a_file_from_accepted_to_its_verdict(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    upload, status = client("upload"), client("status")
    receipt = upload.post("/", data={"file": (io.BytesIO(photo), "a b#c.jpg")}).json
    assert receipt is not None
    where = receipt["status_url"].removeprefix("https://status.test")
    states = [status.get(where).json]
    for task in list(cloud.queue.tasks.values()):
        pipeline.process(task, 1, cloud)
        states.append(status.get(where).json)

    assert [state["state"] for state in states if state] == ["accepted", "processing", "succeeded"]
    assert states[-1] is not None
    outputs = [output for step in states[-1]["steps"] for output in step["outputs"]]
    assert all(output["download_url"].startswith("https://signed.test/results/files/") for output in outputs)
    assert len(outputs) == 4


def test_ids_are_answered_from_the_first_verdict_on(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    status, file = client("status"), uploaded("cat.jpg", photo)
    refused(status.get(f"/jobs/{file.file_id}"), 404, "no_verdict_yet")
    for task in cloud.routes.plan(file):
        pipeline.process(task, 1, cloud)

    for identity in (file.file_id, file.job_id):
        answer = status.get(f"/jobs/{identity}").json
        assert answer is not None
        assert (answer["object"], answer["state"], answer["older"]) == ("cat.jpg", "succeeded", [])


def test_older_generations_are_listed_after_the_newest(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    for data in (photo, photo + b" "):
        for task in cloud.routes.plan(uploaded("cat.jpg", data)):
            pipeline.process(task, 1, cloud)
    newest = uploaded("cat.jpg", photo + b"  ")

    answer = client("status").get("/objects/cat.jpg").json

    assert answer is not None
    assert (answer["state"], answer["job_id"]) == ("accepted", newest.job_id)
    assert [job["state"] for job in answer["older"]] == ["succeeded", "succeeded"]


@pytest.mark.parametrize(
    "path", ["/", "/objects/", "/jobs/", "/elsewhere", "/objects/never-seen", "/jobs/not-an-id", "/jobs/..%2f.."]
)
def test_what_is_not_there_is_not_found(client: Load, path: str) -> None:
    refused(client("status").get(path), 404, "not_found")


@pytest.mark.parametrize("name", ["//a", "a//b", "./a", "a/../b", "ü", "e\u0301", "🐈", "a%2Fb", "a?b", "x" * 1024])
def test_every_name_an_object_can_have_can_be_asked_for(client: Load, uploaded: Any, name: str) -> None:
    from urllib.parse import quote

    file = uploaded(name, b"x")
    answer = client("status").get(f"/objects/{quote(name, safe='')}").json

    assert answer is not None
    assert answer["file_id"] == file.file_id
