"""Each part of a service's cloud is the one that its settings name."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import routes as routing
from shared import settings as configuration
from shared.cloud import Cloud, GoogleCloud
from shared.errors import BadConfiguration, Unavailable
from shared.events import Notice
from shared.model import Run
from shared.plan import Task
from shared.settings import Settings
from tests.conftest import ENVIRONMENT, PIPELINE
from tests.localcloud.target import listening
from tests.ports import free_port
from tests.unit.pipelines import POOLS
from tests.unit.plans import CAT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "certificates").write_text(json.dumps({"key": "certificate"}))
    return configuration.load({**ENVIRONMENT, "SLUICE_TOKEN_CERTIFICATES": (tmp_path / "certificates").as_uri()})


def test_each_bucket_is_the_one_of_its_setting(settings: Settings) -> None:
    cloud = GoogleCloud(replace(settings, uploads_bucket="in", results_bucket="out"))

    assert (cloud.uploads.name, cloud.results.name) == ("in", "out")


def test_two_clouds_of_one_project_read_each_its_own_storage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []
    for name in ("first", "second"):
        with listening() as target:
            target.body = json.dumps({"items": [{"name": name}]}).encode()
            monkeypatch.setenv("STORAGE_EMULATOR_HOST", target.url)
            found += GoogleCloud(settings).results.names("")

    assert found == ["first", "second"]


@pytest.mark.parametrize(
    "call",
    [lambda cloud: cloud.completions.publish(Notice(b"words", {})), lambda cloud: cloud.completions.subscribe().delete()],
    ids=["publish", "subscribe"],
)
def test_two_clouds_of_one_project_call_each_its_own_pubsub(
    real: Cloud, monkeypatch: pytest.MonkeyPatch, call: Callable[[Cloud], Any]
) -> None:
    call(real)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")

    with pytest.raises(Unavailable):
        call(GoogleCloud(real.settings, retry_seconds=1))


def test_certificates_are_the_trusted_issuers(settings: Settings) -> None:
    assert GoogleCloud(settings).certificates.of("key") == "certificate"


def test_routes_are_read_from_the_configured_file(settings: Settings, tmp_path: Path) -> None:
    assert GoogleCloud(settings).routes == routing.load(PIPELINE)
    with pytest.raises(BadConfiguration):
        GoogleCloud(replace(settings, pipeline=tmp_path / "none.toml"))


@pytest.mark.parametrize("missing", ["SLUICE_PROCESSOR_URLS", "SLUICE_TASKS_ACCOUNT"])
def test_queueing_requires_its_settings(missing: str) -> None:
    cloud = GoogleCloud(configuration.load(ENVIRONMENT | {missing: ""}))
    plan = cloud.routes.plan(CAT)

    with pytest.raises(BadConfiguration, match=missing):
        cloud.queue.add(Task(Run(CAT), plan, plan.first[0]))


def test_a_pool_without_a_url_is_refused_at_the_start(settings: Settings, tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.toml"
    pipeline.write_text(POOLS + PIPELINE.read_text())
    GoogleCloud(replace(settings, pipeline=pipeline, processor_urls={}))  # a service that queues nothing

    with pytest.raises(BadConfiguration, match="no URL of the pool slow"):
        GoogleCloud(replace(settings, pipeline=pipeline))
