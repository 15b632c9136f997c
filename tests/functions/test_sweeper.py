"""The sweeper over HTTP, as Cloud Scheduler calls it and Cloud Tasks delivers to it."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from localcloud.accounts import Accounts
from shared.errors import BadConfiguration
from shared.model import File
from shared.operations import sweep as sweeping
from shared.routes import parse
from shared.sweep_part import CLAIMS, UPLOADS, Part
from shared.testing import FakeCloud
from tests.functions.calls import Load, refused

#: An hour and a half after the fake bucket's first generation.
BEGAN = 1_700_005_400
Bearer = Callable[[str], dict[str, str]]


@pytest.fixture
def sweeper(client: Load) -> Client:
    return client("sweeper")


@pytest.fixture
def bearer(accounts: Accounts, cloud: FakeCloud) -> Bearer:
    """The token of an account for the sweeper."""
    return lambda who: {"authorization": f"Bearer {accounts.id_token(accounts.email(who), cloud.settings.sweeper_url)}"}


def test_a_part_queues_what_was_lost(
    sweeper: Client, cloud: FakeCloud, bearer: Bearer, uploaded: Callable[..., File], photo: bytes
) -> None:
    uploaded("cat.jpg", photo)
    answer = sweeper.post("/parts", json=Part(BEGAN, 1, UPLOADS).to_json(), headers=bearer("tasks"))

    assert (answer.status_code, answer.json and answer.json["queued"], answer.json and answer.json["is_complete"]) == (
        200,
        1,
        True,
    )
    assert {task.sweep for task in cloud.queue.added.values()} == {19_675}


def test_the_clock_begins_a_sweep_of_now(
    sweeper: Client, cloud: FakeCloud, bearer: Bearer, uploaded: Callable[..., File], photo: bytes
) -> None:
    uploaded("years-ago.jpg", photo)
    answer = sweeper.post("/", headers=bearer("clock"))

    assert (answer.status_code, answer.json and answer.json["uploads"], answer.json and answer.json["queued"]) == (200, 1, 0)
    assert cloud.queue.added == {}


def test_what_is_left_waits_in_the_queue_of_the_sweeper(
    monkeypatch: pytest.MonkeyPatch,
    sweeper: Client,
    cloud: FakeCloud,
    bearer: Bearer,
    uploaded: Callable[..., File],
    photo: bytes,
) -> None:
    uploaded("cat.jpg", photo)
    monkeypatch.setattr(sweeping, "PART_SECONDS", 0)
    monkeypatch.setattr(sweeping, "LEAST_SECONDS", 0)
    for _ in range(2):  # a repeat queues the rest once
        answer = sweeper.post("/parts", json=Part(BEGAN, 3, UPLOADS, "b").to_json(), headers=bearer("tasks"))
        assert (answer.status_code, answer.json and answer.json["is_complete"]) == (200, False)
    uploaded("zoe.jpg", photo)
    sweeper.post("/parts", json=Part(BEGAN, 4, UPLOADS, "d").to_json(), headers=bearer("tasks"))

    assert cloud.queue.parts == {
        f"sweeper/sweep-{BEGAN}-4": Part(BEGAN, 4, UPLOADS, "cat.jpg"),
        f"sweeper/sweep-{BEGAN}-5": Part(BEGAN, 5, UPLOADS, "zoe.jpg"),
    }


@pytest.mark.parametrize("over", ["PART_SECONDS", "LEAST_SECONDS"])
def test_a_part_goes_on_until_both_its_times_are_over(
    over: str,
    monkeypatch: pytest.MonkeyPatch,
    sweeper: Client,
    cloud: FakeCloud,
    bearer: Bearer,
    uploaded: Callable[..., File],
    photo: bytes,
) -> None:
    uploaded("cat.jpg", photo)
    monkeypatch.setattr(sweeping, over, 0)
    answer = sweeper.post("/parts", json=Part(BEGAN, 3, UPLOADS, "b").to_json(), headers=bearer("tasks"))

    assert (answer.json and answer.json["queued"], cloud.queue.parts) == (1, {})


@pytest.mark.parametrize(("path", "other"), [("/", "tasks"), ("/parts", "clock"), ("/", "stranger"), ("/parts", "push")])
def test_only_its_own_callers_are_heard(sweeper: Client, cloud: FakeCloud, bearer: Bearer, path: str, other: str) -> None:
    refused(sweeper.post(path, json={}), 401, "unauthorized")
    refused(sweeper.post(path, json={}, headers=bearer(other)), 403, "forbidden")
    assert cloud.results.lists == 0


def test_other_methods_and_paths_are_refused(sweeper: Client, bearer: Bearer) -> None:
    refused(sweeper.get("/", headers=bearer("clock")), 405, "method_not_allowed")
    refused(sweeper.post("/sweep", headers=bearer("clock")), 404, "not_found")


@pytest.mark.parametrize(
    "changed", [{"began": "soon"}, {"began": -1}, {"walk": "files"}, {"start": None}, {"number": None}, {"number": -1}]
)
def test_a_part_that_cannot_be_read_is_given_up(sweeper: Client, bearer: Bearer, changed: dict[str, Any]) -> None:
    body = Part(BEGAN, 1, CLAIMS).to_json() | changed
    answer = sweeper.post("/parts", json=body, headers=bearer("tasks"))

    assert (answer.status_code, answer.json and answer.json["gave_up"]) == (200, "bad_json")


def test_an_outage_has_the_sweep_repeated(sweeper: Client, cloud: FakeCloud, bearer: Bearer) -> None:
    cloud.results.broken.add("names")

    refused(sweeper.post("/", headers=bearer("clock")), 503, "unavailable")


def test_no_queue_of_steps_has_the_name_of_the_sweepers() -> None:
    with pytest.raises(BadConfiguration, match=r"queues\.sweeper: the parts of sweeps wait"):
        parse("[queues.sweeper]\nmax_dispatches_per_second = 1\nmax_concurrent_dispatches = 1\nattempts = 1\n")
