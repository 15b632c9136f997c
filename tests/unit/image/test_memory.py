"""Memory for a picture: of a JPEG only what the renditions need is decoded, and no format is copied whole."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from shared import processors
from shared.errors import BadFile
from shared.model import recipe
from shared.processors.registry import Made
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


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(["image.renditions"], 1 << 30)
    yield sandbox
    sandbox.stop()


def verdict(sandbox: Sandbox, data: bytes, folder: Path, memory_bytes: int, **options: Any) -> str:
    """`succeeded`, or the reason of a step with this limit of memory."""
    folder.mkdir()
    (folder / "source").write_bytes(data)
    processor = processors.find("image.renditions")
    exact = recipe("renditions", processor.name, processor.version, processor.check(options))
    ran = sandbox.run(exact, folder / "source", folder, replace(processor.limits, memory_bytes=memory_bytes))
    return ran.outcome.code if isinstance(ran.outcome, BadFile) else "succeeded" if isinstance(ran.outcome, Made) else "failed"


#: mode, format, its options, most memory in MiB, which is too little
FILES: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "a WebP": ("RGB", "WEBP", {"method": 0}, 8),
    "a lossless WebP": ("RGB", "WEBP", {"lossless": True, "quality": 0, "method": 0}, 24),
    "a progressive JPEG": ("RGB", "JPEG", {"progressive": True}, 8),
    "a transparent PNG": ("RGBA", "PNG", {"compress_level": 1}, 20),
}


@pytest.fixture(scope="module")
def grain() -> Image.Image:
    return noise(100, 90).resize((2000, 1800))


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux limits memory")
@pytest.mark.parametrize("name", FILES)
def test_a_good_file_without_memory_is_not_called_corrupt(
    name: str, grain: Image.Image, sandbox: Sandbox, tmp_path: Path
) -> None:
    mode, kind, options, mebibytes = FILES[name]
    data = saved(Image.merge(mode, [grain] * len(mode)), kind, **options)

    assert verdict(sandbox, data, tmp_path / "folder", mebibytes << 20, sizes=[64]) == "limit_memory"


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux limits memory")
@pytest.mark.parametrize(("kind", "mebibytes"), [("avif", 20), ("webp", 50)])
def test_an_encoder_without_memory_ends_the_step(
    kind: str, mebibytes: int, grain: Image.Image, sandbox: Sandbox, tmp_path: Path
) -> None:
    data = saved(Image.merge("RGBA", [grain] * 4), "PNG", compress_level=1)

    assert verdict(sandbox, data, tmp_path / "folder", mebibytes << 20, sizes=[2000], formats=[kind]) == "limit_memory"
