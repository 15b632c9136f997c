"""Explaining a file: the routes that take it and why, its plan, its price; nothing runs."""

from typing import Any

import pytest

from shared import routes, status_queries
from shared.errors import BadRequest
from shared.model import Json
from shared.operations import prices
from shared.operations.explain import explain
from shared.settings import ROOT
from shared.testing import FakeCloud
from tests.unit.plans import CAT
from tests.unit.working import Uploaded

PIPELINE = """
[queues.images]
max_dispatches_per_second = 5
max_concurrent_dispatches = 5
attempts = 5
min_backoff_seconds = 1
max_backoff_seconds = 9

[steps.digest]
processor = "any.digest"
queue = "images"

[[routes]]
content_type = "image/*"
name = "invoices/**"
metadata = { tenant = "secret" }
max_bytes = 10
on_request = true
steps = ["digest"]
"""


@pytest.fixture
def shipped(cloud: FakeCloud) -> FakeCloud:
    cloud.routes = routes.load(ROOT / "pipeline.toml")
    return cloud


@pytest.mark.parametrize(
    ("changed", "failed", "why"),
    [
        ({"content_type": "text/plain"}, "content_type", "text/plain is not image/*"),
        ({"name": "cats/1.jpg"}, "name", "cats/1.jpg does not match invoices/**"),
        ({"metadata": {"tenant": "x"}}, "metadata", "the metadata has another value, or none, for tenant"),
        ({"metadata": {"other": "x"}}, "metadata", "the metadata has another value, or none, for tenant"),
        ({"size": 11}, "max_bytes", "11 bytes are more than 10"),
        ({"metadata": {"tenant": "secret"}}, "on_request", "the metadata key sluice-steps names none of digest"),
        ({}, "", "every test passes"),
    ],
)
def test_each_route_says_which_test_fails_first(cloud: FakeCloud, changed: Json, failed: str, why: str) -> None:
    cloud.routes = routes.parse(PIPELINE)
    file: dict[str, Any] = {"name": "invoices/1.jpg", "metadata": {"tenant": "secret", "sluice-steps": "digest"}} | changed

    (route,) = explain(cloud=cloud, **file)["routes"]

    assert (route["failed"], route["why"], route["takes"]) == (failed, why, not failed)
    assert "secret" not in str(route)


def test_a_route_with_several_content_types_shows_them_all(cloud: FakeCloud) -> None:
    cloud.routes = routes.parse(PIPELINE.replace('"image/*"', '["image/png", "image/gif"]'))

    (route,) = explain("invoices/1.jpg", cloud)["routes"]

    assert (route["content_type"], route["why"]) == ("image/png, image/gif", "image/jpeg is none of image/png, image/gif")


def test_a_plan_is_drawn_with_its_stages_and_queues(shipped: FakeCloud) -> None:
    found = explain("cats/1.jpg", shipped, metadata={"sluice-steps": "avif"})

    assert found["plan"] == (
        "cats/1.jpg\n"
        "├─ stage 0  images  digest\n"
        "│                   facts\n"
        "│                   thumbnails\n"
        "└─ stage 1  slow    facts ─▶ avif  (when facts.width_px >= 640)\n"
    )
    assert [(step["step"], step["stage"], step["queue"], step["after"]) for step in found["steps"]] == [
        ("digest", 0, "images", []),
        ("facts", 0, "images", []),
        ("thumbnails", 0, "images", []),
        ("avif", 1, "slow", ["facts"]),
    ]


def test_a_plan_has_its_price(shipped: FakeCloud) -> None:
    found = explain("cats/1.jpg", shipped)

    assert found["use"] == prices.of_plan(shipped.routes.plan(CAT)).to_json()
    assert found["use"]["tasks"] == 2  # created and delivered


