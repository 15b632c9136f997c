"""The status service over HTTP, and what is common to all functions."""

import io
import json
from typing import Any
from urllib.parse import quote

import pytest

from shared import pipeline
from shared.model import File, Run
from shared.testing import FakeCloud
from tests.conftest import DATA
from tests.functions.calls import Load, refused


def process(file: File, cloud: FakeCloud, tasks: int = 9) -> None:
    """Queue the file's tasks, and deliver the first ones of them."""
    pipeline.enlist(Run(file), cloud.routes.plan(file), cloud)
    for task in [task for task in cloud.queue.added.values() if task.file == file][:tasks]:
        pipeline.process(task, 1, cloud)


def test_the_status_of_a_file_from_accepted_to_its_verdict(client: Load, cloud: FakeCloud, photo: bytes) -> None:
    upload, status = client("upload"), client("status")
    receipt = upload.post("/", data={"file": (io.BytesIO(photo), "a b#c.jpg")}).json
    assert receipt is not None
    where = receipt["status_url"].removeprefix("https://status.test")
    stored = cloud.uploads.find(receipt["object"])
    assert stored is not None
    file = File("uploads", stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c)
    seen = [status.get(where).json]
    for tasks in (1, 2):
        process(file, cloud, tasks)
        seen.append(status.get(where).json)

    assert [answer["state"] for answer in seen if answer] == ["accepted", "processing", "succeeded"]
    states = [[(step["step"], step["state"]) for step in answer["steps"]] for answer in seen if answer]
    assert states == [
        [("digest", "waiting"), ("thumbnails", "waiting")],
        [("digest", "done"), ("thumbnails", "queued")],
        [("digest", "done"), ("thumbnails", "done")],
    ]
    assert seen[-1] is not None
    digest, thumbnails = seen[-1]["steps"]
    assert digest["facts"]["size"] == len(photo)
    assert len(thumbnails["outputs"]) == 3
    addresses = [output["url"].removeprefix("https://status.test") for output in thumbnails["outputs"]]
    assert addresses == [f"{where}/thumbnails/{name}.webp" for name in (1024, 512, 256)]
    links = [status.get(address) for address in addresses]
    assert [(link.status_code, link.data, link.headers["cache-control"]) for link in links] == [(302, b"", "no-store")] * 3
    objects = [quote(output["object"]) for output in thumbnails["outputs"]]
    assert [link.location for link in links] == [f"https://signed.test/results/{name}?for=900" for name in objects]
    shown = [status.get(f"{address}?link") for address in addresses]
    urls = [f"https://signed.test/results/{name}?for=900" for name in objects]
    assert [link.json for link in shown] == [{"url": url} for url in urls]
    assert [(link.status_code, link.headers["cache-control"]) for link in shown] == [(200, "no-store")] * 3


def test_a_link_is_for_an_output_only(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    process(uploaded("cat.jpg", photo), cloud)
    status = client("status")

    for path in ("cat.jpg", "never.jpg", "never.jpg/thumbnails/256.webp", "cat.jpg/thumbnails/7.webp"):
        refused(status.get(f"/objects/{path}?link"), 404, "no_output")


def test_a_slash_more_is_another_name(client: Load, uploaded: Any) -> None:
    uploaded("a//b.jpg", b"x")

    assert client("status").get("/objects/a//b.jpg").status_code == 200
    refused(client("status").get("/objects/a/b.jpg"), 404, "not_found")


def test_a_status_url_leads_to_the_name_it_was_made_for(client: Load, photo: bytes) -> None:
    receipt = client("upload").put("/100%2525.jpg", data=photo).json
    assert receipt is not None
    assert receipt["object"].endswith("/100%25.jpg")

    found = client("status").get(receipt["status_url"].removeprefix("https://status.test")).json
    assert found is not None
    assert found["object"] == receipt["object"]


def test_the_status_can_be_asked_for_without_its_body(client: Load, uploaded: Any) -> None:
    uploaded("cat.jpg", b"x")
    answer = client("status").head("/objects/cat.jpg")

    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
        ("traceparent", "00-105445aa7843bc8bf206b12000100000-00f067aa0ba902b7-01"),
    ],
)
def test_log_lines_stand_with_the_platforms_own(
    client: Load, capsys: pytest.CaptureFixture[str], header: str, value: str
) -> None:
    client("status").get("/objects/never-seen", headers={header: value})
    client("status").get("/objects/never-seen", headers={header: "x'; DROP TABLE"})

    traced, untraced = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert traced["logging.googleapis.com/trace"] == "projects/local-project/traces/105445aa7843bc8bf206b12000100000"
    assert "logging.googleapis.com/trace" not in untraced


