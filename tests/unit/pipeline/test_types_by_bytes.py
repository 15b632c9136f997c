"""Routes that ask for the type that the bytes show: what is read, the type of the file, and lost generations."""

import gzip

import pytest

from shared import pipeline, signed_upload, status
from shared import uploaded as typing
from shared.errors import Unavailable, UnsupportedType
from shared.intake import Incoming
from shared.operations import backfill, bulk, cancel, explain
from shared.operations.listing import Query
from shared.operations.sweep import GENERATIONS_PER_SECOND, sweep
from shared.routes import parse
from shared.sweep_part import Part
from shared.testing import FakeCloud
from tests.unit.operations.backfilling import deliver_page, show
from tests.unit.pipeline.calls import Uploaded, manifests, message, only_task, told
from tests.unit.pipelines import ONLY_PICTURES

BY_BYTES = f'{ONLY_PICTURES}by_bytes = true\nname = ["**"]\n'.replace('name = "**"\n', "")
NARROW = f'{BY_BYTES}max_bytes = 1000\nmetadata = {{ tenant = "7" }}\n'.replace('"**"', '"in/**"')


@pytest.fixture
def cloud(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = parse(BY_BYTES)
    return cloud


def verdict(cloud: FakeCloud) -> tuple[str, str]:
    (one,) = manifests(cloud)
    return one["verdict"], one["reason"]


@pytest.mark.parametrize("declared", ["", "image", "undefined", "image/jpeg, image/jpeg", "text/plain", "application/zip"])
def test_a_picture_takes_its_route_whatever_is_declared(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, declared: str
) -> None:
    file = uploaded("cat", picture, declared)

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    assert only_task(cloud).file.content_type == "image/png"


def test_what_is_no_picture_has_no_route_whatever_is_declared(cloud: FakeCloud, uploaded: Uploaded) -> None:
    pipeline.dispatch(message(uploaded("cat.png", b"only words\n", "image/png")), cloud)

    (one,) = manifests(cloud)
    assert (one["verdict"], one["reason"], one["job"]["file"]["content_type"]) == ("skipped", "no_route", "text/plain")


def test_a_type_that_the_bytes_confirm_keeps_its_parameters(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    pipeline.dispatch(message(uploaded("cat", picture, "Image/PNG; order=1")), cloud)

    assert only_task(cloud).file.content_type == "Image/PNG; order=1"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_the_bytes_behind_a_content_encoding_count(cloud: FakeCloud, uploaded: Uploaded, picture: bytes, encoding: str) -> None:
    cloud.uploads.encodings["cat"] = encoding
    pipeline.dispatch(message(uploaded("cat", gzip.compress(picture), "text/plain")), cloud)

    assert only_task(cloud).file.content_type == "image/png"


@pytest.mark.parametrize(("stored", "encoding"), [(b"no gzip", "gzip"), (b"\x1f\x8b\x08", "gzip")])
def test_of_a_broken_encoding_the_processor_gives_the_verdict(
    cloud: FakeCloud, uploaded: Uploaded, stored: bytes, encoding: str
) -> None:
    cloud.uploads.encodings["cat"] = encoding
    pipeline.dispatch(message(uploaded("cat", stored, "image/png")), cloud)

    assert only_task(cloud).file.content_type == "image/png"


@pytest.mark.parametrize(
    ("text", "name", "metadata", "size"),
    [
        (ONLY_PICTURES, "in/cat", {"tenant": "7"}, 10),
        (NARROW, "out/cat", {"tenant": "7"}, 10),
        (NARROW, "in/cat", {"tenant": "8"}, 10),
        (NARROW, "in/cat", {"tenant": "7"}, 1001),
        (NARROW, "in/cat", {"tenant": "7"}, 0),
    ],
    ids=["no route asks", "name", "metadata", "size", "empty"],
)
def test_nothing_is_read_where_the_bytes_change_nothing(
    cloud: FakeCloud, uploaded: Uploaded, text: str, name: str, metadata: dict[str, str], size: int
) -> None:
    cloud.routes, cloud.uploads.broken = parse(text), {"head"}
    pipeline.dispatch(message(uploaded(name, bytes(size), "image/png", metadata)), cloud)

    assert cloud.queue.added or manifests(cloud)


def test_a_file_that_passes_all_other_tests_is_read_and_an_outage_delivers_it_again(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    cloud.routes, cloud.uploads.broken = parse(NARROW), {"head"}
    with pytest.raises(Unavailable):
        pipeline.dispatch(message(uploaded("in/cat", picture, "x/y", {"tenant": "7"})), cloud)

    assert (cloud.queue.added, manifests(cloud)) == ({}, [])


@pytest.mark.parametrize("ending", ["gone", "superseded"])
def test_a_generation_that_is_lost_before_its_bytes_are_read_ends_so(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes, ending: str
) -> None:
    file = uploaded("cat", picture, "x/y")
    del cloud.uploads.versions["cat"]
    if ending == "superseded":
        uploaded("cat", picture)

    pipeline.dispatch(message(file), cloud)
    pipeline.dispatch(message(file), cloud)

    assert verdict(cloud) == (ending, ending)
    assert len({notice.data for notice in cloud.completions.notices}) == told(cloud)["job"] - 1 == 1
    assert list(cloud.results.names(f"index/{ending}/"))


def test_a_task_queued_before_its_file_was_lost_ends_with_the_verdict_that_stands(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    file = uploaded("cat", picture, "x/y")
    pipeline.dispatch(message(file), cloud)
    del cloud.uploads.versions["cat"]
    pipeline.dispatch(message(file), cloud)
    pipeline.process(only_task(cloud), 1, cloud)

    assert verdict(cloud) == ("gone", "gone")
    assert len({notice.data for notice in cloud.completions.notices}) == 1


def test_a_verdict_stands_when_the_message_comes_again_after_the_file_is_deleted(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    file = uploaded("cat", picture, "x/y")
    pipeline.dispatch(message(file), cloud)
    pipeline.process(only_task(cloud), 1, cloud)
    del cloud.uploads.versions["cat"]
    pipeline.dispatch(message(file), cloud)

    assert [step["verdict"] for one in manifests(cloud) for step in one["steps"]] == ["succeeded"]


def test_whatever_plans_a_file_goes_by_the_same_type(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    uploaded("cat", picture, "undefined")
    (chosen,) = bulk.choose(["cat"], Query(), "today", cloud)
    explained = explain.explain("cat", cloud)
    shown = status.of_object("cat", cloud)

    assert chosen.file
    assert chosen.file.content_type == explained["content_type"] == shown["content_type"] == "image/png"
    assert chosen.plan == cloud.routes.plan(chosen.file)
    assert [step["step"] for step in explained["steps"]] == [step["step"] for step in shown["steps"]] == ["thumbnails"]
    assert cancel.cancel("cat", cloud).steps == {"thumbnails": "cancelled"}


def test_a_sweep_goes_by_the_same_type(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    began = uploaded("cat", picture, "undefined").generation // GENERATIONS_PER_SECOND + 5400
    sweep(Part(began), cloud, lambda: True)

    assert only_task(cloud).file.content_type == "image/png"


def test_a_backfill_waits_for_the_queue_of_the_same_type(cloud: FakeCloud, uploaded: Uploaded, picture: bytes) -> None:
    uploaded("cat", picture, "undefined")
    cloud.queue.pause("images")
    backfill.begin("", cloud)
    deliver_page(cloud)
    assert dict(show(cloud).backfill.progress.waits) == {"images": "paused"}
    cloud.queue.resume("images")
    deliver_page(cloud)

    assert only_task(cloud).file.content_type == "image/png"


def test_a_file_that_is_lost_while_it_is_shown_has_its_stored_type(
    cloud: FakeCloud, uploaded: Uploaded, picture: bytes
) -> None:
    uploaded("cat", picture, "image/gif")
    live = cloud.uploads.find("cat")
    del cloud.uploads.versions["cat"]

    assert live
    assert typing.live(live, cloud).content_type == "image/gif"


@pytest.mark.parametrize("name", ["a", "a.own", "a.sql", "a.cpio", "a.kmz", "a.docx", "C:/a/b.yaml"])
@pytest.mark.parametrize("data", [b"\0\1\2\xff", b"a: 1\n", b"PK\3\4", b"caf\xe9\n"], ids=["noise", "text", "zip", "latin-1"])
def test_the_upload_service_and_the_dispatcher_decide_alike(cloud: FakeCloud, name: str, data: bytes) -> None:
    cloud.routes = parse(BY_BYTES.replace("image/*", "*/*").replace("image.renditions", "any.digest").replace("options", "#"))
    declared = ["", "image", "image/jpeg", "application/zip", "application/x-own", "text/csv"]
    files = [pipeline.receive(Incoming(name, one, iter([data])), cloud) for one in declared]

    assert [task.file for task in cloud.queue.added.values()] == files
    assert [typing.typed(file, cloud) for file in files] == files


@pytest.mark.parametrize(
    ("fields", "is_signed"),
    [({"name": "cat"}, True), ({"name": "cat", "metadata": {"tenant": "8"}}, False), ({"name": "cat", "size": 1001}, False)],
)
def test_the_issuer_signs_any_type_where_the_bytes_will_decide(
    cloud: FakeCloud, fields: dict[str, object], is_signed: bool
) -> None:
    cloud.routes = parse(NARROW.replace("in/**", "**"))
    wanted = signed_upload.parse({"content_type": "text/plain", "metadata": {"tenant": "7"}, **fields})

    if is_signed:
        assert signed_upload.sign(wanted, cloud)["headers"]["content-type"] == "text/plain"
    else:
        with pytest.raises(UnsupportedType):
            signed_upload.sign(wanted, cloud)
