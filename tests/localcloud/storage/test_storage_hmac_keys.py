"""HMAC keys: their states, lists and etags. Their signatures stay refused."""

import itertools
import json
from typing import Any

import pytest
from google.cloud.storage import Client

from tests.localcloud.storage.clients import python_client
from tests.localcloud.storage.direct import Service, run, shown
from tests.localcloud.storage.world import World

ONE, OTHER = "one@local-project.iam.gserviceaccount.com", "other@local-project.iam.gserviceaccount.com"
_numbers = itertools.count(1)


@pytest.fixture
def keys() -> str:
    """The path of a new project's keys."""
    return f"/storage/v1/projects/project-{next(_numbers)}/hmacKeys"


def create(direct: Service, keys: str, email: str = ONE) -> dict[str, Any]:
    return shown(direct.call("POST", f"{keys}?serviceAccountEmail={email}"))


def update(direct: Service, keys: str, identity: str, **fields: str) -> tuple[int, dict[str, Any]]:
    answer = direct.call("PUT", f"{keys}/{identity}", json.dumps(fields).encode())
    return answer.status, shown(answer)


def listed(direct: Service, keys: str, query: str = "") -> list[str]:
    page = shown(direct.call("GET", f"{keys}?{query}"))
    return [item["accessId"] for item in page.get("items", [])]


def test_only_the_answer_to_creation_has_the_secret(direct: Service, keys: str) -> None:
    made = create(direct, keys)
    key = made["metadata"]
    again = shown(direct.call("GET", f"{keys}/{key['accessId']}"))

    assert (made["kind"], len(made["secret"]), len(key["accessId"])) == ("storage#hmacKey", 40, 61)
    assert again == key
    assert (key["state"], key["serviceAccountEmail"], key["projectId"]) == ("ACTIVE", ONE, keys.split("/")[4])
    assert create(direct, keys)["secret"] != made["secret"]


def test_a_key_is_deleted_only_when_inactive_and_shown_for_a_month(direct: Service, keys: str) -> None:
    identity = create(direct, keys)["metadata"]["accessId"]
    url = f"{keys}/{identity}"

    active = direct.call("DELETE", url)
    changed = update(direct, keys, identity, state="INACTIVE")
    deleted = direct.call("DELETE", url)

    assert (active.status, shown(active)["error"]["message"]) == (400, "Cannot delete keys in ACTIVE state.")
    assert (changed[0], changed[1]["state"], deleted.status) == (200, "INACTIVE", 204)
    assert (listed(direct, keys), listed(direct, keys, "showDeletedKeys=true")) == ([], [identity])
    assert shown(direct.call("GET", url))["state"] == "DELETED"
    assert update(direct, keys, identity, state="ACTIVE")[0] == 400
    assert direct.call("DELETE", url).status == 400
    direct.restart()
    assert listed(direct, keys, "showDeletedKeys=True") == [identity]
    run(direct.clock.turn(31 * 24 * 3600))
    assert direct.call("GET", url).status == 404


def test_an_update_may_demand_an_etag(direct: Service, keys: str) -> None:
    key = create(direct, keys)["metadata"]

    stale = update(direct, keys, key["accessId"], state="INACTIVE", etag="CAE=x")
    held = update(direct, keys, key["accessId"], state="INACTIVE", etag=key["etag"])
    late = update(direct, keys, key["accessId"], state="ACTIVE", etag=key["etag"])

    assert (stale[0], stale[1]["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")
    assert (held[0], held[1]["etag"] != key["etag"], late[0]) == (200, True, 412)


@pytest.mark.parametrize("fields", [{}, {"state": "DELETED"}, {"state": "active"}])
def test_another_state_is_refused(direct: Service, keys: str, fields: dict[str, str]) -> None:
    assert update(direct, keys, create(direct, keys)["metadata"]["accessId"], **fields)[0] == 400


def test_lists_have_pages_and_a_filter(direct: Service, keys: str) -> None:
    made = sorted(create(direct, keys, email)["metadata"]["accessId"] for email in (ONE, ONE, OTHER))

    first = shown(direct.call("GET", f"{keys}?maxResults=2"))
    last = listed(direct, keys, f"maxResults=2&pageToken={first['nextPageToken']}")

    assert [item["accessId"] for item in first["items"]] + last == made
    assert len(listed(direct, keys, f"serviceAccountEmail={ONE}")) == 2
    assert shown(direct.call("GET", "/storage/v1/projects/another-project/hmacKeys")) == {"kind": "storage#hmacKeysMetadata"}


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
def test_odd_requests_are_refused(direct: Service, keys: str, method: str, path: str, status: int) -> None:
    assert direct.call(method, f"{keys}{path}").status == status


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
