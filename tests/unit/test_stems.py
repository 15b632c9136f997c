"""`{stem}` in names of outputs: the file's own name, in one recipe for all files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared import routes, status
from shared.errors import BadConfiguration
from shared.model import File, Output
from shared.plan import Plan
from shared.processors.registry import registered
from shared.testing import FakeCloud
from tests.unit.pipelines import fault, table
from tests.unit.plans import SCRIPTED, Script
from tests.unit.working import again, work

Uploaded = Callable[..., File]
NAMED = {"options": {"sizes": [64, 32], "name": "{stem}_{size}.{format}"}}
SMALLER = {"options": {"sizes": [16]}, "after": ["named"], "input": "named/{stem}_32.webp"}


def planned(file: File, *, queue: str = "images") -> Plan:
    return routes.check(table({"named": NAMED, "smaller": SMALLER | {"queue": queue}})).plan(file)


def ended(file: File, cloud: FakeCloud) -> Mapping[str, Any]:
    """The steps of a file by name, as the status service shows them."""
    return {step["step"]: step for step in status.of_object(file.name, cloud)["steps"]}


def outputs(step: Mapping[str, Any]) -> list[Output]:
    return [Output.from_json(output) for output in step["outputs"]]


@pytest.mark.parametrize("queue", ["images", "slow"], ids=["one task", "two tasks"])
@pytest.mark.parametrize(
    ("name", "stem"),
    [("a/cat.jpg", "cat"), ("{size}{stem}.jpg", "_size__stem_"), ("ü" * 99 + ".jpg", "ü" * 20), ("a*[b].jpg", "a*[b]")],
)
def test_outputs_and_inputs_have_the_stem_of_the_file(
    cloud: FakeCloud, uploaded: Uploaded, photo: bytes, name: str, stem: str, queue: str
) -> None:
    file = uploaded(name, photo)
    work(planned(file, queue=queue), cloud, file)
    steps = ended(file, cloud)

    assert [step["verdict"] for step in steps.values()] == ["succeeded", "succeeded"]
    assert [output.name for output in outputs(steps["named"])] == [f"{stem}_64.webp", f"{stem}_32.webp"]
    assert [output.name for output in outputs(steps["smaller"])] == ["16.webp"]
    assert status.link(f"{name}/named/{stem}_32.webp", cloud)


def test_files_with_other_stems_share_their_recipes() -> None:
    cat, dog = (planned(File("uploads", name, 7, 1, "image/jpeg", "")) for name in ("cat.jpg", "dog.jpg"))

    assert cat.plan8 == dog.plan8


def test_a_later_run_adopts_what_has_the_stem(cloud: FakeCloud, uploaded: Uploaded, photo: bytes) -> None:
    file = uploaded("cat.jpg", photo)
    work(planned(file), cloud, file)
    first = outputs(ended(file, cloud)["named"])
    again(file, planned(file), cloud)

    assert outputs(ended(file, cloud)["named"]) == first


@dataclass(frozen=True, slots=True)
class Short:
    """The options of the scripted processor; `flavour` has at most ten characters."""

    step: str = "a"
    flavour: str = ""

    def __post_init__(self) -> None:
        if len(self.flavour) > 10:
            raise BadConfiguration(f"options.flavour: {self.flavour!r}; write at most ten characters")


def test_a_name_that_an_option_refuses_fails_the_step(cloud: FakeCloud, uploaded: Uploaded, script: Script) -> None:
    registered[SCRIPTED] = replace(registered[SCRIPTED], options=Short)
    steps = {"a": {"processor": SCRIPTED, "options": {"flavour": "{stem}"}}}
    for name in ("short.jpg", "much-too-long.jpg"):
        file = uploaded(name, b"meow")
        work(routes.check(table(steps)).plan(file), cloud, file)
    short, long = (ended(File("uploads", name, 0, 1, "", ""), cloud)["a"] for name in ("short.jpg", "much-too-long.jpg"))

    assert short["verdict"] == "succeeded"
    assert (long["verdict"], long["reason"]) == ("failed", "bad_option")
    assert long["message"] == "with the name of this file, options.flavour: 'much-too-long'; write at most ten characters"


def test_an_input_without_the_placeholder_is_refused_with_it() -> None:
    message = fault({"named": NAMED, "smaller": SMALLER | {"input": "named/cat_32.webp"}})

    assert message == (
        "steps.smaller.input: named does not make 'cat_32.webp'; write named/{stem}_32.webp, named/{stem}_64.webp"
    )
