"""One trace per file: every function that handles it logs on the same one."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.model import File, canonical
from shared.testing import FakeCloud
from tests.functions.calls import PUSH_PATH, Load, push

TRACE, SPAN = "logging.googleapis.com/trace", "logging.googleapis.com/spanId"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines written since the last call."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_all_lines_of_a_file_are_on_one_trace(
    client: Load, cloud: FakeCloud, uploaded: Callable[..., File], bearer: Any, photo: bytes, lines: Lines
) -> None:
    file = uploaded("cat.jpg", photo)
    platform = {"x-cloud-trace-context": "105445aa7843bc8bf206b12000100000/1"}
    client("dispatcher").post(PUSH_PATH, json=push(file), headers=bearer("push") | platform)
    deliver = client("processor").post
    for task in list(cloud.queue.added.values()):
        headers = bearer("tasks") | platform | {"x-cloudtasks-taskretrycount": "0", "content-type": "application/json"}
        deliver("/", data=canonical(task.to_json()), headers=headers)
    client("status").get("/objects/cat.jpg", headers=platform)

    found = lines()
    assert {"queued", "ended", "answered with the state of a file"} <= {line["message"] for line in found}
    assert {(line[TRACE], line["file_id"]) for line in found} == {(found[0][TRACE], file.file_id)}
    assert {line["request_trace"] for line in found} == {"projects/local-project/traces/105445aa7843bc8bf206b12000100000"}
    assert len({line[SPAN] for line in found}) == 2 + len(cloud.queue.added)


def test_an_upload_is_on_the_trace_of_its_file(client: Load, photo: bytes, lines: Lines) -> None:
    receipt = client("upload").put("/cat.jpg", data=photo, content_type="image/jpeg").json
    client("status").get(f"/objects/{receipt['object']}" if receipt else "")

    found = lines()
    assert {"received", "answered with the state of a file"} <= {line["message"] for line in found}
    assert len({line[TRACE] for line in found}) == 1


def test_before_the_upload_lines_have_the_id_of_the_file(client: Load, lines: Lines) -> None:
    answer = client("issuer").get("/?name=cat.jpg&content_type=image/jpeg").json
    client("issuer").get("/?name=cat.jpg&content_type=image/jpeg&size=5000001")

    signed, refused = lines()
    assert answer is not None
    assert signed["file_id"] == answer["file_id"]
    assert (refused["message"], refused["status"]) == ("answered with an error", 413)
    assert refused["file_id"] != signed["file_id"]
