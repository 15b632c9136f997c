"""The benchmark's measure of likeness: 1 for an exact reduction, less for a worse one."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.likeness import ssim
from shared.settings import ROOT

PHOTO = ROOT / "tests" / "data" / "photo.jpg"
SIZE = (200, 256)


@pytest.fixture
def reduced() -> Image.Image:
    with Image.open(PHOTO) as photo:
        return photo.convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)


def test_an_exact_reduction_is_nearly_1(reduced: Image.Image, tmp_path: Path) -> None:
    reduced.save(tmp_path / "exact.png")

    assert ssim(PHOTO, tmp_path / "exact.png") == pytest.approx(1, abs=0.002)


def test_a_lower_quality_is_less_alike(reduced: Image.Image, tmp_path: Path) -> None:
    for quality in (20, 80):
        reduced.save(tmp_path / f"{quality}.jpg", quality=quality)

    assert ssim(PHOTO, tmp_path / "20.jpg") < ssim(PHOTO, tmp_path / "80.jpg") < 0.99


def test_another_picture_is_not_alike(reduced: Image.Image, tmp_path: Path) -> None:
    reduced.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "flipped.png")

    assert ssim(PHOTO, tmp_path / "flipped.png") < 0.8
