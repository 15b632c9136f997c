"""Previews and outputs over HTTP: redirects to signed links, each job's manifest read once."""

from collections.abc import Callable

import pytest

from shared.model import File, Run
from shared.testing import FakeCloud
from tests.functions.calls import Load
from tests.functions.console_pages import Viewer, picture, worked

Uploaded = Callable[..., File]


@pytest.fixture
def viewer(client: Load) -> Viewer:
    return Viewer(client("console"))


def test_a_preview_is_the_smallest_picture_that_is_large_enough(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    file = worked(uploaded("cat.jpg", picture()), cloud)
    answer = viewer.get(f"/preview/{Run(file).job_id}")

    assert answer.status_code == 302
    assert "/256.webp?" in str(answer.location)
    assert answer.headers["cache-control"] == "private, max-age=300"


def test_a_link_is_signed_once_for_all_viewers(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    job = Run(worked(uploaded("cat.jpg", picture()), cloud)).job_id
    first = viewer.get(f"/preview/{job}").location
    cloud.results.broken |= {"read", "names", "find", "page"}

    assert viewer.get(f"/preview/{job}").location == first


def test_a_job_without_a_picture_has_a_blank_one(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    job = Run(worked(uploaded("notes.txt", b"x", "text/plain"), cloud)).job_id
    answer = viewer.get(f"/preview/{job}")

    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.headers["cache-control"] == "private, max-age=60"


def test_a_list_asks_for_previews_only_where_a_step_makes_pictures(
    viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded
) -> None:
    job = Run(worked(uploaded("cat.jpg", picture()), cloud)).job_id
    worked(uploaded("notes.txt", b"x", "text/plain"), cloud)
    rows = viewer.get("/rows").text

    assert rows.count("/preview/") == 1
    assert f'src="/preview/{job}"' in rows
    assert 'aria-hidden="true">TXT<' in rows


def test_a_step_that_pipeline_toml_has_no_more_brings_no_preview(viewer: Viewer, cloud: FakeCloud) -> None:
    entry = "index/succeeded/8299999999999999-" + "a" * 26 + "-1700000000000001"
    cloud.results.create(entry, "application/octet-stream", b"", {"name": "cat.jpg", "size": "1", "recipes": "old-12345678"})

    assert "/preview/" not in viewer.get("/rows").text


def test_an_output_leads_to_its_signed_link(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    job = Run(worked(uploaded("cat.jpg", picture()), cloud)).job_id
    answer = viewer.get(f"/outputs/{job}/thumbnails/512.webp")

    assert answer.status_code == 302
    assert "/512.webp?" in str(answer.location)


def test_an_output_is_found_as_soon_as_its_page_shows_it(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    """The results of a job are kept for a few seconds; a picture that ends meanwhile must not stay broken."""
    file = uploaded("cat.jpg", picture())
    assert viewer.get(f"/outputs/{Run(file).job_id}/thumbnails/512.webp").status_code == 404
    worked(file, cloud)

    assert viewer.get(f"/outputs/{Run(file).job_id}/thumbnails/512.webp").status_code == 302


def test_an_output_whose_link_browsers_would_change_names_the_remedy(
    viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded
) -> None:
    """Browsers fold the dots in the signed path: Cloud Storage refuses the link, and the picture would be broken."""
    job = Run(worked(uploaded("a/../cat.jpg", picture()), cloud)).job_id
    answer = viewer.get(f"/outputs/{job}/thumbnails/512.webp")

    assert (answer.status_code, "gsutil" in answer.text) == (404, True)
    assert viewer.get(f"/preview/{job}").status_code == 200
    assert "<img" not in viewer.get("/files/?name=a/../cat.jpg").text


@pytest.mark.parametrize(
    "path", ["/preview/x", "/preview/../x", "/outputs/x/y/z", "/outputs/", "/outputs/{job}/thumbnails/9.webp", "/outputs/{job}"]
)
def test_an_unknown_output_is_not_found(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded, path: str) -> None:
    job = Run(worked(uploaded("cat.jpg", picture()), cloud)).job_id

    assert viewer.get(path.replace("{job}", job)).status_code == 404
