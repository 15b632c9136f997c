"""The shipped pipeline.toml: one task for a picture, a second stage on request."""

import io
from pathlib import Path

import pytest
from PIL import Image

from shared import media, processors, routes
from shared.errors import BadFile
from shared.model import File, Run, canonical
from shared.plan import Plan, Task
from shared.settings import ROOT

LOADED = routes.load(ROOT / "pipeline.toml")


def plan(content_type: str = "image/jpeg", **metadata: str) -> Plan:
    return LOADED.plan(
        File("uploads", "cat.jpg", 7, 1, content_type, "", {key.replace("_", "-"): value for key, value in metadata.items()})
    )


def test_a_picture_is_one_task() -> None:
    planned = plan()

    assert [step.name for step in planned.steps] == ["digest", "facts", "thumbnails"]
    assert [str(place) for place in planned.places] == ["0-images"]


def test_a_second_stage_runs_on_request() -> None:
    planned = plan(sluice_steps="avif", sluice_avif_quality="40")

    assert [str(place) for place in planned.places] == ["0-images", "1-slow"]
    assert planned.by_name["avif"].recipe.options["quality"] == 40
    assert planned.ignored == ()


@pytest.mark.parametrize(
    "format_name", ["AVIF", "BMP", "DDS", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "TGA", "TIFF", "WEBP"]
)
def test_a_picture_that_cannot_be_opened_is_only_digested(format_name: str, tmp_path: Path) -> None:
    written = io.BytesIO()
    Image.new("RGB", (64, 64)).save(written, format_name)
    (tmp_path / "picture").write_bytes(written.getvalue())

    planned = plan(media.sniff(written.getvalue()))

    steps = ["digest", "facts", "thumbnails"] if is_opened(tmp_path / "picture") else ["digest"]
    assert [step.name for step in planned.steps] == steps


def is_opened(path: Path) -> bool:
    processor = processors.find("image.facts")
    try:
        processor.run(path, path.parent, processor.check({}))
    except BadFile:
        return False
    return True


@pytest.mark.parametrize("content_type", ["image/vnd.adobe.photoshop", "image/x-icon", "image/jxl"])
def test_a_request_for_a_picture_step_leaves_other_files_alone(content_type: str) -> None:
    planned = plan(content_type, sluice_steps="avif")

    assert [step.name for step in planned.steps] == ["digest"]


@pytest.mark.parametrize("content_type", ["image/heic", "image/heif", "image/svg+xml"])
def test_pictures_that_need_an_extra_are_taken_with_it_or_without(content_type: str) -> None:
    steps = plan(content_type, sluice_steps="avif").steps

    assert {step.name for step in steps} == {"avif", "digest", "facts", "thumbnails"}


@pytest.mark.parametrize("content_type", ["image/jpg", "image/x-ms-bmp"])
def test_usual_misnomers_of_pictures_are_taken(content_type: str) -> None:
    assert [step.name for step in plan(content_type).steps] == ["digest", "facts", "thumbnails"]


def test_other_files_wait_in_their_own_queue() -> None:
    assert [(step.name, step.queue) for step in plan("application/vnd.sqlite3").steps] == [("digest", "files")]
    assert [(step.name, step.queue) for step in plan("text/plain").steps] == [("digest", "files"), ("lines", "files")]


@pytest.mark.parametrize(
    ("content_type", "name", "is_listed"),
    [
        ("application/zip", "a.zip", True),
        ("application/x-tar", "a.tar", True),
        ("application/gzip", "folder/a.tar.gz", True),
        ("application/x-bzip2", "a.tbz2", True),
        ("application/x-xz", "a.txz", True),
        ("application/gzip", "syslog.gz", False),
        ("application/gzip", "test.gz", False),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", False),
    ],
)
def test_archives_are_listed_and_other_packed_files_only_digested(content_type: str, name: str, is_listed: bool) -> None:
    planned = LOADED.plan(File("uploads", name, 7, 1, content_type, ""))

    assert [str(place) for place in planned.places if place.queue == "files"] == ["0-files"]
    assert ("members" in planned.by_name) == is_listed


def test_the_first_page_of_a_pdf_has_thumbnails_in_a_second_stage() -> None:
    planned = plan("application/pdf")

    assert [str(place) for place in planned.places] == ["0-documents", "0-files", "1-images"]
    assert planned.by_name["previews"].recipe.input == "pages/1.webp"


@pytest.mark.parametrize("content_type", ["video/mp4", "audio/mpeg"])
def test_a_recording_is_one_task_of_the_pool_for_media(content_type: str) -> None:
    planned = plan(content_type)

    assert [str(place) for place in planned.places] == ["0-files", "0-media"]
    assert [step.name for step in planned.steps if step.queue == "media"] == ["video", "poster", "preview", "waveform"]
    assert LOADED.pool("media").name == "media"


def test_sound_has_no_poster_and_a_silent_film_no_waveform() -> None:
    conditions = {name: step.when for name, step in plan("video/mp4").by_name.items() if step.when}

    assert {name: (when.step, when.fact, when.test["is"]) for name, when in conditions.items()} == {
        "poster": ("video", "has_video", True),
        "waveform": ("video", "has_audio", True),
    }


@pytest.mark.parametrize(
    "content_type", ["text/csv", "text/tab-separated-values", "application/x-ndjson", "application/vnd.apache.parquet"]
)
def test_a_table_has_a_profile_and_a_copy_on_request(content_type: str) -> None:
    assert [step.name for step in plan(content_type).steps] == ["digest", "table"]
    assert [step.name for step in plan(content_type, sluice_steps="parquet").steps] == ["digest", "parquet", "table"]


@pytest.mark.failure("T17")
def test_a_task_with_the_longest_name_fits_into_a_request() -> None:
    """Cloud Tasks takes 100 KB. JSON writes a control character of a name or of metadata as six characters."""
    every = {step for route in LOADED.routes for step in route.steps}
    asked = {"sluice-steps": ",".join(sorted(every)), "note": "\1" * 8000}
    for content_type in ("image/jpeg", "application/pdf", "text/csv", "video/mp4", "application/zip", "image/svg+xml"):
        file = File("u" * 222, "\1" * 1024, 10**16, 1, content_type, "AAAAAA==", asked)
        planned = LOADED.plan(file)
        for place in planned.places:
            assert len(canonical(Task(Run(file), planned, place).to_json())) < 100_000
