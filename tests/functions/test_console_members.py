"""The console's page of the files that a job extracted from an archive."""

import pytest

from shared import pipeline
from shared.model import File, Run
from shared.plan import Plan, Task
from shared.testing import FakeCloud
from tests.functions.calls import Load
from tests.functions.console_pages import Viewer
from tests.unit.archive.archives import zipped
from tests.unit.archive.test_extraction import Uploaded, extracting
from tests.unit.working import work


@pytest.fixture
def viewer(client: Load) -> Viewer:
    return Viewer(client("console"))


@pytest.fixture
def archive(cloud: FakeCloud, uploaded: Uploaded) -> File:
    file = uploaded("pets.zip", zipped({"cat.txt": b"meow", "a <b>.txt": b"x"}), "application/zip")
    steps = Plan((extracting(),))
    pipeline.process(Task(Run(file), steps, steps.places[0]), 1, cloud)
    return file


def test_the_page_of_an_archive_leads_to_its_files(viewer: Viewer, cloud: FakeCloud, archive: File) -> None:
    job_id = Run(archive).job_id
    assert f'href="/members/{job_id}"' in viewer.get("/files/pets.zip").text

    page = viewer.get(f"/members/{job_id}").text

    assert f'href="/files/extracted/{job_id}/1/cat.txt"' in page
    assert "a &lt;b&gt;.txt" in page


def test_states_of_extracted_files_are_shown(viewer: Viewer, cloud: FakeCloud, archive: File) -> None:
    job_id = Run(archive).job_id
    stored = cloud.uploads.find(f"extracted/{job_id}/1/cat.txt")
    assert stored is not None
    work(Plan(()), cloud, File("uploads", stored.name, stored.generation, stored.size, stored.content_type, stored.crc32c))

    assert viewer.get(f"/members/{job_id}").text.count('class="chip') == 2


def test_a_job_without_extracted_files_says_so(viewer: Viewer, uploaded: Uploaded) -> None:
    assert "has extracted no files" in viewer.get(f"/members/{Run(uploaded('cat.jpg', b'meow')).job_id}").text


def test_a_page_of_no_job_is_not_found(viewer: Viewer) -> None:
    assert viewer.get("/members/x").status_code == 404
