"""The page of failed files over HTTP: groups by reason, and running a group again piece by piece."""

import re
from collections.abc import Callable

import pytest

from shared import index, pipeline
from shared.console import reruns
from shared.model import File, Run
from shared.testing import FakeCloud
from tests.functions.calls import Load
from tests.functions.console_pages import Viewer, worked

Uploaded = Callable[..., File]


@pytest.fixture
def viewer(client: Load) -> Viewer:
    return Viewer(client("console"))


@pytest.fixture
def broken(cloud: FakeCloud, uploaded: Uploaded) -> list[File]:
    """Five files that are no pictures."""
    return [worked(uploaded(f"{number}.png", b"\x89PNG", "image/png"), cloud) for number in range(5)]


def begun(cloud: FakeCloud, files: list[File]) -> list[str]:
    """The files that have run again."""
    return [file.name for file in files if index.later_runs(cloud.results, file.file_id, file.generation)]


def test_failed_files_are_grouped_by_reason(viewer: Viewer, cloud: FakeCloud, broken: list[File], uploaded: Uploaded) -> None:
    worked(uploaded("cut.jpg", b"\xff\xd8\xff damaged"), cloud)
    page = viewer.get("/failed").text

    assert re.findall(r'<h2 id="reason-(\w+)">([^<]+) <span class="chip bad">([\d,]+)', page) == [
        ("not_a_picture", "Not a picture", "5"),
        ("truncated", "Cut off", "1"),
    ]
    assert f'href="/files/{broken[-1].name}"' in page


def test_without_failed_files_the_page_says_so(viewer: Viewer) -> None:
    page = viewer.get("/failed").text

    assert "No file has failed." in page
    assert "Counted by" not in page


def test_groups_that_a_page_shows_already_are_not_sent_again(viewer: Viewer, broken: list[File]) -> None:
    assert broken
    first = viewer.get("/reasons")

    assert viewer.get("/reasons", if_none_match=first.headers["etag"]).status_code == 304


def test_a_hostile_reason_stays_text(viewer: Viewer, cloud: FakeCloud) -> None:
    hostile = '"><script>alert(1)</script>'
    entry = "index/failed/8299999999999999-" + "a" * 26 + "-1700000000000001"
    cloud.results.create(
        entry, "application/octet-stream", b"", {"name": hostile, "size": "1", "reason": hostile, "message": hostile}
    )

    for page in (viewer.get("/failed"), viewer.get("/failed?reason=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")):
        assert page.status_code == 200
        assert "<script>alert" not in page.text.lower()


def test_a_group_is_counted_and_priced_before_it_runs(viewer: Viewer, cloud: FakeCloud, broken: list[File]) -> None:
    del cloud.uploads.versions[broken[0].name]
    cloud.uploads.put(broken[1].name, b"newer")
    page = viewer.get("/failed?reason=not_a_picture").text

    assert "5 files" in page
    assert "3 can run again; 2 cannot" in page
    assert "cannot run again: the original was deleted" in page
    assert "cannot run again: replaced by a newer upload" in page
    assert re.search(r"at least \$0\.000[0-9]+ ", page)
    assert begun(cloud, broken) == []


def test_a_group_runs_again_piece_by_piece(
    viewer: Viewer, cloud: FakeCloud, broken: list[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reruns, "PIECE_FILES", 2)
    page = viewer.press(viewer.get("/failed?reason=not_a_picture"), "/rerun-all", how="today")
    seen = [len(begun(cloud, broken))]
    while "Go on" in page.text:
        assert 'hx-trigger="load, submit"' in page.text
        page = viewer.press(page, "/rerun-all")
        seen.append(len(begun(cloud, broken)))

    assert seen == [2, 4, 5]
    assert "5 of 5 files: 5 begun." in page.text
    requests = {claim.request for file in broken for claim in index.claims(cloud.results, Run(file))}
    assert len(requests) == 1


def test_files_that_fail_again_meanwhile_are_begun_once(
    viewer: Viewer, cloud: FakeCloud, broken: list[File], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reruns, "PIECE_FILES", 2)
    page = viewer.press(viewer.get("/failed?reason=not_a_picture"), "/rerun-all", how="today")
    for _piece in range(2):
        for task in [task for task in cloud.queue.added.values() if task.run.number == 1]:
            pipeline.process(task, 1, cloud)
        page = viewer.press(page, "/rerun-all")

    assert "5 of 5 files: 5 begun." in page.text


def test_a_piece_sent_twice_begins_no_run_twice(viewer: Viewer, cloud: FakeCloud, broken: list[File]) -> None:
    page = viewer.get("/failed?reason=not_a_picture")
    for _ in range(2):
        assert viewer.press(page, "/rerun-all", how="fresh").status_code == 200

    assert [index.later_runs(cloud.results, file.file_id, file.generation) for file in broken] == [[1]] * 5


def test_an_outage_stops_a_group_and_it_goes_on_by_hand(viewer: Viewer, cloud: FakeCloud, broken: list[File]) -> None:
    page = viewer.get("/failed?reason=not_a_picture")
    cloud.results.broken.add("create index")
    cut = viewer.press(page, "/rerun-all", how="today")

    assert "Go on later" in cut.text
    assert "./sluice rerun --verdict failed,dead,partial --reason not_a_picture --plan today --request 20" in cut.text
    assert 'hx-trigger="load' not in cut.text.partition('id="again"')[2]
    assert re.search(r"[1-5] not reached", cut.text)
    cloud.results.broken.clear()
    assert "5 begun" in viewer.press(cut, "/rerun-all").text
    assert len(begun(cloud, broken)) == 5


def test_an_outage_is_not_tried_with_every_file(viewer: Viewer, cloud: FakeCloud, uploaded: Uploaded) -> None:
    """Each call of an outage may take minutes."""
    for number in range(30):
        worked(uploaded(f"{number:02}{'x' * 1000}", b"x"), cloud)
    page = viewer.get("/failed?reason=name_too_long")
    cloud.results.broken.add("create index")
    cut = viewer.press(page, "/rerun-all", how="today").text

    (count,) = re.findall(r"([0-9]+) not reached", cut)
    assert 0 < int(count) < 30


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": ""}, 403),
        ({"how": ""}, 400),
        ({"request": "x"}, 400),
        ({"after": "x"}, 400),
        ({"total": "-1"}, 400),
        ({"total": "9" * 5000}, 400),
    ],
)
def test_a_wrong_form_begins_nothing(
    viewer: Viewer, cloud: FakeCloud, broken: list[File], change: dict[str, str], status: int
) -> None:
    page = viewer.get("/failed?reason=not_a_picture")
    answer = viewer.press(page, "/rerun-all", **({"how": "today"} | change))

    assert answer.status_code == status
    assert begun(cloud, broken) == []


def test_a_link_alone_begins_nothing(viewer: Viewer, cloud: FakeCloud, broken: list[File]) -> None:
    """Another site may open any address: only a form of this page begins runs, and leads to the next piece."""
    page = viewer.get("/failed?reason=not_a_picture&how=today&after=&request=20261128T000000-00000000")

    assert "hx-post" not in page.text
    assert viewer.get("/rerun-all").status_code == 404
    assert begun(cloud, broken) == []
