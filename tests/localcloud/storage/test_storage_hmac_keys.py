"""HMAC keys: their states, lists and etags. Their signatures stay refused."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.cloud.storage import Client

from tests.localcloud.storage.clients import python_client
from tests.localcloud.storage.direct import Service, run, shown
from tests.localcloud.storage.world import World

ONE, OTHER = "one@local-project.iam.gserviceaccount.com", "other@local-project.iam.gserviceaccount.com"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def keys() -> str:
    """The path of a new project's keys."""
    return f"/storage/v1/projects/project-{next(_numbers)}/hmacKeys"


def create(service: Service, keys: str, email: str = ONE) -> dict[str, Any]:
    return shown(service.call("POST", f"{keys}?serviceAccountEmail={email}"))


def update(service: Service, keys: str, identity: str, **fields: str) -> tuple[int, dict[str, Any]]:
    answer = service.call("PUT", f"{keys}/{identity}", json.dumps(fields).encode())
    return answer.status, shown(answer)


def listed(service: Service, keys: str, query: str = "") -> list[str]:
    page = shown(service.call("GET", f"{keys}?{query}"))
    return [item["accessId"] for item in page.get("items", [])]


def test_only_the_answer_to_creation_has_the_secret(service: Service, keys: str) -> None:
    made = create(service, keys)
    key = made["metadata"]
    again = shown(service.call("GET", f"{keys}/{key['accessId']}"))

    assert (made["kind"], len(made["secret"]), len(key["accessId"])) == ("storage#hmacKey", 40, 61)
    assert again == key
    assert (key["state"], key["serviceAccountEmail"], key["projectId"]) == ("ACTIVE", ONE, keys.split("/")[4])
    assert create(service, keys)["secret"] != made["secret"]


def test_a_key_is_deleted_only_when_inactive_and_shown_for_a_month(service: Service, keys: str) -> None:
    identity = create(service, keys)["metadata"]["accessId"]
    url = f"{keys}/{identity}"

    active = service.call("DELETE", url)
    changed = update(service, keys, identity, state="INACTIVE")
    deleted = service.call("DELETE", url)

    assert (active.status, shown(active)["error"]["message"]) == (400, "Cannot delete keys in ACTIVE state.")
    assert (changed[0], changed[1]["state"], deleted.status) == (200, "INACTIVE", 204)
    assert (listed(service, keys), listed(service, keys, "showDeletedKeys=true")) == ([], [identity])
    assert shown(service.call("GET", url))["state"] == "DELETED"
    assert update(service, keys, identity, state="ACTIVE")[0] == 400
    assert service.call("DELETE", url).status == 400
    service.restart()
    assert listed(service, keys, "showDeletedKeys=True") == [identity]
    run(service.clock.turn(31 * 24 * 3600))
    assert service.call("GET", url).status == 404


def test_an_update_may_demand_an_etag(service: Service, keys: str) -> None:
    key = create(service, keys)["metadata"]

    stale = update(service, keys, key["accessId"], state="INACTIVE", etag="CAE=x")
    held = update(service, keys, key["accessId"], state="INACTIVE", etag=key["etag"])
    late = update(service, keys, key["accessId"], state="ACTIVE", etag=key["etag"])

    assert (stale[0], stale[1]["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert (held[0], held[1]["etag"] != key["etag"], late[0]) == (200, True, 412)


@pytest.mark.parametrize("fields", [{}, {"state": "DELETED"}, {"state": "active"}])
def test_another_state_is_refused(service: Service, keys: str, fields: dict[str, str]) -> None:
    assert update(service, keys, create(service, keys)["metadata"]["accessId"], **fields)[0] == 400


def test_lists_have_pages_and_a_filter(service: Service, keys: str) -> None:
    made = sorted(create(service, keys, email)["metadata"]["accessId"] for email in (ONE, ONE, OTHER))

    first = shown(service.call("GET", f"{keys}?maxResults=2"))
    last = listed(service, keys, f"maxResults=2&pageToken={first['nextPageToken']}")

    assert [item["accessId"] for item in first["items"]] + last == made
    assert len(listed(service, keys, f"serviceAccountEmail={ONE}")) == 2
    assert shown(service.call("GET", "/storage/v1/projects/another-project/hmacKeys")) == {"kind": "storage#hmacKeysMetadata"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "", 400),
        ("POST", "?serviceAccountEmail=one", 404),
        ("GET", "/GOOG1E", 404),
        ("DELETE", "/GOOG1E", 404),
        ("PATCH", "/GOOG1E", 405),
        ("GET", "/GOOG1E/more", 400),
        ("GET", "?maxResults=x", 400),
        ("GET", "?pageToken=x", 400),
    ],
)
def test_odd_requests_are_refused(service: Service, keys: str, method: str, path: str, status: int) -> None:
    assert service.call(method, f"{keys}{path}").status == status


def test_the_python_library_manages_keys(world: World) -> None:
    client: Client = python_client(world)
    key, secret = client.create_hmac_key(ONE, project_id="hmac-project")
    key.state = "INACTIVE"
    key.update()

    assert len(secret) == 40
    found = list(client.list_hmac_keys(service_account_email=ONE, project_id="hmac-project"))
    assert [(known.access_id, known.state) for known in found] == [(key.access_id, "INACTIVE")]
    key.delete()
    assert list(client.list_hmac_keys(project_id="hmac-project")) == []
    deleted = list(client.list_hmac_keys(show_deleted_keys=True, project_id="hmac-project"))
    assert [known.state for known in deleted] == ["DELETED"]
