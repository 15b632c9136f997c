"""`verify` asks for steps until its photograph reaches every pool that one can reach."""

import pytest

from deploy.photograph import reached, steps_for_every_pool
from shared import routes
from shared.routes import Routes
from shared.settings import ROOT
from tests.unit.deploy.example import PIPELINE

ON_REQUEST = """
[steps.{step}]
processor = "image.facts"
queue = "{queue}"

[[routes]]
content_type = "{type}"
name = "**"
steps = ["{step}"]
on_request = true
"""


def with_routes(*rows: tuple[str, str, str]) -> Routes:
    """The example, whose photograph reaches `default` alone, with steps on request: name, queue, content type."""
    text = PIPELINE.replace('steps = ["facts", "digest"]', 'steps = ["facts"]')
    added = (ON_REQUEST.format(step=step, queue=queue, type=content_type) for step, queue, content_type in rows)
    return routes.parse(text + "".join(added))


def test_a_step_is_asked_for_that_runs_in_another_pool() -> None:
    found = with_routes(("sizes", "digests", "image/*"))

    assert steps_for_every_pool(found) == ["sizes"]
    assert reached(found, ["sizes"]) == {"default", "slow"}


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("same", "images", "image/*")],
        [("report", "digests", "application/pdf")],
    ],
    ids=["no step on request", "one in a pool that is reached", "one that a photograph does not take"],
)
def test_nothing_is_asked_for_that_reaches_no_further_pool(rows: list[tuple[str, str, str]]) -> None:
    found = with_routes(*rows)

    assert steps_for_every_pool(found) == []
    assert reached(found, []) == {"default"}


def test_one_step_is_enough_for_a_pool() -> None:
    found = with_routes(("first", "digests", "image/*"), ("second", "digests", "image/*"))

    assert steps_for_every_pool(found) == ["first"]


def test_with_the_shipped_pipeline_a_photograph_reaches_every_pool_for_pictures() -> None:
    found = routes.load(ROOT / "pipeline.toml")

    assert reached(found, steps_for_every_pool(found)) == {"default", "slow"}
