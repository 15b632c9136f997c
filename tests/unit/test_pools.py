"""The pools of pipeline.toml: their keys, the pool of each queue, and the deadline of the tasks of a file."""

from typing import Any

import pytest

from shared import routes
from shared.errors import BadConfiguration
from shared.routes import Pool
from shared.routes.definitions import DEFAULT_POOL
from tests.unit.pipelines import POOLS, QUEUE, ROUTE, STEP, WHOLE, table

SMALL = {"cpu": 1, "memory": "2Gi", "concurrency": 1, "max_instances": 1, "deadline_seconds": 60}


def refusal(text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        routes.parse(text)
    return refused.value.message


def too_long(steps: dict[str, Any], *of_routes: dict[str, Any], **pool: Any) -> str:
    """The refusal of these steps and routes in a small pool; empty when the pipeline is right."""
    pipeline = table(steps, *of_routes) | {"pools": {"default": SMALL | pool}}
    try:
        routes.check(pipeline)
    except BadConfiguration as error:
        return error.message
    return ""


def test_a_queue_without_a_pool_is_served_by_the_default_one() -> None:
    assert routes.parse(WHOLE).pool("images") == DEFAULT_POOL
    assert routes.parse(POOLS + WHOLE).pool("images") == routes.parse(POOLS + WHOLE).pools["default"]


def test_a_queue_names_its_pool() -> None:
    loaded = routes.parse(POOLS + QUEUE + 'pool = "slow"\n' + STEP + ROUTE)

    slow = Pool("slow", cpu=2, memory_bytes=4 << 30, concurrency=2, max_instances=1, deadline_seconds=900)
    assert loaded.pool("images") == slow


def test_a_queue_of_another_release_is_served_by_the_pool_with_the_longest_deadline() -> None:
    assert routes.parse(POOLS + WHOLE).pool("renamed").name == "slow"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (QUEUE + 'pool = "big"\n', "queues.images.pool: 'big' is not allowed; write one of default"),
        (POOLS + QUEUE + 'pool = "big"\n', "queues.images.pool: 'big' is not allowed; write one of default, slow"),
        (POOLS + QUEUE + "pool = 2\n", "queues.images.pool: 2 is not allowed; write one of default, slow"),
        (
            POOLS.replace("default", "other") + QUEUE,
            "queues.images.pool: missing, and no pool is named default; write one of other, slow",
        ),
        ("pools = 5\n" + QUEUE, "pools: 5 is not allowed; write a table [pools.<name>]"),
        ("pools = 5\n" + QUEUE + 'pool = "big"\n', "pools: 5 is not allowed; write a table [pools.<name>]"),
        ("[pools]\n" + QUEUE, "pools: {} is not allowed; write a table [pools.<name>]"),
    ],
)
def test_a_wrong_pool_of_a_queue_is_named_with_the_right_ones(text: str, message: str) -> None:
    assert refusal(text + STEP + ROUTE) == message


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("cpu = 2\n", "", "pools.default.cpu: missing; write one of 1, 2, 4, 6, 8"),
        ("cpu = 2", "cpu = 3", "pools.default.cpu: 3 is not allowed; write one of 1, 2, 4, 6, 8"),
        ("cpu = 2", "cpu = true", "pools.default.cpu: True is not allowed; write one of 1, 2, 4, 6, 8"),
        ('"4Gi"', "4", "pools.default.memory: 4 is not allowed; write an amount such as `512Mi` or `2Gi`"),
        ('"4Gi"', '"9Gi"', "pools.default.memory: '9Gi' is not allowed; with cpu = 2, Cloud Run takes 512Mi to 8192Mi"),
        ('"4Gi"', '"511Mi"', "pools.default.memory: '511Mi' is not allowed; with cpu = 2, Cloud Run takes 512Mi to 8192Mi"),
        (
            "concurrency = 3",
            "concurrency = 0",
            "pools.default.concurrency: 0 is not allowed; write a whole number from 1 to 1000",
        ),
        ("= 540", "= 1771", "pools.default.deadline_seconds: 1771 is not allowed; write a whole number from 31 to 1770"),
        ("cpu = 2", "cpu = 2\ncores = 2", "pools.default.cores: unknown key; the keys here are cpu, memory, concurrency,"),
        (".slow]", ".Slow]", "pools.Slow: a name takes lower-case letters, digits and hyphens"),
        (".slow]", ".slow-]", "pools.slow-: a name takes lower-case letters, digits and hyphens"),
        (".slow]", f".{'s' * 22}]", f"pools.{'s' * 22}: a name takes lower-case letters, digits and hyphens"),
    ],
)
def test_a_wrong_value_of_a_pool_is_named_with_a_right_one(right: str, wrong: str, message: str) -> None:
    assert right in POOLS

    assert refusal(POOLS.replace(right, wrong, 1) + WHOLE).startswith(message)


