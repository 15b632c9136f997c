"""Processors are found by name, and their options checked before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared import processors
from shared.errors import BadConfiguration, BadFile
from shared.processors import Draft, Processor, processor


@dataclass(frozen=True, slots=True)
class Copies:
    count: int = 1


def copies(source: Path, folder: Path, options: Copies) -> Iterator[Draft]:
    for number in range(options.count):
        path = folder / f"{number}.bin"
        path.write_bytes(source.read_bytes())
        yield Draft(path.name, "application/octet-stream", path)


COPIER = Processor("test.copies", 1, Copies, copies)


@pytest.mark.parametrize("name", ["any.digest", "image.renditions"])
def test_a_processor_is_found_by_its_name(name: str) -> None:
    assert processors.find(name).name == name


@pytest.mark.parametrize(
    "name", ["", "digest", "any", "any.", "image.digest", "os.system", "registry.processor", "..any.digest"]
)
def test_an_unknown_processor_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        processors.find(name)

    assert refused.value.message.startswith(f"processor: {name!r} is unknown; there is any.digest, ")


def test_two_processors_cannot_share_a_name() -> None:
    processors.find("any.digest")

    with pytest.raises(BadConfiguration, match=r"two processors are called 'any\.digest'"):
        processor("any.digest", version=2, options=Copies)(copies)


def test_options_are_filled_up_with_their_defaults() -> None:
    assert COPIER.check({}) == {"count": 1}
    assert COPIER.check({"count": 3}) == {"count": 3}


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.number: test\.copies knows count$"):
        COPIER.check({"number": 3})


def test_a_processor_without_options_says_so() -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.algorithm: any\.digest knows no options$"):
        processors.find("any.digest").check({"algorithm": "md5"})


@pytest.mark.parametrize("options", [None, 5, "count", ["count"]])
def test_options_that_are_no_table_are_refused(options: Any) -> None:
    with pytest.raises(BadConfiguration, match="is not a table"):
        COPIER.check(options)


@pytest.mark.parametrize("value", [None, 5, "256", [], {}, [0], [-1], [1.5], ["256"], [True], [None], [16384], [[256]]])
def test_sizes_are_edges_in_pixels(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.sizes: .* each from 1 to 16383$"):
        processors.find("image.renditions").check({"sizes": value})


@pytest.mark.parametrize("value", [None, 5, "webp", [], {}, ["gif"], ["WEBP"], [5], [["webp"]], ["webp", None]])
def test_formats_are_those_we_write(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.formats: .* webp, avif, png, jpeg$"):
        processors.find("image.renditions").check({"formats": value})


@pytest.mark.parametrize("value", [None, 0, 101, -1, 80.0, "80", True, [80]])
def test_quality_is_a_whole_number(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.quality: .* from 1 to 100$"):
        processors.find("image.renditions").check({"quality": value})


def test_work_is_done_with_the_options_of_the_recipe(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")

    drafts = COPIER.run(source, tmp_path, {"count": 2})

    assert [(draft.name, draft.path.read_bytes()) for draft in drafts] == [("0.bin", b"abc"), ("1.bin", b"abc")]


def test_a_processor_that_makes_nothing_of_a_file_says_whose_fault_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"test\.copies made nothing of this file") as refused:
        COPIER.run(tmp_path, tmp_path, {"count": 0})

    assert refused.value.code == "no_output"
