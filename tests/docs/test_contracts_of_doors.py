"""docs/contracts/*.openapi.json: Schemathesis finds no answer outside of them, and planted faults are found."""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from werkzeug.test import Client

from shared import pipeline
from shared.attempts import Attempts
from shared.contracts import errors
from shared.model import File, Run
from shared.plan import Plan, Task
from shared.testing import FakeCloud
from tests import fuzzing
from tests.answers import document, faults
from tests.unit.archive.archives import zipped
from tests.unit.archive.test_extraction import extracting
from tests.unit.working import again

SERVICES = ("upload", "issuer", "status")
#: Beside the edges of each parameter, of which there are always the same.
EXAMPLES = 10


@pytest.fixture
def files(cloud: FakeCloud, uploaded: Callable[..., File], photo: bytes) -> list[File]:
    """Files in many states: ended, run again, overwritten, an archive with members, running, ignored."""
    ended, damaged = uploaded("cat.jpg", photo, "image/jpeg", {"order": "4711"}), uploaded("a/b.jpg", b"\xff\xd8\xff damaged")
    for file in (ended, damaged):
        _work(file, cloud.routes.plan(file), cloud)
    again(ended, cloud.routes.plan(ended), cloud)
    newer = uploaded("a/b.jpg", photo)
    _work(newer, cloud.routes.plan(newer), cloud)
    archive = uploaded("pets.zip", zipped({"cat.txt": b"meow"}), "application/zip")
    _work(archive, Plan((extracting(),)), cloud)
    waiting, ignored = uploaded("new.txt", b"new", "text/plain"), uploaded("folder/", b"", "text/plain")
    pipeline.enlist(Run(waiting), cloud.routes.plan(waiting), cloud)
    (task,) = [task for task in cloud.queue.added.values() if task.file == waiting]
    Attempts(task, 1, cloud.results).error(task.steps[0], 1, "MemoryError: out of memory")
    cloud.queue.running.add(f"{task.place.queue}/{task.name}")
    return [ended, newer, archive, waiting, ignored]


def _work(file: File, plan: Plan, cloud: FakeCloud) -> None:
    pipeline.enlist(Run(file), plan, cloud)
    for place in plan.places:
        pipeline.process(Task(Run(file), plan, place), 1, cloud)


