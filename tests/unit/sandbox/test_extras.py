"""Extras run in the sandbox: loaded in advance, with a readable font, and bombs end at its limits."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.processors import extras
from shared.sandbox.outcome import Ran
from shared.sandbox.service import Sandbox
from shared.settings import ROOT

HEIC = (ROOT / "tests" / "data" / "heic" / "noise.heic").read_bytes()
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 50">{}</svg>'
Facts = Callable[[bytes], Ran]
needs_heic = pytest.mark.skipif(not extras.is_installed("heic"), reason=extras.remedy("heic"))
needs_svg = pytest.mark.skipif(not extras.is_installed("svg"), reason=extras.remedy("svg"))


@pytest.fixture(scope="module")
def pictures() -> Iterator[Sandbox]:
    """A sandbox whose zygote has loaded the extras with one thread: with several, it does not start."""
    shared = Sandbox(["image.renditions"], 1 << 30)
    yield shared
    shared.stop()


@pytest.fixture
def render(pictures: Sandbox, tmp_path: Path) -> Facts:
    """Renditions of a file with these bytes, under 256 MiB."""

    def ran(data: bytes) -> Ran:
        processor = processors.find("image.renditions")
        place = Path(tempfile.mkdtemp(dir=tmp_path))
        source, folder = place / "source", place / "folder"
        source.write_bytes(data)
        folder.mkdir()
        exact = recipe("step", processor.name, processor.version, processor.check({"sizes": [1024], "formats": ["png"]}))
        return pictures.run(exact, source, folder, replace(processor.limits, memory_bytes=256 << 20, seconds=30))

    return ran


@needs_heic
def test_a_heic_is_decoded(render: Facts) -> None:
    (draft,) = render(HEIC).made().drafts

    assert (draft.facts["width_px"], draft.facts["height_px"]) == (96, 96)


@needs_svg
def test_a_drawing_has_its_font(render: Facts) -> None:
    inside = ("", '<text y="40" font-size="40">Hello</text>')
    empty, text = (render(SVG.format(one).encode()).made().drafts[0].path.stat().st_size for one in inside)

    assert text > empty + 1000


@needs_svg
def test_layers_without_end_end_the_child(render: Facts) -> None:
    layers = '<g opacity="0.9">' * 90 + '<rect width="200" height="50"/>' + "</g>" * 90
    ran = render(SVG.replace("200 50", "9 9").format(layers).encode())

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code in ("limit_memory", "decoder_crashed")
