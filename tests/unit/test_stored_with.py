"""How outputs are stored: `Cache-Control` and the file's custom metadata, when the step asks for them."""

from collections.abc import Callable
from typing import Any

import pytest

from shared import ledger, routes
from shared.model import File, Recipe, Run
from shared.plan import Plan
from shared.testing import FakeCloud
from tests.unit.pipelines import fault, table
from tests.unit.working import again, work

Uploaded = Callable[..., File]
YEAR = "public, max-age=31536000"
SENT = {"order": "4711", "note": "a b=c", "sluice-a-sizes": "32", "sluice-steps": "x"}
#: The metadata of every output of a file that was uploaded.
ALWAYS = {"sluice-hops": "1"}


def planned(file: File, **keys: Any) -> Plan:
    options = {"sizes": [64], "formats": ["png"]}
    return routes.check(table({"a": {"options": options, "per_file": ["sizes"]} | keys})).plan(file)


def stored(cloud: FakeCloud) -> dict[str, tuple[str, dict[str, str]]]:
    """`Cache-Control` and custom metadata of each output, by the last part of its name."""
    found = {name: cloud.results.find(name) for name in cloud.results.names("files/")}
    return {
        name.rpartition("/")[2]: (cloud.results.cache_controls[name], dict(one.metadata)) for name, one in found.items() if one
    }


def test_outputs_have_the_cache_control_of_their_step(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo, metadata=SENT)
    work(planned(file, cache_control=YEAR), cloud, file)

    assert stored(cloud) == {"32.png": (YEAR, ALWAYS)}


def test_outputs_have_the_metadata_of_the_file_but_for_ours(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo, metadata=SENT)
    work(planned(file, copy_metadata=True), cloud, file)

    assert stored(cloud) == {"32.png": ("", {"order": "4711", "note": "a b=c"} | ALWAYS)}


def test_outputs_have_neither_unless_the_step_asks(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo, metadata=SENT)
    work(planned(file), cloud, file)

    assert stored(cloud) == {"32.png": ("", ALWAYS)}


def test_a_repeat_keeps_the_output_that_is_there(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo, metadata=SENT)
    plan = planned(file, cache_control=YEAR, copy_metadata=True)
    name = ledger.output_name(Run(file), plan.by_name["a"].recipe, "32.png")
    cloud.results.create(name, "image/png", b"earlier", {"order": "1"}, "no-store")
    work(plan, cloud, file)

    assert stored(cloud) == {"32.png": ("no-store", {"order": "1"})}


def test_a_later_run_with_another_cache_control_makes_outputs_anew(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo)
    work(planned(file, cache_control="no-store"), cloud, file)
    again(file, planned(file, cache_control=YEAR), cloud)

    assert sorted(cloud.results.cache_controls[name] for name in cloud.results.names("files/")) == ["no-store", YEAR]


def test_both_are_part_of_the_recipe() -> None:
    file = File("uploads", "cat.jpg", 7, 1, "image/jpeg", "")
    recipes = [
        planned(file, **keys).by_name["a"].recipe
        for keys in ({}, {"cache_control": YEAR}, {"copy_metadata": True}, {"cache_control": YEAR, "copy_metadata": True})
    ]

    assert len({recipe.recipe_id for recipe in recipes}) == 4
    assert [Recipe.from_json(recipe.to_json()) for recipe in recipes] == recipes


@pytest.mark.parametrize("value", [YEAR, "no-store", 'private="x", max-age=0', "public,max-age=5 , s-maxage=9", "a" * 256])
def test_directives_are_accepted(value: str) -> None:
    assert routes.check(table({"a": {"cache_control": value}}))


@pytest.mark.parametrize(
    "value",
    ["", "max-age: 5", "public max-age=5", "public,", "a=", "é", "a\nb", "no-store\n", "a" * 257, 5, ["no-store"]],
    ids=str,
)
def test_anything_else_is_refused_with_an_example(value: Any) -> None:
    message = fault({"a": {"cache_control": value}})

    assert message.startswith("steps.a.cache_control: ")
    assert message.endswith("write directives such as `public, max-age=31536000`, of at most 256 characters")
