"""The pages of a backfill over HTTP, as Cloud Tasks delivers them to the sweeper."""

from collections.abc import Callable

import pytest
from werkzeug.test import Client

from localcloud.accounts import Accounts
from shared.model import File
from shared.operations import backfill
from shared.testing import FakeCloud
from tests.functions.calls import Load, refused


@pytest.fixture
def sweeper(client: Load) -> Client:
    return client("sweeper")


def headers(accounts: Accounts, cloud: FakeCloud, who: str = "tasks", repeats: str = "0") -> dict[str, str]:
    token = accounts.id_token(accounts.email(who), cloud.settings.sweeper_url)
    return {"authorization": f"Bearer {token}", "x-cloudtasks-taskretrycount": repeats}


def test_a_page_queues_the_files_from_before(
    sweeper: Client, cloud: FakeCloud, accounts: Accounts, uploaded: Callable[..., File], photo: bytes
) -> None:
    uploaded("cat.jpg", photo)
    page = backfill.begin("", cloud).backfill.next
    answer = sweeper.post("/pages", json=page.to_json(), headers=headers(accounts, cloud))

    assert (answer.status_code, answer.json and answer.json["counts"]) == (200, {"files": 1, "queued": 1})
    assert {task.file.name for task in cloud.queue.added.values()} == {"cat.jpg"}


def test_the_number_of_the_delivery_counts(
    sweeper: Client, cloud: FakeCloud, accounts: Accounts, uploaded: Callable[..., File], photo: bytes
) -> None:
    uploaded("cat.jpg", photo)
    cloud.queue.down |= set(cloud.routes.queues)
    page = backfill.begin("", cloud).backfill.next
    refused(sweeper.post("/pages", json=page.to_json(), headers=headers(accounts, cloud, repeats="4")), 503, "unavailable")
    answer = sweeper.post("/pages", json=page.to_json(), headers=headers(accounts, cloud, repeats="5"))

    assert answer.json
    assert answer.json["counts"] == {"files": 1, "unavailable": 1}


def test_only_the_queue_delivers_pages(sweeper: Client, cloud: FakeCloud, accounts: Accounts) -> None:
    body = backfill.begin("", cloud).backfill.next.to_json()
    refused(sweeper.post("/pages", json=body), 401, "unauthorized")
    refused(sweeper.post("/pages", json=body, headers=headers(accounts, cloud, "clock")), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "code"),
    [({"backfill": "x"}, "bad_json"), ({"backfill": "20260101T000000-00000000", "mark": 0, "number": 0}, "not_found")],
)
def test_a_page_of_no_backfill_is_given_up(
    sweeper: Client, cloud: FakeCloud, accounts: Accounts, body: dict[str, object], code: str
) -> None:
    answer = sweeper.post("/pages", json=body, headers=headers(accounts, cloud))

    assert (answer.status_code, answer.json and answer.json["gave_up"]) == (200, code)
