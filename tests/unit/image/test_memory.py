"""Memory for a picture: of a JPEG only what the renditions need is decoded, and no format is copied whole."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.sandbox.service import Sandbox
from shared.settings import ROOT
from tests.unit.image.pictures import noise, rendered, saved

STATUS = Path("/proc/self/status")
MEASURE = """
import re, sys
from pathlib import Path
from shared import processors
def peak(): return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
work = processors.find("image.renditions")
from shared.processors import picture
before = peak()
work.run(Path(sys.argv[1]), Path(sys.argv[2]), work.check({}))
print(peak() - before)
"""


def mebibytes(data: bytes, folder: Path) -> int:
    """The growth of a process that makes the default renditions, over the same process before."""
    source = folder / "source"
    source.write_bytes(data)
    command = [sys.executable, "-c", MEASURE, str(source), str(folder)]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, timeout=60).stdout)


@pytest.fixture(scope="module")
def large() -> Image.Image:
    """12 megapixels, 48 MB decoded."""
    picture = Image.linear_gradient("L").resize((4200, 2860)).convert("RGB")
    # Where the last block is flat, a JPEG is decoded again, to see whether pixels are missing.
    picture.paste(noise(64, 64), (4136, 2796))
    return picture


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux states the peak of a process")
@pytest.mark.parametrize(("kind", "most"), [("JPEG", 34), ("PNG", 48 + 24), ("TIFF", 48 + 24)])
def test_memory_stays_near_that_of_the_pixels_that_are_needed(large: Image.Image, kind: str, most: int, tmp_path: Path) -> None:
    assert mebibytes(saved(large, kind), tmp_path) < most


@pytest.mark.parametrize("size", [(647, 409), (409, 647), (640, 433), (4001, 3)])
def test_skipped_detail_changes_no_size(size: tuple[int, int]) -> None:
    data = saved(Image.linear_gradient("L").resize(size), "JPEG")
    scale = 64 / max(size)

    assert rendered(data, 64).size == tuple(max(1, round(edge * scale)) for edge in size)


@pytest.mark.parametrize("memory_bytes", [16 << 20, 64 << 20])
def test_an_encoder_without_memory_ends_the_step(photo: bytes, tmp_path: Path, memory_bytes: int) -> None:
    source, folder = tmp_path / "source", tmp_path / "folder"
    source.write_bytes(photo)
    folder.mkdir()
    processor = processors.find("image.renditions")
    options = processor.check({"sizes": [2048], "formats": ["avif"]})
    sandbox = Sandbox(["image.renditions"], 1 << 30)

    exact = recipe("avif", processor.name, processor.version, options)
    ran = sandbox.run(exact, source, folder, replace(processor.limits, memory_bytes=memory_bytes))
    sandbox.stop()

    assert isinstance(ran.outcome, BadFile)
    assert ran.outcome.code in ("limit_memory", "decoder_crashed")  # libaom may also crash
