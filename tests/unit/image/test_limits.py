"""The limit on pixels is a step's own."""

from typing import Any

import pytest

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor
from tests.unit.image.pictures import BLUE, RED, plain, reason, run, saved


def test_the_limit_of_a_step_holds_for_both_processors() -> None:
    for name in ("image.renditions", "image.facts"):
        with pytest.raises(BadFile, match="1,536 pixels; the limit is 1,535") as refused:
            run_processor(name, saved(plain("RGB", RED, (48, 32)), "PNG"), max_pixels=1535)

        assert refused.value.code == "too_many_pixels"
        assert run_processor(name, saved(plain("RGB", RED, (48, 32)), "PNG"), max_pixels=1536)


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "1"), ("TIFF", "1")])
def test_a_jpeg_and_a_scan_may_have_five_times_the_pixels(kind: str, mode: str) -> None:
    data = saved(plain(mode, 255 if mode == "1" else RED, (48, 32)), kind)

    assert len(run(data, max_pixels=308)) == 1
    with pytest.raises(BadFile, match="the limit is 1,535"):
        run(data, max_pixels=307)


@pytest.mark.parametrize(
    "options", [{"max_pixels": 0}, {"max_pixels": True}, {"max_pixels": 1.5}, {"truncated": "yes"}], ids=str
)
def test_a_wrong_limit_is_refused_at_start_up(options: dict[str, Any]) -> None:
    with pytest.raises(BadConfiguration, match=next(iter(options))):
        run(b"", **options)


def test_an_animated_webp_counts_twice() -> None:
    first, second = (plain("RGB", paint, (100, 100)) for paint in (RED, BLUE))
    data = saved(first, "WEBP", save_all=True, append_images=[second])

    assert reason(data, max_pixels=19_999) == "too_many_pixels"
    assert run(data, max_pixels=20_000)
