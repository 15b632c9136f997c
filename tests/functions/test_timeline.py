"""One trace per file: every function that handles it logs on the same one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud.accounts import Accounts
from shared import backfill_page, sweep_part
from shared.model import File, canonical
from shared.operations import backfill
from shared.operations.sweep import GENERATIONS_PER_SECOND
from shared.testing import FakeCloud
from tests.functions.calls import PUSH_PATH, Load, push
from tests.functions.test_sweeper_pages import headers

TRACE, SPAN = "logging.googleapis.com/trace", "logging.googleapis.com/spanId"
#: The trace that Cloud Run gives a request.
PLATFORM = {"x-cloud-trace-context": "105445aa7843bc8bf206b12000100000/1"}
REQUEST_TRACE = "projects/local-project/traces/105445aa7843bc8bf206b12000100000"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines written since the last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_all_lines_of_a_file_are_on_one_trace(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], bearer: Any, photo: bytes, lines: Lines
) -> None:
    file = uploaded("cat.jpg", photo)
    client("dispatcher").post(PUSH_PATH, json=push(file), headers=bearer("push") | PLATFORM)
    deliver = client("processor").post
    for task in list(cloud.queue.added.values()):
        headers = bearer("tasks") | PLATFORM | {"x-cloudtasks-taskretrycount": "0", "content-type": "application/json"}
        deliver("/", data=canonical(task.to_json()), headers=headers)
    client("status").get("/objects/cat.jpg", headers=PLATFORM)

    found = lines()
    assert {"queued", "ended", "answered with the state of a file"} <= {line["message"] for line in found}
    assert {(line[TRACE], line["file_id"]) for line in found} == {(found[0][TRACE], file.file_id)}
    assert {line["request_trace"] for line in found} == {REQUEST_TRACE}
    assert len({line[SPAN] for line in found}) == 2 + len(cloud.queue.added)


def test_an_upload_is_on_the_trace_of_its_file(client: Load, photo: bytes, lines: Lines) -> None:
    receipt = client("upload").put("/cat.jpg", data=photo, content_type="image/jpeg").json
    client("status").get(f"/objects/{receipt['object']}" if receipt else "")

    found = lines()
    assert {"received", "answered with the state of a file"} <= {line["message"] for line in found}
    assert len({line[TRACE] for line in found}) == 1


@pytest.mark.parametrize("path", [sweep_part.PATH, backfill_page.PATH])
def test_what_the_sweeper_queues_is_on_the_trace_of_its_file(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], accounts: Accounts, photo: bytes, lines: Lines, path: str
) -> None:
    file = uploaded("cat.jpg", photo)
    part = sweep_part.Part(file.generation // GENERATIONS_PER_SECOND + 5400, 1, sweep_part.UPLOADS)
    body = part.to_json() if path == sweep_part.PATH else backfill.begin("", cloud).backfill.next.to_json()
    client("sweeper").post(path, json=body, headers=headers(accounts, cloud) | PLATFORM)

    queued = [line for line in lines() if line["message"] == "queued"]
    found = {(line["object"], line["file_id"], line.get("request_trace")) for line in queued}
    assert found == {("cat.jpg", file.file_id, REQUEST_TRACE)}


def test_before_the_upload_lines_have_the_id_of_the_file(client: Load, lines: Lines) -> None:
    answer = client("issuer").get("/?name=cat.jpg&content_type=image/jpeg").json
    client("issuer").get("/?name=cat.jpg&content_type=image/jpeg&size=5000001")

    signed, refused = lines()
    assert answer is not None
    assert signed["file_id"] == answer["file_id"]
    assert (refused["message"], refused["status"]) == ("answered with an error", 413)
    assert refused["file_id"] != signed["file_id"]
