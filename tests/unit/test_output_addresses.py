"""The stable address of an output leads to a link that is signed at that moment."""

from urllib.parse import unquote

import pytest

from shared import ledger, status_queries
from shared.errors import BadFile, NotFound
from shared.model import File, Run
from shared.testing import FakeCloud
from tests.unit.plans import Script, plan, step
from tests.unit.working import Uploaded, again, work


@pytest.fixture
def cat(uploaded: Uploaded) -> File:
    return uploaded("cats/Käthe 1.jpg", b"meow")


def leads_to(cloud: FakeCloud, path: str) -> str:
    """The object that an address leads to."""
    found = status_queries.answer("objects", path, {}, cloud)
    assert isinstance(found, str)
    return unquote(found.removeprefix("https://signed.test/results/").removesuffix("?for=900"))


def test_the_address_of_an_output_leads_to_the_newest_run_that_succeeded(
    cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script
) -> None:
    first, second, third = (plan(step("a", flavour=flavour)) for flavour in ("", "x", "y"))
    path, names = f"{cat.name}/a/1.txt", []
    work(first, cloud, cat)
    names.append(leads_to(cloud, path))
    again(cat, second, cloud)
    names.append(leads_to(cloud, path))
    script.raises["a"] = BadFile("cut short", "corrupt")
    again(cat, third, cloud)
    names.append(leads_to(cloud, path))
    newer = uploaded(cat.name, b"meow meow")
    work(third, cloud, newer)
    names.append(leads_to(cloud, path))
    script.raises.clear()
    again(newer, third, cloud)
    names.append(leads_to(cloud, path))

    made = [ledger.output_name(Run(cat, number), one.steps[0].recipe, "1.txt") for number, one in enumerate((first, second))]
    last = ledger.output_name(Run(newer, 1), third.steps[0].recipe, "1.txt")
    assert names == [made[0], made[1], made[1], made[1], last]


def test_an_object_with_the_whole_name_comes_before_an_output(
    cloud: FakeCloud, cat: File, uploaded: Uploaded, script: Script
) -> None:
    work(plan(step("a")), cloud, cat)
    uploaded(f"{cat.name}/a/1.txt", b"an object")

    found = status_queries.answer("objects", f"{cat.name}/a/1.txt", {}, cloud)

    assert isinstance(found, dict)
    assert found["object"] == f"{cat.name}/a/1.txt"


@pytest.mark.parametrize(
    ("path", "message"),
    [("a/2.txt", "it has 1.txt, 3.txt"), ("b/1.txt", "has not succeeded"), ("c/1.txt", "has not succeeded")],
)
def test_an_output_that_was_not_made_is_not_found(cloud: FakeCloud, cat: File, script: Script, path: str, message: str) -> None:
    script.raises["b"], script.outputs["a"] = BadFile("cut short", "corrupt"), ["1.txt", "3.txt"]
    work(plan(step("a"), step("b")), cloud, cat)

    with pytest.raises(NotFound, match=message) as missing:
        status_queries.answer("objects", f"{cat.name}/{path}", {}, cloud)
    assert missing.value.code == "no_output"


@pytest.mark.parametrize("path", ["x", "x/y", "x/y/z", "x/y/z/", "/y/z", "//", f"{'x' * 1020}/y/z"])
def test_an_address_of_no_file_is_not_found(cloud: FakeCloud, path: str) -> None:
    with pytest.raises(NotFound, match="no object") as missing:
        status_queries.answer("objects", path, {}, cloud)

    assert missing.value.code == "not_found"