def test_an_object_counts_with_its_own_values_unless_others_are_given(shipped: FakeCloud, uploaded: Uploaded) -> None:
    shipped.uploads.put("notes", b"words", "text/plain", {"order": "7"})

    own, other = explain("notes", shipped), explain("notes", shipped, "image/jpeg", {"order": "8"}, 70)

    values = [(one["exists"], one["content_type"], one["metadata"], one["size"]) for one in (own, other)]
    assert values == [(True, "text/plain", {"order": "7"}, 5), (True, "image/jpeg", {"order": "8"}, 70)]
    assert [[step["step"] for step in one["steps"]] for one in (own, other)] == [
        ["digest", "lines"],
        ["digest", "facts", "thumbnails"],
    ]


@pytest.mark.parametrize(
    ("name", "content_type"), [("a/cat.jpg", "image/jpeg"), ("notes", "application/octet-stream"), ("a.pdf", "application/pdf")]
)
def test_the_content_type_of_an_object_that_does_not_exist_follows_from_its_name(
    shipped: FakeCloud, name: str, content_type: str
) -> None:
    found = explain(name, shipped)

    assert (found["exists"], found["content_type"], found["size"]) == (False, content_type, None)


@pytest.mark.parametrize(
    ("name", "size", "verdict", "reason"),
    [
        ("cat.jpg", 0, "skipped", "empty"),
        ("folder/", 0, "skipped", "ignored"),
        ("cat.jpg", 6_000_000, "failed", "too_large"),
        ("x" * 1000, 5, "failed", "name_too_long"),
        ("cat.jpg", 5, "", ""),
    ],
)
def test_a_file_with_nothing_to_do_has_its_verdict_and_reason(
    shipped: FakeCloud, name: str, size: int, verdict: str, reason: str
) -> None:
    found = explain(name, shipped, size=size)

    assert (found["verdict"], found["reason"], bool(found["message"])) == (verdict, reason, bool(verdict))


def test_a_file_that_no_route_takes_has_no_plan(cloud: FakeCloud) -> None:
    cloud.routes = routes.parse(PIPELINE)

    found = explain("cats/1.jpg", cloud)

    assert (found["verdict"], found["reason"], found["steps"]) == ("skipped", "no_route", [])
    assert found["plan"] == "cats/1.jpg\n"


def test_nothing_runs(shipped: FakeCloud, uploaded: Uploaded) -> None:
    uploaded("cat.jpg", b"meow")
    explain("cat.jpg", shipped)

    assert (shipped.results.versions, shipped.queue.added, shipped.completions.notices) == ({}, {}, [])


def test_options_that_a_file_sets_in_vain_are_named(shipped: FakeCloud) -> None:
    found = explain("cat.jpg", shipped, metadata={"sluice-steps": "avif", "sluice-avif-quality": "many", "sluice-x-y": "1"})

    assert [step["fault"] != "" for step in found["steps"]] == [False, False, False, True]
    assert len(found["ignored"]) == 1


@pytest.mark.parametrize(("name", "content_type", "code"), [("", "", "bad_name"), ("a.jpg", "image", "bad_content_type")])
def test_a_file_that_cannot_exist_is_refused(shipped: FakeCloud, name: str, content_type: str, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        explain(name, shipped, content_type)

    assert refused.value.code == code


def test_the_status_service_explains_what_its_query_describes(shipped: FakeCloud) -> None:
    query = {"explain": "", "content_type": "image/png", "size": "70", "x-goog-meta-Sluice-Steps": "avif"}

    found = status_queries.answer("objects", "cat", query, shipped)

    assert found == explain("cat", shipped, "image/png", {"sluice-steps": "avif"}, 70)


@pytest.mark.parametrize("size", ["x", "-1", "1.5", "9" * 40])
def test_a_size_that_is_no_number_is_refused(shipped: FakeCloud, size: str) -> None:
    with pytest.raises(BadRequest, match="whole number of bytes"):
        status_queries.answer("objects", "cat", {"explain": "", "size": size}, shipped)