def test_ids_are_answered_from_the_first_verdict_on(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    status, file = client("status"), uploaded("cat.jpg", photo)
    refused(status.get(f"/jobs/{file.file_id}"), 404, "no_verdict_yet")
    process(file, cloud)

    for identity in (file.file_id, Run(file).job_id, f"{file.file_id}?explain", f"{file.file_id}?link"):
        answer = status.get(f"/jobs/{identity}").json
        assert answer is not None
        assert (answer["object"], answer["state"], answer["older"]) == ("cat.jpg", "succeeded", "")


def test_older_generations_come_when_they_are_asked_for(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    for data in (photo, photo + b" "):
        process(uploaded("cat.jpg", data), cloud)
    newest, status = uploaded("cat.jpg", photo + b"  "), client("status")

    answer = status.get("/objects/cat.jpg").json
    assert answer is not None
    assert (answer["state"], answer["job_id"]) == ("accepted", Run(newest).job_id)
    for path in ("/objects/cat.jpg", f"/jobs/{newest.file_id}"):
        older = status.get(f"{path}?older={answer['older']}").json
        assert older is not None
        assert [job["state"] for job in older["jobs"]] == ["succeeded", "succeeded"]
    refused(status.get("/objects/cat.jpg?older=x"), 400, "bad_token")
    refused(status.get("/jobs/a/b?older=7"), 404, "not_found")


def test_an_answer_without_a_body_does_not_wait_for_that_of_the_request(client: Load, cloud: FakeCloud, uploaded: Any) -> None:
    process(uploaded("photo.jpg", (DATA / "photo.jpg").read_bytes()), cloud)
    status = client("status")
    tag = status.get("/objects/photo.jpg").headers["etag"]

    def get(path: str, **headers: str) -> int:
        """The status of the answer to a request whose body never comes."""
        return status.get(path, headers=headers, environ_overrides={"CONTENT_LENGTH": "5"}).status_code

    assert get("/objects/photo.jpg", **{"if-none-match": tag}) == 304
    assert get("/objects/photo.jpg/thumbnails/256.webp") == 302


def test_an_unchanged_answer_is_sent_once(client: Load, cloud: FakeCloud, uploaded: Any) -> None:
    file, status = uploaded("notes", b"words"), client("status")
    first = status.get("/objects/notes")
    tag = first.headers["etag"]
    again = [status.get("/objects/notes", headers={"if-none-match": value}) for value in (tag, f'"x", W/{tag}', "*")]
    other = status.get("/objects/notes", headers={"if-none-match": '"x"'})
    process(file, cloud)
    later = status.get("/objects/notes", headers={"if-none-match": tag})

    assert tag.startswith('"')
    assert [(one.status_code, one.data, one.headers["etag"]) for one in again] == [(304, b"", tag)] * 3
    assert (other.status_code, other.data, other.headers["cache-control"]) == (200, first.data, "no-cache")
    assert (later.status_code, later.headers["etag"] != tag) == (200, True)


def test_a_file_is_explained_before_it_exists(client: Load) -> None:
    found = client("status").get("/objects/cats/1.jpg?explain&content_type=image/png").json

    assert found is not None
    assert (found["exists"], found["content_type"], [step["step"] for step in found["steps"]]) == (
        False,
        "image/png",
        ["digest", "thumbnails"],
    )


def test_an_output_that_was_not_made_is_not_found(client: Load, cloud: FakeCloud, uploaded: Any, photo: bytes) -> None:
    process(uploaded("cat.jpg", photo), cloud)

    refused(client("status").get("/objects/cat.jpg/thumbnails/7.webp"), 404, "no_output")


@pytest.mark.parametrize(
    "path", ["/", "/objects/", "/jobs/", "/elsewhere", "/objects/never-seen", "/jobs/not-an-id", "/jobs/..%2f.."]
)
def test_an_unknown_path_or_name_is_not_found(client: Load, path: str) -> None:
    refused(client("status").get(path), 404, "not_found")


@pytest.mark.parametrize("name", ["//a", "a//b", "./a", "a/../b", "ü", "e\u0301", "🐈", "a%2Fb", "a?b", "x" * 1024])
def test_every_name_an_object_can_have_can_be_asked_for(client: Load, uploaded: Any, name: str) -> None:
    file = uploaded(name, b"x")
    answer = client("status").get(f"/objects/{quote(name, safe='')}").json

    assert answer is not None
    assert answer["file_id"] == file.file_id
