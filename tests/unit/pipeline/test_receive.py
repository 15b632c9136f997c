"""Receive: the files that the Upload Service stores, refuses and queues."""

from dataclasses import replace

import pytest

from shared import intake, pipeline, routes
from shared.errors import BadRequest, Conflict, TooLarge, Unavailable, UnsupportedType
from shared.intake import Incoming
from shared.routes import Routes
from shared.settings import ROOT
from shared.testing import FakeCloud, crc32c
from tests.unit.pipeline.calls import manifests, message, only_task


def incoming(data: bytes, name: str = "cat.png", content_type: str = "image/png") -> Incoming:
    return Incoming(name, content_type, iter([data[:10], data[10:]] if len(data) > 10 else [data] if data else []))


def test_a_received_file_is_stored_whole_and_queued_as_its_event_would(cloud: FakeCloud, picture: bytes) -> None:
    file = pipeline.receive(incoming(picture), cloud)
    before = dict(cloud.queue.added)
    pipeline.dispatch(message(file), cloud)

    assert cloud.uploads.read(file.name) == picture
    assert file.crc32c == crc32c(picture)
    assert cloud.queue.added == before
    assert len(before) == 1


@pytest.mark.parametrize(
    ("declared", "stored"),
    [("image/png", "image/png"), ("", "image/png"), ("Text/CSV; header=present", "image/png"), ("image/jpeg;", "image/png")],
)
def test_a_declared_type_is_checked_and_the_bytes_decide(cloud: FakeCloud, picture: bytes, declared: str, stored: str) -> None:
    assert pipeline.receive(incoming(picture, content_type=declared), cloud).content_type == stored


@pytest.mark.parametrize("declared", ["png", "undefined", "image/", "image/.png", "im age/png", "image/jpeg, image/jpeg"])
def test_a_malformed_declared_type_says_nothing(cloud: FakeCloud, picture: bytes, declared: str) -> None:
    assert pipeline.receive(incoming(picture, content_type=declared), cloud).content_type == "image/png"


@pytest.mark.parametrize("declared", ["", "application/octet-stream", "undefined"])
def test_the_name_decides_among_kinds_of_text_where_nothing_is_declared(declared: str) -> None:
    every = routes.load(ROOT / "pipeline.toml")

    admitted = intake.admit(incoming(b"a: 1\n", "Notes.YAML", declared), b"a: 1\n", "7/Notes.YAML", every)

    assert admitted == "application/yaml"


def test_the_bytes_decide_the_type(cloud: FakeCloud, picture: bytes) -> None:
    file = pipeline.receive(incoming(picture, content_type="application/pdf"), cloud)

    assert file.content_type == "image/png"


def test_a_type_without_a_route_is_refused_with_the_accepted_ones(cloud: FakeCloud) -> None:
    with pytest.raises(UnsupportedType, match=r"text/plain.*image/\*"):
        pipeline.receive(incoming(b"only words", "words.png"), cloud)

    assert cloud.uploads.versions == {}


def test_an_empty_file_is_refused(cloud: FakeCloud) -> None:
    with pytest.raises(BadRequest, match="empty"):
        pipeline.receive(incoming(b""), cloud)


def test_a_file_over_the_limit_is_sent_to_the_issuer(cloud: FakeCloud, picture: bytes) -> None:
    with pytest.raises(TooLarge, match=r"https://issuer\.test"):
        pipeline.receive(incoming(picture + bytes(1_000_000)), cloud)

    assert cloud.uploads.versions == {}


@pytest.mark.failure("T62")
def test_the_same_key_and_bytes_give_the_same_object(cloud: FakeCloud, picture: bytes) -> None:
    first = pipeline.receive(incoming(picture), cloud, b"seed 1")
    again = pipeline.receive(incoming(picture), cloud, b"seed 1")
    other = pipeline.receive(incoming(picture), cloud, b"seed 2")

    assert first == again
    assert other.name != first.name
    assert len(cloud.uploads.versions) == 2


def test_the_same_key_with_other_bytes_is_a_conflict(cloud: FakeCloud, picture: bytes) -> None:
    pipeline.receive(incoming(picture), cloud, b"seed 1")

    for other in (picture + b" ", picture[:-1] + bytes([picture[-1] ^ 1])):
        with pytest.raises(Conflict):
            pipeline.receive(incoming(other), cloud, b"seed 1")


def test_a_file_that_was_stored_wrong_is_not_accepted(
    cloud: FakeCloud, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = cloud.uploads.create
    monkeypatch.setattr(cloud.uploads, "create", lambda *what: replace(create(*what), crc32c="AAAAAA=="))

    with pytest.raises(Unavailable, match="send the file again"):
        pipeline.receive(incoming(picture), cloud)
    assert cloud.queue.added == {}


def test_a_file_that_cannot_succeed_is_left_to_the_dispatcher(cloud: FakeCloud, picture: bytes) -> None:
    cloud.settings = replace(cloud.settings, max_file_bytes=len(picture) - 1)
    file = pipeline.receive(incoming(picture), cloud)

    assert cloud.queue.added == {}
    assert cloud.results.versions == {}  # the Upload Service may not write there
    pipeline.dispatch(message(file), cloud)
    assert [manifest["reason"] for manifest in manifests(cloud)] == ["too_large"]


def test_a_file_of_just_the_limit_is_processed(cloud: FakeCloud, picture: bytes) -> None:
    cloud.settings = replace(cloud.settings, max_file_bytes=len(picture))

    assert pipeline.receive(incoming(picture), cloud).file_id
    assert only_task(cloud).file.size == len(picture)


def test_a_file_is_accepted_even_while_the_queue_cannot_be_used(cloud: FakeCloud, picture: bytes) -> None:
    cloud.queue.broken = True
    file = pipeline.receive(incoming(picture), cloud)
    cloud.queue.broken = False

    pipeline.dispatch(message(file), cloud)

    assert only_task(cloud).file == file


def test_a_plan_with_several_first_tasks_is_left_to_the_dispatcher(cloud: FakeCloud, routes: Routes, picture: bytes) -> None:
    cloud.routes = routes  # the tests' own pipeline: two steps in two queues
    file = pipeline.receive(incoming(picture), cloud)
    early = (dict(cloud.queue.added), manifests(cloud))
    pipeline.dispatch(message(file), cloud)

    assert early == ({}, [])
    assert len(cloud.queue.added) == 2
    assert [one["kind"] for one in manifests(cloud)] == ["plan"]


def test_metadata_is_stored_and_planned_with(cloud: FakeCloud, picture: bytes) -> None:
    sent = replace(incoming(picture), metadata={"tenant": "zoo"})
    file = pipeline.receive(sent, cloud)
    stored = cloud.uploads.find(file.name)

    assert stored is not None
    assert file.metadata == stored.metadata == only_task(cloud).file.metadata == {"tenant": "zoo"}


def test_the_early_task_is_the_one_of_the_notification(cloud: FakeCloud, picture: bytes) -> None:
    file = pipeline.receive(replace(incoming(picture), metadata={"tenant": "zoo"}), cloud)
    early = only_task(cloud)
    cloud.queue.added.clear()
    pipeline.dispatch(message(file), cloud)

    assert only_task(cloud) == early


def test_the_same_key_with_other_metadata_is_a_conflict(cloud: FakeCloud, picture: bytes) -> None:
    pipeline.receive(incoming(picture), cloud, b"seed 1")

    with pytest.raises(Conflict):
        pipeline.receive(replace(incoming(picture), metadata={"tenant": "zoo"}), cloud, b"seed 1")