# ---- deadlines


def test_steps_of_one_task_that_end_in_time_are_right() -> None:
    assert too_long({"a": {"seconds": 10}, "b": {"seconds": 20}}) == ""


def test_steps_of_one_task_that_take_longer_are_named_with_a_longer_deadline() -> None:
    assert too_long({"a": {"seconds": 10}, "b": {"seconds": 21}}) == (
        "pools.default.deadline_seconds: 60 is too short for a file that takes the steps a (10 s), b (21 s) as one task of the "
        "queue images, and 30 s for the rest; write at least 61, or lower the `seconds` of these steps, or give some of them "
        "another queue"
    )


def test_no_longer_deadline_is_proposed_than_cloud_tasks_allows() -> None:
    message = too_long({"a": {"seconds": 1000}, "b": {"seconds": 1000}})

    assert message.endswith("s for the rest; lower the `seconds` of these steps, or give some of them another queue")


def test_the_limit_of_the_processor_counts_where_a_step_states_none() -> None:
    step = {"processor": "image.renditions", "queue": "images"}
    pipeline = table({}) | {"pools": {"default": SMALL}, "steps": {"a": step}}
    pipeline["routes"][0]["steps"] = ["a"]

    with pytest.raises(BadConfiguration, match=r"a \(120 s\)"):
        routes.check(pipeline)


@pytest.mark.parametrize(
    "others",
    [
        {"queue": "slow"},  # another queue
        {"queue": "images", "after": ["c"]},  # another stage
    ],
)
def test_steps_of_different_tasks_have_a_deadline_each(others: dict[str, Any]) -> None:
    steps = {"a": {"seconds": 20}, "b": {"seconds": 20, **others}, "c": {"queue": "slow", "seconds": 5}}

    assert too_long(steps) == ""


LONG = {"a": {"seconds": 20}, "b": {"seconds": 20}}


@pytest.mark.parametrize(
    "of_routes",
    [
        ({"content_type": "image/*"}, {"content_type": "*/*"}),
        ({"content_type": "image/*"}, {"content_type": "*/png"}),
        ({"content_type": "image/png"}, {"content_type": "image/*"}),
        ({"content_type": ["text/csv", "image/png"]}, {"content_type": ["image/png", "image/gif"]}),
        ({"name": "in/**"}, {"name": "**.jpg"}),
        ({"name": "a*"}, {"name": "*b"}),
        ({"name": "?"}, {"name": "x"}),
        ({"name": "*"}, {"on_request": True}),
        ({"metadata": {"a": "b"}}, {"max_bytes": 5}),
    ],
)
def test_routes_that_match_one_file_count_together(of_routes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    first, second = of_routes

    assert "a (20 s), b (20 s)" in too_long(LONG, first | {"steps": ["a"]}, second | {"steps": ["b"]})


@pytest.mark.parametrize(
    "of_routes",
    [
        ({"content_type": "image/*"}, {"content_type": "text/*"}),
        ({"content_type": ["image/png", "text/csv"]}, {"content_type": ["image/gif", "text/plain"]}),
        ({"content_type": "image/png"}, {"content_type": "*/jpeg"}),
        ({"name": "in/**"}, {"name": "out/**"}),
        ({"name": "in/*"}, {"name": "**/x/**"}),
        ({"name": "a?"}, {"name": "a"}),
        ({"name": "?"}, {"name": "/"}),
        ({"name": "in/**", "content_type": "image/*"}, {"content_type": "text/*"}),
    ],
)
def test_routes_that_share_no_file_do_not_count_together(of_routes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    first, second = of_routes

    assert too_long(LONG, first | {"steps": ["a"]}, second | {"steps": ["b"]}) == ""


def test_three_routes_that_match_one_file_count_together() -> None:
    steps = {name: {"seconds": 12} for name in "abc"}
    of_routes = [{"name": name, "steps": [step]} for name, step in (("in/**", "a"), ("**/x/**", "b"), ("**.jpg", "c"))]

    assert "a (12 s), b (12 s), c (12 s)" in too_long(steps, *of_routes)


def test_the_queue_of_a_route_counts() -> None:
    steps = {"a": {"seconds": 20}, "b": {"seconds": 20, "queue": "slow"}}

    assert too_long(steps, {"steps": ["a", "b"]}) == ""
    assert "a (20 s), b (20 s)" in too_long(steps, {"steps": ["a", "b"], "queue": "slow"})


def test_a_route_that_moves_steps_elsewhere_may_also_not_match() -> None:
    moving = {"steps": ["a"], "queue": "slow", "metadata": {"bulk": "yes"}}

    assert "a (20 s), b (20 s)" in too_long(LONG, {"steps": ["a", "b"]}, moving)
