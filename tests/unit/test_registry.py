"""Processors are found by name; their options are checked before they run, the names of their outputs after."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared import processors
from shared.errors import BadConfiguration, BadFile, UnsupportedType
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


@pytest.mark.parametrize("name", ["any.digest", "image.facts", "image.renditions"])
def test_a_processor_is_found_by_its_name(name: str) -> None:
    assert processors.find(name).name == name


@pytest.mark.parametrize(
    "name", ["", "digest", "any", "any.", "image.digest", "os.system", "registry.processor", "..any.digest"]
)
def test_an_unknown_processor_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        processors.find(name)

    assert refused.value.message.startswith(f"processor: {name!r} is unknown; write one of any.digest, ")


def test_two_processors_cannot_share_a_name() -> None:
    processors.find("any.digest")

    with pytest.raises(BadConfiguration, match=r"two processors are named 'any\.digest'"):
        processor("any.digest", version=2, options=Copies)(copies)


def test_options_are_filled_up_with_their_defaults() -> None:
    assert COPIER.check({}) == {"count": 1}
    assert COPIER.check({"count": 3}) == {"count": 3}


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.number: unknown; test\.copies has the options count$"):
        COPIER.check({"number": 3})


def test_a_processor_without_options_refuses_any() -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.algorithm: unknown; any\.digest has no options$"):
        processors.find("any.digest").check({"algorithm": "md5"})


@pytest.mark.parametrize("options", [None, 5, "count", ["count"]])
def test_options_are_a_table(options: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options: not a table; "):
        COPIER.check(options)


@pytest.mark.parametrize("value", [None, 5, "256", [], {}, [0], [-1], [1.5], ["256"], [True], [None], [16384], [[256]]])
def test_sizes_are_edges_in_pixels(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.sizes: .* each from 1 to 16383, or boxes such as"):
        processors.find("image.renditions").check({"sizes": value})


@pytest.mark.parametrize("value", [None, 5, "webp", [], {}, ["gif"], ["WEBP"], [5], [["webp"]], ["webp", None]])
def test_formats_are_the_supported_ones(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.formats: .* webp, avif, png, jpeg$"):
        processors.find("image.renditions").check({"formats": value})


@pytest.mark.parametrize("value", [None, 0, 101, -1, 80.0, "80", True, [80]])
def test_quality_is_a_whole_number(value: Any) -> None:
    with pytest.raises(BadConfiguration, match=r"^options\.quality: .* from 1 to 100, or a table such as"):
        processors.find("image.renditions").check({"quality": value})


def test_work_is_done_with_the_options_of_the_recipe(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"abc")

    made = COPIER.run(source, tmp_path, {"count": 2})

    assert [(draft.name, draft.path.read_bytes()) for draft in made.drafts] == [("0.bin", b"abc"), ("1.bin", b"abc")]


def test_a_processor_without_output_blames_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"test\.copies found nothing to make from this file") as refused:
        COPIER.run(tmp_path, tmp_path, {"count": 0})

    assert refused.value.code == "no_output"


# ---- names of outputs


def naming(*names: str) -> Processor:
    """A processor whose outputs have these names."""

    def work(source: Path, _folder: Path, _options: Copies) -> Iterator[Draft]:
        for name in names:
            yield Draft(name, "application/octet-stream", source)

    return Processor("test.naming", 1, Copies, work)


@pytest.mark.parametrize("name", ["", "a/b", "/", ".", "..", "x" * 65, "ä" * 33, "a\nb", "\0", "\ud800"])
def test_a_wrong_output_name_is_the_processors_fault(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^test\.naming names an output ") as raised:
        naming("good.txt", name).run(tmp_path, tmp_path, {})

    assert repr(name) in str(raised.value)
    assert "1 to 64 printable bytes without a slash" in str(raised.value)


@pytest.mark.parametrize("name", ["x", "x" * 64, "ä" * 32, "1024.webp", "two words.txt", "-rf", "🐈"])
def test_a_right_output_name_is_taken(tmp_path: Path, name: str) -> None:
    assert [draft.name for draft in naming(name).run(tmp_path, tmp_path, {}).drafts] == [name]


def test_two_outputs_of_one_name_are_the_processors_fault(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^test\.naming gives the name 'a\.txt' to several outputs"):
        naming("a.txt", "b.txt", "a.txt").run(tmp_path, tmp_path, {})


@pytest.mark.parametrize("facts", [{"at": date(2026, 1, 1)}, {"ratio": float("nan")}, {1: 1, "a": 1}, ["width"]])
def test_facts_that_json_cannot_write_are_the_processors_fault(tmp_path: Path, facts: Any) -> None:
    def work(source: Path, _folder: Path, _options: Copies) -> Iterator[Draft]:
        yield Draft("a.txt", "text/plain", source, facts)

    with pytest.raises(ValueError, match=r"^test\.facts gives 'a\.txt' facts that JSON cannot hold: "):
        Processor("test.facts", 1, Copies, work).run(tmp_path, tmp_path, {})


@pytest.mark.parametrize("content_type", [None, "", "webp", "image/webp\nx: y", b"image/webp"])
def test_a_draft_without_a_media_type_is_refused(tmp_path: Path, content_type: Any) -> None:
    def work(source: Path, folder: Path, options: Copies) -> Iterator[Draft]:
        yield Draft("a.webp", content_type, folder / "a.webp")

    with pytest.raises(ValueError, match=r"^test\.types gives 'a\.webp' the content type .*; write a media type such as"):
        Processor("test.types", 1, Copies, work).run(tmp_path, tmp_path, {})


def test_a_processor_cannot_end_the_server(tmp_path: Path) -> None:
    def work(source: Path, folder: Path, options: Copies) -> Iterator[Draft]:
        sys.exit("no disk")
        yield

    with pytest.raises(RuntimeError, match=r"^test\.exit called sys\.exit\('no disk'\); raise an exception instead$"):
        Processor("test.exit", 1, Copies, work).run(tmp_path, tmp_path, {})


@pytest.mark.parametrize("error", [UnsupportedType("not a picture"), BadConfiguration("sizes: 0 is not allowed")])
def test_only_a_bad_file_is_a_processors_verdict(tmp_path: Path, error: Exception) -> None:
    def work(source: Path, folder: Path, options: Copies) -> Iterator[Draft]:
        raise error
        yield

    named = f"^test.refuses raised {type(error).__name__}; raise BadFile for a file at fault: {error}$"
    with pytest.raises(RuntimeError, match=named):
        Processor("test.refuses", 1, Copies, work).run(tmp_path, tmp_path, {})


# ---- declared names


def declaring(*patterns: str) -> Processor:
    """A processor that copies, and declares outputs of these names."""
    return Processor("test.declaring", 1, Copies, copies, lambda _options: patterns)


def test_a_processor_declares_the_names_of_its_outputs_under_its_options() -> None:
    counted = Processor("test.counted", 1, Copies, copies, lambda options: (f"{n}.bin" for n in range(options.count)))

    assert counted.outputs({"count": 2}) == ("0.bin", "1.bin")
    assert COPIER.outputs({}) is None


@pytest.mark.parametrize("patterns", [("*",), ("0.bin", "1.bin"), ("[01].bin",), ("?.bin", "x")])
def test_an_output_may_have_any_declared_name(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    (tmp_path / "source").write_bytes(b"abc")

    assert len(declaring(*patterns).run(tmp_path / "source", tmp_path, {"count": 2}).drafts) == 2


@pytest.mark.parametrize("patterns", [(), ("0.bin",), ("0.*", "1.BIN")])
def test_an_undeclared_output_is_the_processors_fault(tmp_path: Path, patterns: tuple[str, ...]) -> None:
    (tmp_path / "source").write_bytes(b"abc")

    with pytest.raises(ValueError, match=r"^test\.declaring makes '[01]\.bin', which its `outputs` do not declare; "):
        declaring(*patterns).run(tmp_path / "source", tmp_path, {"count": 2})


def test_renditions_declare_a_name_for_each_size_and_format() -> None:
    renditions = processors.find("image.renditions")
    options = renditions.check({"sizes": [64, 8], "formats": ["webp", "png"]})

    assert renditions.outputs(options) == ("64.webp", "64.png", "8.webp", "8.png")


@pytest.mark.parametrize("name", ["any.digest", "image.facts"])
def test_a_processor_of_facts_declares_that_it_has_no_outputs(name: str) -> None:
    assert processors.find(name).outputs({}) == ()


# ---- mistakes in a processor


@dataclass(frozen=True, slots=True)
class Careless:
    """Options that check nothing themselves."""

    count: int
    since: Any = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise BadConfiguration("options.count: write a number above 0")


@pytest.mark.parametrize(
    "options",
    [{}, {"count": "x"}, {"count": None}, {"count": 1, "since": date(2026, 1, 1)}, {"count": 1, "since": float("nan")}],
)
def test_options_that_break_their_class_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(BadConfiguration, match=r"^options: test\.careless refuses them: .+; correct their types$"):
        Processor("test.careless", 1, Careless, copies).check(options)


def test_a_check_of_options_that_itself_breaks_is_named() -> None:
    @dataclass(frozen=True)
    class Broken:
        sizes: Any = 5

        def __post_init__(self) -> None:
            self.sizes.sort()

    with pytest.raises(BadConfiguration, match=r"refuses them: AttributeError: 'int' object has no attribute 'sort'; "):
        Processor("test.broken", 1, Broken, copies).check({})


@pytest.mark.parametrize(
    ("code", "place", "problem"),
    [
        ("from shared.processors import processor\n\n@processor(\n", ", line 3", "SyntaxError"),
        ("import json\n\n\ndef work(source: Path) -> None: ...\n", ", line 4", "NameError: name 'Path' is not defined"),
        ("import no_such_library\n", ", line 1", "ModuleNotFoundError: No module named 'no_such_library'"),
        (
            "from dataclasses import dataclass\n@dataclass\nclass Options:\n    sizes: list = []\n",
            ", line 2",
            "ValueError: mutable",
        ),
        ("from shared.processors import helper\n", ", line 1", "SyntaxError: invalid syntax (helper.py, line 5)"),
        ("import sys\n\nsys.exit(1)\n", ", line 3", "SystemExit: 1"),
        (
            "from shared.processors import processor\n@processor('broken.thing', version=1, options=dict)\ndef work(): ...\n",
            ", line 2",
            "the options of 'broken.thing' are not a dataclass; write a class under @dataclass(frozen=True, slots=True)",
        ),
        (None, "", "ModuleNotFoundError: No module named 'shared.processors.broken'"),
    ],
    ids=["syntax", "name", "library", "options", "helper", "exit", "no dataclass", "no module"],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str | None, place: str, problem: str
) -> None:
    folder = tmp_path / "shared" / "processors"
    folder.mkdir(parents=True)
    (folder / "helper.py").write_text("\n\n\n\ndef broken(:\n")
    if code is not None:
        (folder / "broken.py").write_text(code)
    monkeypatch.setattr(processors, "__path__", [*processors.__path__, str(folder)])
    monkeypatch.setattr(processors, "MODULES", (*processors.MODULES, "broken"))

    with pytest.raises(BadConfiguration) as refused:
        processors.find("broken.thing")

    assert refused.value.message.startswith(f"processor: cannot import shared/processors/broken.py{place}: {problem}")
