"""The shipped pipeline.toml: one task for a picture, a second stage on request."""

from shared import routes
from shared.model import File
from shared.plan import Plan
from shared.settings import ROOT

LOADED = routes.load(ROOT / "pipeline.toml")


def plan(content_type: str = "image/jpeg", **metadata: str) -> Plan:
    return LOADED.plan(
        File("uploads", "cat.jpg", 7, 1, content_type, "", {key.replace("_", "-"): value for key, value in metadata.items()})
    )


def test_a_picture_is_one_task() -> None:
    planned = plan()

    assert [step.name for step in planned.steps] == ["digest", "facts", "thumbnails"]
    assert [str(place) for place in planned.places] == ["0-images"]


def test_a_second_stage_runs_on_request() -> None:
    planned = plan(sluice_steps="avif", sluice_avif_quality="40")

    assert [str(place) for place in planned.places] == ["0-images", "1-slow"]
    assert planned.by_name["avif"].recipe.options["quality"] == 40
    assert planned.ignored == ()


def test_other_files_wait_in_their_own_queue() -> None:
    planned = plan("text/plain")

    assert [(step.name, step.queue) for step in planned.steps] == [("digest", "files")]
