"""A function starts only with the settings that it needs."""

from dataclasses import replace
from typing import Any

import pytest

from shared import pace, routes
from shared.errors import BadConfiguration
from shared.testing import FakeCloud
from tests.conftest import PIPELINE
from tests.functions.calls import Load
from tests.unit.pipelines import POOLS

REQUIRED = {
    "upload": ("upload_url", "issuer_url", "status_url", "processor_urls", "tasks_account", "key_secret"),
    "issuer": ("signer", "issuer_url", "status_url", "key_secret"),
    "dispatcher": ("dispatcher_url", "push_account", "processor_urls", "tasks_account"),
    "processor": ("processor_urls", "tasks_account"),
    "status": ("reader",),
    "sweeper": ("sweeper_url", "clock_account", "tasks_account", "processor_urls"),
    "notifier": ("notifier_url", "push_account", "tasks_account"),
    "console": ("signer", "reader", "status_url", "processor_urls", "tasks_account", "console_access"),
}


@pytest.mark.parametrize(("function", "field"), [(name, field) for name, fields in REQUIRED.items() for field in fields])
def test_a_function_without_a_required_setting_does_not_start(
    client: Load, cloud: FakeCloud, function: str, field: str
) -> None:
    missing: Any = {field: ""}
    cloud.settings = replace(cloud.settings, **missing)

    with pytest.raises(BadConfiguration, match="SLUICE_"):
        client(function)


@pytest.mark.parametrize("function", [name for name in REQUIRED if name != "console"])
def test_a_function_with_its_settings_starts(client: Load, function: str) -> None:
    assert client(function).get("/nowhere").mimetype == "application/json"


@pytest.mark.parametrize("function", REQUIRED)
def test_the_settings_of_request_bodies_hold_in_every_function(
    client: Load, cloud: FakeCloud, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.settings = replace(cloud.settings, body_seconds=70, body_bytes_per_second=900)
    paces: list[pace.Pace] = []

    def paced(application: Any, given: pace.Pace) -> Any:
        paces.append(given)
        return application

    monkeypatch.setattr(pace, "Paced", paced)
    client(function)

    assert paces == [pace.Pace(70, 900)]


def test_a_processor_of_an_unknown_pool_does_not_start(client: Load, cloud: FakeCloud) -> None:
    cloud.settings = replace(cloud.settings, pool="big")

    with pytest.raises(BadConfiguration, match="SLUICE_POOL is 'big'"):
        client("processor")


def test_a_processor_without_the_memory_for_its_deliveries_does_not_start(client: Load, cloud: FakeCloud) -> None:
    cloud.routes = routes.parse(POOLS.replace("4Gi", "1Gi") + PIPELINE.read_text())

    with pytest.raises(BadConfiguration, match=r"pools\.default\.memory: 1024Mi is too little"):
        client("processor")
