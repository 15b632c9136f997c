"""`run_processor` runs a processor as a task does."""

import pytest

from shared.errors import BadConfiguration, BadFile
from shared.testing import run_processor


def test_outputs_have_their_bytes_and_facts(photo: bytes) -> None:
    (small,) = run_processor("image.renditions", photo, sizes=[64]).outputs

    assert (small.name, small.content_type, dict(small.facts)) == ("64.webp", "image/webp", {"width_px": 64, "height_px": 50})
    assert small.data.startswith(b"RIFF")


def test_facts_stand_beside_the_outputs() -> None:
    outcome = run_processor("any.digest", b"meow")

    assert (outcome.outputs, outcome.facts["size"]) == ([], 4)


def test_a_bad_file_is_refused_as_in_a_task() -> None:
    with pytest.raises(BadFile) as refused:
        run_processor("image.renditions", b"not a picture")

    assert refused.value.code == "not_a_picture"


@pytest.mark.parametrize(("name", "options"), [("image.rendition", {}), ("any.digest", {"algorithm": "md5"})])
def test_a_wrong_name_or_option_is_refused_as_at_start_up(name: str, options: dict[str, str]) -> None:
    with pytest.raises(BadConfiguration):
        run_processor(name, b"x", **options)