class Counted:
    """An application that counts its answers by their status."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.statuses: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        def counted(status: str, *rest: Any) -> Any:
            self.statuses[status[:3]] += 1
            return start(status, *rest)

        return self._application(environ, counted)


def planted(whole: dict[str, Any], files: list[File]) -> dict[str, Any]:
    """The document, with names and ids that exist beside drawn ones."""
    whole = copy.deepcopy(whole)
    known = {
        "name": [file.name for file in files],
        "id": [*(file.file_id for file in files), *(Run(file).job_id for file in files), Run(files[0], 1).job_id],
        "step": ["thumbnails", "digest"],
        "output": ["256.webp"],
    }
    for path, item in whole["paths"].items():
        has_output = "{output}" in path  # drawn steps and outputs would leave few that exist
        for operation in item.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    drawn = [] if has_output else [parameter["schema"]]
                    parameter["schema"] = {"anyOf": [{"enum": known[parameter["name"]]}, *drawn]}
                elif parameter["name"] == "If-None-Match":
                    parameter["schema"] = {"anyOf": [{"const": "*"}, parameter["schema"]]}
    return whole


@pytest.mark.parametrize(
    ("service", "reached"),
    [
        ("upload", {"202", "400", "405", "409"}),
        ("issuer", {"200", "400", "405"}),
        ("status", {"200", "302", "304", "400", "404", "405"}),
    ],
)
def test_schemathesis_finds_no_answer_outside_of_the_contract(
    client: Callable[[str], Client], cloud: FakeCloud, files: list[File], service: str, reached: set[str]
) -> None:
    counted = Counted(client(service).application)
    whole = fuzzing.within(document(service), cloud.settings.max_file_bytes)
    if service == "status":
        whole = planted(whole, files)

    found = list(fuzzing.broken(whole, counted, EXAMPLES))
    assert found == [], "\n\n".join(found)
    assert reached - counted.statuses.keys() == set()


@pytest.mark.parametrize("service", SERVICES)
def test_a_document_is_valid_openapi(service: str) -> None:
    schemathesis.openapi.from_dict(document(service)).validate()


def test_schemathesis_reaches_the_states_of_files(client: Callable[[str], Client], files: list[File]) -> None:
    """So that its requests to the status service are not all answered with 404."""
    answers = [client("status").get(f"/objects/{file.name}").json for file in files]

    assert [answer["state"] for answer in answers if answer] == ["succeeded", "succeeded", "succeeded", "accepted", "skipped"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_code_of_a_service_is_in_its_document(service: str) -> None:
    listed = {row.code for row in errors.rows() if row.is_of(service)}
    found = {
        code
        for answer in document(service)["components"]["responses"].values()
        for code in answer["content"]["application/json"]["schema"]["properties"]["error"]["enum"]
    }

    assert found == listed
    assert {"bad_name", "internal", "unavailable"} <= found


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    """Remove this part of a document."""

    def remove(whole: dict[str, Any]) -> None:
        for part in path[:-1]:
            whole = whole[part]
        del whole[path[-1]]

    return remove


def _says(value: Any, *path: str) -> Callable[[dict[str, Any]], None]:
    """Set this part of a document."""

    def change(whole: dict[str, Any]) -> None:
        for part in path[:-1]:
            whole = whole[part]
        whole[path[-1]] = value

    return change


RECEIPT = ("components", "schemas", "receipt")
REFUSED = ("components", "responses")
JSON = ("content", "application/json", "schema")


@pytest.mark.parametrize(
    ("plant", "method", "path", "fault"),
    [
        (_without(*RECEIPT, "properties", "crc32c"), "PUT", "/a.txt", "crc32c is not listed"),
        (_says(["object", "colour"], *RECEIPT, "required"), "PUT", "/a.txt", "'colour' is a required property"),
        (_says({"type": "string"}, *RECEIPT, "properties", "size"), "PUT", "/a.txt", "is not of type 'string'"),
        (_without("paths", "/{name}", "put", "responses", "202"), "PUT", "/a.txt", "status 202 is not listed"),
        (_without("paths", "/{name}", "put"), "PUT", "/a.txt", "202 to a method that is not listed"),
        (_says(["bad_key"], *REFUSED, "400", *JSON, "properties", "error", "enum"), "PUT", "/..", "is not one of ['bad_key']"),
        (_without(*REFUSED, "400", *JSON, "properties", "accepted"), "PUT", "/..", "accepted is not listed"),
        (_says({"text/html": {}}, *REFUSED, "400", "content"), "PUT", "/..", "content type application/json is not listed"),
        (_says({"Allow": {"schema": {"const": ""}}}, *REFUSED, "400", "headers"), "PUT", "/..", ""),
        (_says({"Age": {"required": True}}, *REFUSED, "400", "headers"), "PUT", "/..", "header Age is missing"),
    ],
)
def test_a_planted_fault_of_a_document_is_found(
    client: Callable[[str], Client], plant: Callable[[dict[str, Any]], None], method: str, path: str, fault: str
) -> None:
    answer = client("upload").open(path, method=method, data=b"a few words")
    whole = copy.deepcopy(document("upload"))
    plant(whole)

    assert fault in "".join(faults(whole, answer))
    assert bool(faults(whole, answer)) == bool(fault)


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        ("200 OK", b'{"size": 1}', ""),
        ("200 OK", b'{"size": "1"}', "Response violates schema"),
        ("200 OK", b"{", "JSON deserialization error"),
        ("204 No Content", b"", "Undocumented"),
        ("500 Internal Server Error", b"{}", "Server error"),
    ],
)
def test_schemathesis_finds_a_planted_fault_of_an_application(status: str, body: bytes, fault: str) -> None:
    schema = {"type": "object", "properties": {"size": {"type": "integer"}}}
    responses = {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}
    paths = {"/": {"get": {"responses": responses}}}

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        is_listed = environ["REQUEST_METHOD"] == "GET"
        start(status if is_listed else "405 Method Not Allowed", [("content-type", "application/json"), ("allow", "GET")])
        return [body]

    found = list(fuzzing.broken({"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": paths}, application, 2))

    assert (fault in "".join(found), bool(found)) == (True, bool(fault))
