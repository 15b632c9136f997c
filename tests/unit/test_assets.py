"""Assets of steps: fetched beside the file, refused by name, and never changed under one recipe."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared import assets, delivery, routes, status_queries
from shared.cloud.protocols import NoSuchObject
from shared.errors import NotFound, Unavailable
from shared.ledger import Manifests
from shared.model import File, Result, Run
from shared.plan import Plan, Task
from shared.testing import FakeBucket, FakeCloud
from tests.unit.image.pictures import BLUE, GREEN, RED, colour, near, plain, saved
from tests.unit.pipelines import table

Uploaded = Callable[..., File]
LOGO = "assets/logo.png"
PICTURE = saved(plain("RGB", RED, (40, 40)), "PNG")
BLUE_LOGO, GREEN_LOGO = (saved(plain("RGB", paint, (8, 8)), "PNG") for paint in (BLUE, GREEN))


@pytest.fixture
def file(uploaded: Uploaded) -> File:
    return uploaded("cat.png", PICTURE, "image/png")


def planned(file: File, *sizes: int) -> Plan:
    watermark = {"object": LOGO, "opacity": 1, "scale": 1, "margin": 0}
    steps = {f"s{size}": {"options": {"sizes": [size], "formats": ["png"], "watermark": watermark}} for size in sizes or (40,)}
    return routes.check(table(steps)).plan(file)


def deliver(file: File, cloud: FakeCloud, plan: Plan | None = None, number: int = 1) -> Result:
    """The result of the last step."""
    plan = plan or planned(file)
    return delivery.run(Task(Run(file), plan, plan.places[0]), number, cloud, Manifests(cloud.results, Run(file), plan))[-1]


def seen(result: Result, cloud: FakeCloud) -> tuple[int, ...]:
    """The colour in the middle of the only output."""
    (output,) = result.outputs
    with Image.open(io.BytesIO(cloud.results.read(output.object) or b"")) as picture:
        return colour(picture)


def test_a_step_reads_the_asset_that_it_names(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)

    assert near(seen(deliver(file, cloud), cloud), BLUE)


def test_a_missing_asset_fails_the_step_with_its_name(cloud: FakeCloud, file: File) -> None:
    result = deliver(file, cloud)

    assert (result.verdict, result.reason, result.attempt) == ("failed", "no_asset", 0)
    assert result.message == (
        "the object assets/logo.png is missing in the bucket results; upload it there, then run the file again"
    )


def test_a_run_after_the_upload_of_the_asset_succeeds(cloud: FakeCloud, file: File) -> None:
    assert deliver(file, cloud).verdict == "failed"
    cloud.results.put(LOGO, BLUE_LOGO)

    assert deliver(file, cloud).verdict == "succeeded"


def test_an_asset_that_is_too_large_fails_the_step(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, bytes(assets.MAX_BYTES + 1))
    result = deliver(file, cloud)

    assert (result.verdict, result.reason) == ("failed", "bad_asset")
    assert "assets/logo.png has 8,388,609 bytes; the limit is 8,388,608" in result.message


def test_an_asset_that_is_no_picture_fails_the_step(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, b"no picture")

    assert deliver(file, cloud).reason == "bad_asset"


def test_an_encoded_asset_fails_the_step(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    cloud.results.encodings[LOGO] = "gzip"

    assert deliver(file, cloud).message.startswith("the Content-Encoding of assets/logo.png is gzip; upload it without one")


def test_an_asset_that_changed_under_its_recipe_fails_the_step(cloud: FakeCloud, file: File, uploaded: Uploaded) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    deliver(file, cloud)
    cloud.results.put(LOGO, GREEN_LOGO)
    changed = deliver(uploaded("dog.png", PICTURE, "image/png"), cloud)
    cloud.results.put(LOGO, BLUE_LOGO)
    restored = deliver(uploaded("cow.png", PICTURE, "image/png"), cloud)

    assert (changed.verdict, changed.reason) == ("failed", "asset_changed")
    assert changed.message.startswith(f"the object assets/logo.png changed after {changed.recipe_id} was first used; ")
    assert restored.verdict == "succeeded"


def test_another_recipe_may_use_the_new_bytes(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    deliver(file, cloud)
    cloud.results.put(LOGO, GREEN_LOGO)

    assert near(seen(deliver(file, cloud, planned(file, 20)), cloud), GREEN)


def test_two_steps_of_a_task_have_the_asset_each(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)

    assert near(seen(deliver(file, cloud, planned(file, 20, 30)), cloud), BLUE)


def test_the_first_of_two_deliveries_at_once_decides(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    recipe_id = deliver(file, cloud).recipe_id
    note = f"recipes/{recipe_id}/{LOGO}"
    cloud.results.hidden_once.add(note)
    assert deliver(file, cloud).verdict == "succeeded"
    cloud.results.put(LOGO, GREEN_LOGO)
    cloud.results.hidden_once.add(note)

    assert deliver(file, cloud).reason == "asset_changed"


def test_an_asset_counts_as_memory_of_the_delivery(cloud: FakeCloud, file: File, tmp_path: Path) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    (step,) = planned(file).steps

    with cloud.sandbox.reserved(100) as memory:
        assets.fetch(step.recipe, tmp_path, cloud, memory)
        assert memory.held_bytes == 100 + len(BLUE_LOGO)


class Replaced(FakeBucket):
    """Assets are replaced between a look at them and their download."""

    def download(self, name: str, generation: int, size: int, path: Path) -> str:
        if name == LOGO:
            raise NoSuchObject("replaced")
        return super().download(name, generation, size, path)


def test_an_asset_that_is_replaced_meanwhile_is_read_again(cloud: FakeCloud, file: File) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    cloud.results = Replaced(cloud.results.name, cloud.results.versions)

    with pytest.raises(Unavailable, match=r"assets/logo\.png was replaced while it was read"):
        deliver(file, cloud)


@pytest.mark.parametrize("call", ["find assets", "read recipes", "create recipes", "download assets"])
def test_an_outage_before_the_asset_is_on_disk_costs_no_attempt(cloud: FakeCloud, file: File, call: str) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    cloud.results.broken = {call}
    for number in range(1, 9):
        with pytest.raises(Unavailable):
            deliver(file, cloud, number=number)
    cloud.results.broken = set()

    assert deliver(file, cloud, number=9).verdict == "succeeded"


@pytest.mark.parametrize("asked", [LOGO, "assets/", "assets/logo.png/s40/40.png"])
def test_the_status_service_lists_no_assets(cloud: FakeCloud, file: File, asked: str) -> None:
    cloud.results.put(LOGO, BLUE_LOGO)
    deliver(file, cloud)

    with pytest.raises(NotFound):
        status_queries.answer("objects", asked, {}, cloud)


def test_a_file_may_name_an_asset_where_its_step_allows_that(cloud: FakeCloud, uploaded: Uploaded) -> None:
    cloud.results.put("assets/other.png", GREEN_LOGO)
    own = {"sluice-a-watermark": '{"object": "assets/other.png", "opacity": 1, "scale": 1, "margin": 0}'}
    steps: dict[str, Any] = {"a": {"options": {"sizes": [40], "formats": ["png"]}, "per_file": ["watermark"]}}
    file = uploaded("cat.png", PICTURE, "image/png", own)

    assert near(seen(deliver(file, cloud, routes.check(table(steps)).plan(file)), cloud), GREEN)
